"""`bridge link`, `bridge unlink`, `bridge status`, and what admins hear of links."""

from collections.abc import Iterable

import pytest

from haven.errors import Refused, Unreachable
from haven.ids import ChatId, Network, RoomId, RoomVersion
from haven.stateevents import BRIDGE as BRIDGED
from haven.stateevents import LINK, LinkState, LinkStatus, bridge_content, bridge_key, read_link
from plugin.config import Settings
from plugin.replies import Replies
from plugin.service.links import Links
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import BRIDGE, Stage, staged, text_of
from tests.plugin.life import FastClock

IRC, CHAT = Network("irc"), ChatId("#madrid")


class Memory:
    """Remembers what was told, as the store does."""

    def __init__(self) -> None:
        self._said: dict[RoomId, frozenset[str]] = {}

    async def said(self, space: RoomId) -> frozenset[str]:
        """See `plugin.service.links.Remembers`."""
        return self._said.get(space, frozenset())

    async def set_said(self, space: RoomId, said: Iterable[str]) -> None:
        """See `plugin.service.links.Remembers`."""
        self._said[space] = frozenset(said)


async def bridge_says(
    stage: Stage, state: LinkState, *, reason: str = "", code: str = "", since: int = 1_700_000_000_000
) -> None:
    """The bridge publishes how the link is doing."""
    bridge, madrid = stage.person(BRIDGE), await stage.room("Madrid")
    if stage.server.rooms[madrid].membership(bridge.user) != "join":
        await bridge.join(madrid)
    status = LinkStatus(IRC, CHAT, state, since, reason, code)
    content = bridge_content(status, bridge.user, stage.user("admin"), "IRC", CHAT)
    await bridge.send_state(madrid, BRIDGED, bridge_key(IRC, CHAT), content)


async def test_a_link_is_written_into_the_group_and_the_bridge_let_in(stage: Stage) -> None:
    said = await stage.answer("admin", "!c bridge link IRC #madrid --group Madrid")
    assert "A code will appear" in said
    madrid = stage.server.rooms[await stage.room("Madrid")]
    link = read_link(madrid.content(LINK, "irc:#madrid"))
    assert link is not None
    assert (link.network, link.chat, link.by, link.proven) == (IRC, CHAT, stage.user("admin"), False)
    assert madrid.membership(stage.user(BRIDGE)) == "invite"
    assert stage.power(madrid.id, BRIDGE) == 90


async def test_the_bridge_is_among_the_admins_as_long_as_something_is_linked(stage: Stage) -> None:
    admins = await stage.room("admins")
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    assert stage.server.rooms[admins].membership(stage.user(BRIDGE)) == "invite"
    assert stage.power(admins, BRIDGE) == 0
    await stage.person(BRIDGE).join(admins)
    await bridge_says(stage, LinkState.LINKED)
    await stage.say("admin", "!c repair")
    assert stage.server.rooms[admins].membership(stage.user(BRIDGE)) == "join"
    await stage.say("admin", "!c bridge unlink irc")
    assert stage.server.rooms[admins].membership(stage.user(BRIDGE)) == "join"
    await bridge_says(stage, LinkState.UNLINKED)
    await stage.say("admin", "!c repair")
    assert stage.server.rooms[admins].membership(stage.user(BRIDGE)) == "leave"


async def test_the_group_is_the_room_where_it_is_said(stage: Stage) -> None:
    await stage.say("admin", "!c bridge link irc #madrid", "Madrid")
    assert [link.chat for link in (await stage.community()).groups[2].links] == [CHAT]
    assert "Which group" in await stage.answer("admin", "!c bridge link irc #x", await stage.direct("admin"))


async def test_unlinking_takes_the_wish_back(stage: Stage) -> None:
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    assert "undo the link" in await stage.answer("admin", "!c bridge unlink irc")
    madrid = stage.server.rooms[await stage.room("Madrid")]
    assert madrid.content(LINK, "irc:#madrid") == {}
    assert "No group you mean is linked" in await stage.answer("admin", "!c bridge unlink irc")


