"""People on both sides of a link, on a real Synapse: who joins and when, names and pictures, roles, bans and removals."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from bridge.networks.events import Role
from bridge.networks.people import Picture
from embedded.maubot import Maubot
from embedded.waiting import eventually
from haven.ids import ChatId, RemoteUserId
from tests.system.bridge_world import BOT
from tests.system.memory_world import CHAT, World, world
from tests.system.plugin_world import founded, group, plugin_in, told

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]
MANY = 5000
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89" + bytes(20)
MEMBER = "/rooms/{room}/state/m.room.member/{id}"


@pytest.fixture(scope="module")
async def here() -> AsyncIterator[World]:
    """A chat of thousands, linked; the bridge may set levels in its room."""
    async with world() as everything:
        for number in range(MANY):
            await everything.town.join(CHAT, f"member {number}", picture="fox" if number < 20 else "")
        everything.town.pictures["fox"] = Picture(PNG, "image/png")
        await everything.link()
        levels = await everything.alice.state(everything.room, "m.room.power_levels") or {}
        levels["events"]["m.room.power_levels"] = 90
        await everything.alice.send_state(everything.room, "m.room.power_levels", levels)
        yield everything


async def speaks(here: World, who: RemoteUserId, text: str) -> str:
    """Somebody says something; their ghost."""
    await here.town.speak(CHAT, who, text)
    return (await here.shown("m.room.message", lambda event: event.body == text)).sender


async def until(ask: Callable[[], Awaitable[object]], expected: object, what: str) -> None:
    """Wait for an answer."""

    async def is_so() -> bool:
        return await ask() == expected

    await eventually(is_so, what, timeout=60)


async def member_events(here: World) -> Counter[str]:
    """How often each ghost has joined or changed in the room; invites are no event of theirs."""
    events = await here.alice.messages(here.room, limit=1000)
    ours = [event for event in events if event.type == "m.room.member" and _is_ghost(event.state_key)]
    return Counter(str(event.state_key) for event in ours if event.content["membership"] == "join")


def _is_ghost(user: str | None) -> bool:
    return (user or "").startswith("@_haven_")


async def level(here: World, user: str, room: str = "") -> int:
    levels = await here.alice.state(room or here.room, "m.room.power_levels") or {}
    return int(levels["users"].get(user, 0))


async def set_level(here: World, user: str, value: int) -> None:
    levels = await here.alice.state(here.room, "m.room.power_levels") or {}
    levels["users"][user] = value
    await here.alice.send_state(here.room, "m.room.power_levels", levels)


async def membership(here: World, user: str) -> str | None:
    found = (await here.alice.members(here.room)).get(user)
    return found.membership if found else None


async def test_of_thousands_only_who_speaks_joins_by_one_event_with_name_and_picture(here: World) -> None:
    here.proxy.forget()
    speakers = [RemoteUserId(f"member {number}") for number in range(20)]
    ghosts = await asyncio.gather(*(speaks(here, who, f"I am {who}") for who in speakers))
    assert len(set(ghosts)) == 20
    asked = Counter(here.proxy.counts)
    assert asked["POST", "/register"] == asked["POST", "/rooms/{room}/invite"] == asked["PUT", MEMBER] == 20
    assert asked["PUT", "/rooms/{room}/send/m.room.message/{txn}"] == 20
    uploads = [what for what in asked if "upload" in what[1]]
    assert [asked[what] for what in uploads] == [1], "the same picture once"
    assert written(here) == 4 * 20 + 1
    assert await member_events(here) == Counter(dict.fromkeys(ghosts, 1))
    members = await here.alice.members(here.room)
    assert len([user for user in members if _is_ghost(user)]) == 20
    assert members[ghosts[7]].displayname == "member 7 (memory)"
    state = await here.alice.state(here.room, "m.room.member", ghosts[7]) or {}
    place = str(state["avatar_url"]).removeprefix("mxc://")
    where = f"{here.synapse.url}/_matrix/client/v1/media/download/{place}"
    headers = {"Authorization": f"Bearer {here.alice.token}"}
    async with aiohttp.ClientSession() as session, session.get(where, headers=headers) as answer:
        assert await answer.read() == PNG
    await speaks(here, speakers[3], "and still am")
    assert written(here) == 4 * 20 + 2, "one request for each further message"


def written(here: World) -> int:
    """How often the bridge has asked for more than to read what changed in its rooms."""
    return sum(count for (method, _), count in here.proxy.counts.items() if method != "GET")


async def test_two_ghosts_who_say_the_same_at_once_are_both_heard(here: World) -> None:
    pair = [RemoteUserId("member 100"), RemoteUserId("member 101")]
    for _ in range(5):
        await asyncio.gather(*(here.town.speak(CHAT, who, "me too") for who in pair))

    async def heard() -> Counter[str]:
        events = await here.alice.messages(here.room, limit=1000)
        return Counter(event.sender for event in events if event.body == "me too")

    async def all_of_them() -> list[int]:
        return sorted((await heard()).values())

    await until(all_of_them, [5, 5], "both are heard as often as they spoke")


async def test_a_new_name_is_shown_by_one_event(here: World) -> None:
    who = RemoteUserId("member 200")
    ghost = await speaks(here, who, "call me")
    await here.town.rename(CHAT, who, "Theodora")

    async def shown() -> str | None:
        return (await here.alice.members(here.room))[ghost].displayname

    await until(shown, "Theodora (memory)", "the new name is shown")
    await speaks(here, who, "as you like")
    assert (await member_events(here))[ghost] == 2


async def test_roles_go_both_ways(here: World) -> None:
    who = RemoteUserId("member 300")
    ghost = await speaks(here, who, "I could help")
    await here.town.give_role(CHAT, who, Role.OPERATOR)
    await until(lambda: level(here, ghost), 50, "an operator there has the level here")
    await set_level(here, ghost, 0)

    async def role() -> Role:
        return here.town.chat(CHAT).people[who].role

    await until(role, Role.MEMBER, "who loses the level here is operator there no more")
    await set_level(here, ghost, 50)
    await until(role, Role.OPERATOR, "who has the level here is operator there")


async def test_bans_and_removals_go_both_ways(here: World) -> None:
    one, two, three = (RemoteUserId(f"member {number}") for number in (400, 401, 402))
    ghosts = [await speaks(here, who, f"spam by {who}") for who in (one, two, three)]
    there = here.town.chat(CHAT)
    await here.alice.ban(here.room, ghosts[0])
    await here.alice.kick(here.room, ghosts[1])
    await here.town.ban(CHAT, three)

    async def out() -> tuple[bool, bool]:
        return one in there.banned, two in there.people

    await until(out, (True, False), "who is banned or put out here is so there")
    await until(lambda: membership(here, ghosts[2]), "ban", "who is banned there is banned here")
    await here.town.unban(CHAT, three)
    await until(lambda: membership(here, ghosts[2]), "leave", "a ban that ends there ends here")


async def test_in_a_group_of_a_community_the_plugin_gives_the_role_and_its_word_counts_for_more(
    mbp: Path, own_data: Path
) -> None:
    async with world() as here, Maubot(own_data / "maubot", here.synapse.url) as maubot:
        bot = await here.synapse.register("haven")
        async with plugin_in(maubot, here.synapse, mbp, bot, f'bridge_bot: "{BOT}"\n') as running:
            await here.alice.set_displayname("Alice")
            community = await founded(running, here.alice, "Fathers", "Books")
            here.room = group(community, "Books").room
            assert "memory" in await told(
                here.alice, community, f"!c bridge link memory {CHAT} --group Books"
            )
            await _prove(here)
            ghost = await speaks(here, here.oscar, "hello")
            await until(lambda: level(here, ghost), 60, "who has a say in the chat is admin of the group")
            assert ghost in await told(here.alice, community, "!c roles")
            said = await told(here.alice, community, f"!c role remove {ghost} group-admin --group Books")
            assert "Books" in said
            await until(lambda: level(here, ghost), 0, "what is decided by command holds")

            async def role() -> Role:
                return here.town.chat(ChatId(CHAT)).people[here.oscar].role

            await until(role, Role.MEMBER, "and is carried to the network")


async def _prove(here: World) -> None:
    async def code() -> str:
        content = await here.alice.state(here.room, "m.bridge", f"haven://memory/{CHAT}") or {}
        found = content.get("chat.haven.status", {})
        return str(found.get("code") or "")

    await here.town.speak(CHAT, here.oscar, await eventually(code, "a code to say", timeout=60))

    async def linked() -> bool:
        content = await here.alice.state(here.room, "m.bridge", f"haven://memory/{CHAT}") or {}
        return bool(content.get("chat.haven.status", {}).get("state") == "linked")

    await eventually(linked, "the link", timeout=60)
