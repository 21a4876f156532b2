"""A command for every right, by everybody, on a real homeserver in rooms of versions 10, 11 and 12: as docs/permissions.md says."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded.maubot import Maubot
from embedded.person import Person
from embedded.synapse import Synapse
from haven.model import Community
from haven.permissions import Right
from plugin.commands.asked import Within
from plugin.commands.table import TABLE
from tests.conftest import Newcomer
from tests.plugin.rights.document import ACTORS, COMMANDS, OTHERS_GROUP, REFUSALS, VERSIONS, allows
from tests.system.plugin_world import Bot, answered, founded, group, plugin_in

pytestmark = pytest.mark.system

NAME = "Rights"
ROOMS = 5

SLICE: Mapping[Right, tuple[str, str]] = {
    Right.SEE: ("show", ""),
    Right.SUGGEST: ("suggestions", ""),
    Right.REPORT: ("report", "no message"),
    Right.ADD_GROUP: ("group add", "By {name}"),
    Right.MANAGE_GROUPS: ("group set", "Madrid topic By {name}"),
    Right.ADOPT: ("group adopt", "nothing"),
    Right.UPGRADE: ("upgrade", ""),
    Right.CHANGE_SETTINGS: ("settings KEY VALUE", "group_limit 42"),
    Right.CHANGE_ROLES: ("role add", "@nobody:haven.test greeter"),
    Right.ANNOUNCE: ("announce", "Hola from {name}"),
    Right.APPROVE: ("requests", ""),
    Right.INVITE: ("invite list", ""),
    Right.REMOVE_PEOPLE: ("remove", "@nobody:haven.test"),
    Right.BAN: ("ban", "@foe-of-{name}:haven.test"),
    Right.MUTE: ("mute", "{member}"),
    Right.HANDLE_REPORTS: ("reports", ""),
    Right.LOCKDOWN: ("open", ""),
    Right.BAN_LISTS: ("banlist list", ""),
    Right.PLAN: ("plan", ""),
    Right.REPAIR: ("repair", ""),
    Right.LINK: ("bridge unlink", "irc"),
    Right.SEE_LINKS: ("bridge status", ""),
    Right.SEE_LOG: ("log", ""),
    Right.DEACTIVATE: ("deactivate", ""),
    Right.TRANSFER: ("owner successor", "nobody"),
}
"""By the right: the row of docs/permissions.md, and what is typed after the command."""


@dataclass(frozen=True, slots=True)
class Cast:
    """A community, and somebody of every role with a direct chat with its bot."""

    bot: Bot
    community: Community
    people: Mapping[str, Person]
    chats: Mapping[str, str]

    async def say(self, name: str, right: Right) -> str:
        """What the bot answers to somebody who asks for what takes that right."""
        row, more = SLICE[right]
        words = row.removesuffix(" KEY VALUE")
        filled = more.format(name=name, member=self.people["member"].user_id)
        return await answered(self.people[name], self.chats[name], f"!c {words} {filled}".strip())

    async def state(self) -> dict[str, frozenset[str]]:
        """All state of the rooms of the community, by the ids of the events."""
        bot = self.bot.person
        rooms = (self.community.space, *(each.room for each in self.community.groups))
        return {room: frozenset(event.id for event in await bot.all_state(room)) for room in rooms}


@pytest.fixture(scope="module", params=VERSIONS)
async def cast(
    request: pytest.FixtureRequest, maubot: Maubot, homeserver: Synapse, mbp: Path, newcomer: Newcomer
) -> AsyncIterator[Cast]:
    """A community in rooms of one version."""
    config = f'room_version: "{request.param}"\n'
    async with plugin_in(maubot, homeserver, mbp, await newcomer("haven"), config) as bot:
        people = {name: await newcomer(name) for name in ACTORS}
        made = await founded(bot, people["owner"], NAME, "Madrid", "Brno")
        assert {(await bot.world())[made.space].version} == {request.param}
        await asyncio.gather(*(people[name].join(made.space) for name in ACTORS if name != "stranger"))
        chats = dict(
            zip(people, await asyncio.gather(*(bot.chat(person) for person in people.values())), strict=True)
        )
        await _given_roles(people, chats["owner"])
        yield Cast(bot, made, people, chats)


async def _given_roles(people: Mapping[str, Person], chat: str) -> None:
    where = {"groupadmin": " --group Madrid", "elsewhere": " --group Brno"}
    for name, role in ACTORS.items():
        if role not in {"owner", "member", "stranger"}:
            given = f"!c role add {people[name].user_id} {role}{where.get(name, '')}"
            assert "is now" in await answered(people["owner"], chat, given)


def is_refused(said: str) -> bool:
    """Whether somebody was told that they may not."""
    return any(words in said for words in (*REFUSALS, OTHERS_GROUP))


def test_every_right_is_asked_for() -> None:
    assert {entry.right for entry in TABLE.entries if isinstance(entry, Within)} <= set(SLICE)
    assert {row for row, _ in SLICE.values()} <= set(COMMANDS)


async def test_who_may_not_is_told_so_and_nothing_changes(cast: Cast) -> None:
    before = await cast.state()

    async def ask(name: str) -> dict[str, str]:
        rights = [right for right in SLICE if not allows(COMMANDS[SLICE[right][0]], name)]
        return {right: await cast.say(name, right) for right in rights}

    answers = await asyncio.gather(*(ask(name) for name in ACTORS))
    assert {
        (name, *one)
        for name, each in zip(ACTORS, answers, strict=True)
        for one in each.items()
        if not is_refused(one[1])
    } == set()
    assert sum(map(len, answers)) > len(SLICE) * 3
    assert await cast.state() == before


async def test_who_may_is_not_refused_and_it_is_done(cast: Cast) -> None:
    async def ask(name: str) -> dict[str, str]:
        rights = [right for right in SLICE if allows(COMMANDS[SLICE[right][0]], name)]
        return {right: await cast.say(name, right) for right in rights if right is not Right.APPROVE}

    answers = await asyncio.gather(*(ask(name) for name in ACTORS))
    assert {
        (name, *one)
        for name, each in zip(ACTORS, answers, strict=True)
        for one in each.items()
        if is_refused(one[1])
    } == set()
    made = await cast.bot.whole(NAME, ROOMS + 2)
    assert {"By owner", "By admin"} <= {each.name for each in made.groups}
    assert group(made, "Madrid").topic in {f"By {name}" for name in ("owner", "admin", "groupadmin")}
    assert set(made.banned) == {f"@foe-of-{name}:haven.test" for name in ("owner", "admin", "moderator")}
    assert set(made.muted) == {cast.people["member"].user_id}
    assert made.settings.group_limit == 42
    announced = await cast.bot.person.messages(group(made, "Announcements").room)
    said = {
        str(event.content.get("body")).rpartition(" ")[2]
        for event in announced
        if event.type == "m.room.message"
    }
    assert said == {"owner", "admin", "announcer"}