async def test_where_several_are_linked_one_must_be_named(stage: Stage) -> None:
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    await stage.say("admin", "!c bridge link irc #brno --group Brno")
    assert "Several groups" in await stage.answer("admin", "!c bridge unlink irc")
    assert "Madrid" in await stage.answer("admin", "!c bridge unlink irc", "Madrid")
    assert "Brno" in await stage.answer("admin", "!c bridge unlink irc --group Brno")


REFUSED = [
    ("admin", "bridge link irc #madrid --group Madrid", "linked to `#madrid`|linked to #madrid"),
    ("admin", "bridge link irc #other --group Madrid", "already has a link to irc"),
    ("admin", "bridge link irc #madrid --group Brno", "another group of this community"),
    ("admin", "bridge link irc #secret --group admins", "stays there"),
    ("admin", "bridge link i/r/c #x --group Brno", "short word"),
    ("admin", 'bridge link irc "#a b" --group Brno', "must be one word"),
    ("admin", 'bridge link irc "" --group Brno', "must be one word"),
    ("admin", "bridge link irc --group Brno", "`CHAT` is missing"),
    ("admin", "bridge link irc #x --group Lisbon", "no group “Lisbon”"),
    ("moderator", "bridge link irc #x --group Brno", "cannot do that as `moderator`"),
    ("groupadmin", "bridge unlink irc --group Madrid", "cannot do that as `member`"),
    ("member", "bridge status", "cannot do that as `member`"),
    ("stranger", "bridge link irc #x --group Brno", "Only members"),
    ("stranger", "bridge unlink irc", "Only members"),
    ("stranger", "bridge status", "Only members"),
]


@pytest.mark.parametrize(("name", "command", "words"), REFUSED, ids=str)
async def test_refusals_say_why_and_write_nothing(stage: Stage, name: str, command: str, words: str) -> None:
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    stage.forget()
    said = await stage.answer(name, f"!c {command}")
    assert any(each in said for each in words.split("|"))
    assert stage.written() == []


async def test_without_a_bridge_nothing_is_linked(server: FakeHomeserver, store: Store) -> None:
    configured = Settings(version=RoomVersion("12"))
    async with staged(server, store, configured=configured) as stage:
        said = await stage.answer("admin", "!c bridge link irc #madrid --group Madrid")
        assert "No bridge is set up" in said
        assert stage.written() == []


async def test_status_says_how_every_link_is_doing(stage: Stage) -> None:
    assert "No group is linked" in await stage.answer("moderator", "!c bridge status")
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    assert "has not answered yet" in await stage.answer("moderator", "!c bridge status")
    await bridge_says(stage, LinkState.BROKEN, reason="banned")
    said = await stage.answer("moderator", "!c bridge status")
    assert "broken since 2023-11-14 22:13 UTC" in said
    assert "banned there" in said
    await bridge_says(stage, LinkState.LINKED)
    assert "linked since" in await stage.answer("moderator", "!c bridge status")
    await stage.say("admin", "!c bridge unlink irc")
    assert "being undone" in await stage.answer("moderator", "!c bridge status")
    await bridge_says(stage, LinkState.UNLINKED)
    assert "No group is linked" in await stage.answer("moderator", "!c bridge status")


async def test_a_status_of_somebody_else_is_not_believed(stage: Stage) -> None:
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    status = LinkStatus(IRC, CHAT, LinkState.LINKED, 1)
    content = bridge_content(status, stage.user("owner"), stage.user("owner"), "IRC", CHAT)
    madrid = await stage.room("Madrid")
    await stage.person("owner").send_state(madrid, BRIDGED, bridge_key(IRC, CHAT), content)
    assert "has not answered yet" in await stage.answer("moderator", "!c bridge status")


