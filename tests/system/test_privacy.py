"""What is kept of people, shown and erased, by the plugin as an operator has it."""

from pathlib import Path

import pytest

from embedded.matrix import Event, Json
from embedded.maubot import Maubot
from embedded.person import Person
from embedded.waiting import eventually
from tests.conftest import Newcomer
from tests.system.plugin_world import Bot, answered, founded, group, told

pytestmark = pytest.mark.system

NAME = "A safe place"


def is_file(event: Event) -> bool:
    """Whether a message shows a file."""
    return event.content.get("msgtype") == "m.file"


async def test_somebody_reads_what_is_kept_of_them_and_has_it_erased(
    bot: Bot, maubot: Maubot, ana: Person, newcomer: Newcomer
) -> None:
    eva = await newcomer("eva")
    community = await founded(bot, ana, NAME)
    await told(ana, community, "!c settings join open")
    await eva.join(community.space)
    for verb in ("add", "remove"):
        assert eva.user_id in await told(ana, community, f"!c role {verb} {eva.user_id} greeter")
    chat = await bot.chat(eva)
    said = await eva.say(chat, "!c my data export")
    event = await eva.wait_for(chat, is_file, after=said)
    file = await downloaded(eva, str(event.content["url"]))
    assert file["you"] == eva.user_id
    assert [each["community"] for each in file["communities"]] == [NAME]
    assert "greeter" in str(file["kept"]["deed"])
    assert ana.user_id not in str(file)
    await eva.leave(community.space)
    await ana.wait_for(
        group(community, "Admins").room, lambda each: "left the community" in str(each.content)
    )
    assert "Nothing has been erased yet" in await answered(eva, chat, "!c my data erase")
    assert "I have erased what I kept of you" in await answered(eva, chat, "!c my data erase for-good")
    log = await told(ana, community, "!c log")
    assert "(a person)" in log
    assert eva.user_id not in log
    files = databases(maubot, bot)
    assert files

    async def scrubbed() -> bool:
        return not any(eva.user_id.encode() in file.read_bytes() for file in files)

    await eventually(scrubbed, "nothing of her is left in the file of the database", timeout=60)
    again = await eva.say(chat, "!c my data export")
    event = await eva.wait_for(chat, is_file, after=again)
    file = await downloaded(eva, str(event.content["url"]))
    assert set(file["kept"]) <= {"heard"}


def databases(maubot: Maubot, bot: Bot) -> list[Path]:
    """The files of the plugin's database."""
    return [each for each in maubot.directory.rglob(f"{bot.instance}.db*") if each.is_file()]


async def downloaded(who: Person, url: str) -> Json:
    """What was uploaded (spec: authenticated media)."""
    place = url.removeprefix("mxc://")
    return await who.account.request("GET", f"/_matrix/client/v1/media/download/{place}")
