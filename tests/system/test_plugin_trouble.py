"""The plugin under trouble, for real: killed at seeded points of a founding, answers lost, and default rate limits."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.maubot import Maubot
from embedded.person import Person
from embedded.proxy import Answered, Asked, Drop
from embedded.synapse import Synapse
from haven.model import Community
from tests.conftest import Newcomer
from tests.system.plugin_world import Bot, plugin_in

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ROOMS = 4
REQUESTS = range(1, 21)
"""What a founding with one group asks for, from its first message to its last: more than there are, so that the end is among them."""

SEED = 2
SOME = sorted(random.Random(SEED).sample(REQUESTS, 3))


@pytest.fixture(scope="module")
async def bot(homeserver: Synapse, mbp: Path, newcomer: Newcomer, server_data: Path) -> AsyncIterator[Bot]:
    """A bot in a maubot of its own, since it will be killed."""
    async with (
        Maubot(server_data / "mortal", homeserver.url) as maubot,
        plugin_in(maubot, homeserver, mbp, await newcomer("mortal")) as running,
    ):
        yield running


def counted(asked: Asked) -> bool:
    """Whether a request is part of the work: all but listening, maubot's own start, and what is asked of the chat."""
    return (
        asked.method != "GET"
        and asked.route not in {"/sync", "/join/{room}"}
        and "/filter" not in asked.route
    )


async def founded_though_killed(bot: Bot, owner: Person, name: str, at: int, answered: bool) -> Community:
    """A community whose making was interrupted at a request: before it reached the homeserver, or when it had its effect."""
    seen = 0
    died = asyncio.Event()

    def kill() -> None:
        """Not awaited here: the proxy ends what it does for an asker that is gone."""
        bot.proxy.before = bot.proxy.after = None
        bot.maubot.process.signal(signal.SIGKILL)
        died.set()

    async def before(asked: Asked) -> Answered | None:
        nonlocal seen
        seen += counted(asked)
        if counted(asked) and seen == at and not answered:
            kill()
            raise Drop
        return None

    async def after(asked: Asked, answer: Answered) -> Answered | None:
        if counted(asked) and seen == at and answered:
            kill()
            raise Drop
        return None

    chat = await bot.chat(owner)
    bot.proxy.before, bot.proxy.after = before, after
    try:
        await owner.say(chat, f"!community create {name} --group Madrid")
        whole = asyncio.create_task(bot.whole(name, ROOMS))
        death = asyncio.create_task(died.wait())
        await asyncio.wait({whole, death}, return_when=asyncio.FIRST_COMPLETED)
        if died.is_set():
            await bot.maubot.kill()
            await bot.maubot.start()
        death.cancel()
        return await whole
    finally:
        bot.proxy.before = bot.proxy.after = None


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "at", [pytest.param(at, marks=() if at in SOME else pytest.mark.slow) for at in REQUESTS]
)
async def test_killed_while_founding_it_ends_with_one_of_everything(
    bot: Bot, newcomer: Newcomer, at: int, answered: bool
) -> None:
    ana = await newcomer("ana")
    name = f"Fathers{at}{'after' if answered else 'before'}"
    community = await founded_though_killed(bot, ana, name, at, answered)
    assert set((await bot.slots(name)).values()) == {1}
    await ana.wait_for_invite(community.space)


async def test_lost_answers_make_no_second_room(bot: Bot, newcomer: Newcomer) -> None:
    ana = await newcomer("ana")
    chat = await bot.chat(ana)
    lost = 0

    async def lose(asked: Asked, answer: Answered) -> Answered | None:
        nonlocal lost
        if asked.route == "/createRoom":
            lost += 1
            raise Drop
        return None

    bot.proxy.after = lose
    try:
        await ana.say(chat, "!community create Lost --group Madrid")
        await bot.whole("Lost", ROOMS)
    finally:
        bot.proxy.after = None
    assert lost == ROOMS + 1
    assert set((await bot.slots("Lost")).values()) == {1}


async def test_progress_is_one_message_with_edits(bot: Bot, newcomer: Newcomer) -> None:
    ana = await newcomer("ana")
    chat = await bot.chat(ana)
    asked = await ana.say(chat, "!community create Told --group Madrid")
    done = await ana.wait_for(
        chat,
        lambda event: event.relates_to.get("rel_type") == "m.replace" and "Told" in event.body,
        after=asked,
    )
    said = [event for event in await ana.messages(chat) if event.sender == bot.person.user_id]
    messages = [event for event in said if event.type == "m.room.message"]
    first = messages[0]
    assert {event.relates_to.get("event_id") for event in messages[1:]} == {first.id}
    assert done.relates_to["event_id"] == first.id


async def test_a_homeserver_with_default_limits_is_waited_for(mbp: Path, own_data: Path) -> None:
    """Synapse slows one account down to an event in five seconds after the first ten."""
    async with Synapse(own_data / "synapse", limits="default") as homeserver:
        account, ana = await homeserver.register("bot"), await homeserver.register("ana")
        async with (
            Maubot(own_data / "maubot", homeserver.url) as maubot,
            plugin_in(maubot, homeserver, mbp, account) as bot,
        ):
            chat = await bot.chat(ana)
            await ana.say(chat, "!community create Slow --group Madrid --group Brno")
            await bot.whole("Slow", ROOMS + 1)
            assert set((await bot.slots("Slow")).values()) == {1}