async def test_a_reason_or_time_we_do_not_know_breaks_nothing(stage: Stage) -> None:
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    await bridge_says(stage, LinkState.BROKEN, reason="sun_spots", since=2**53 - 1)
    said = await stage.answer("moderator", "!c bridge status")
    assert "sun_spots" in said
    assert "since ?" in said


def links(stage: Stage, memory: Memory) -> Links:
    """What tells admins of links, in a new life each time."""
    replies = Replies(stage.services.messages, stage.services.phrases, FastClock().wait)
    return Links(stage.engine.communities, replies, memory)


async def news(stage: Stage, memory: Memory) -> str:
    """What the admins hear when the engine looks."""
    before = set(stage._said())
    await links(stage, memory).noticed(await stage.room("Madrid"))
    told = [event for event in stage._said().values() if event.id not in before]
    assert {event.room for event in told} <= {await stage.room("admins")}
    return text_of(told)


async def test_the_admins_hear_of_every_turn_once(stage: Stage) -> None:
    memory = Memory()
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    assert await news(stage, memory) == ""
    await bridge_says(stage, LinkState.CONNECTING)
    assert await news(stage, memory) == ""
    await bridge_says(stage, LinkState.PROOF, code="HAVEN-1234")
    said = await news(stage, memory)
    assert "HAVEN-1234" in said
    assert "operator" in said
    assert await news(stage, memory) == ""
    await bridge_says(stage, LinkState.LINKED)
    assert "are linked" in await news(stage, memory)
    await bridge_says(stage, LinkState.CONNECTING, since=5)
    assert await news(stage, memory) == ""
    await bridge_says(stage, LinkState.LINKED, since=6)
    assert await news(stage, memory) == ""
    await bridge_says(stage, LinkState.BROKEN, reason="connection_lost")
    assert "broken" in await news(stage, memory)
    await bridge_says(stage, LinkState.UNLINKED)
    assert "no longer linked" in await news(stage, memory)
    assert await news(stage, memory) == ""


async def test_what_the_admins_cannot_be_told_is_not_tried_for_ever(stage: Stage) -> None:
    memory = Memory()
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    await bridge_says(stage, LinkState.LINKED)
    refusal = Refused("homeserver_refused", code="M_FORBIDDEN")
    stage.server.faults.fail_next(1, refusal, port="send_message")
    assert await news(stage, memory) == ""
    assert await news(stage, memory) == ""


async def test_what_the_admins_could_not_be_told_in_time_is_told_later(stage: Stage) -> None:
    memory = Memory()
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    await bridge_says(stage, LinkState.LINKED)
    stage.server.faults.fail_next(5, Unreachable(), port="send_message")
    with pytest.raises(Unreachable):
        await news(stage, memory)
    assert "are linked" in await news(stage, memory)


async def test_what_others_remember_of_the_room_stays(stage: Stage) -> None:
    memory, madrid = Memory(), await stage.room("Madrid")
    await memory.set_said(madrid, {"notice of others"})
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    await bridge_says(stage, LinkState.LINKED)
    assert "are linked" in await news(stage, memory)
    assert await memory.said(madrid) > {"notice of others"}


async def test_the_admins_hear_it_in_the_language_of_the_community(stage: Stage) -> None:
    await stage.say("admin", "!c settings language es")
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    await bridge_says(stage, LinkState.PROOF, code="HAVEN-1234")
    assert "Falta un paso" in await news(stage, Memory())


async def test_a_link_undone_long_ago_is_no_news(stage: Stage) -> None:
    await stage.say("admin", "!c bridge link irc #madrid --group Madrid")
    await bridge_says(stage, LinkState.UNLINKED)
    assert await news(stage, Memory()) == ""


async def test_rooms_that_are_none_of_ours_are_no_news(stage: Stage) -> None:
    direct = await stage.direct("member")
    stage.forget()
    for room in (direct, stage.space):
        await links(stage, Memory()).noticed(room)
    assert stage.server.faults.writes(stage.bot) == 0
