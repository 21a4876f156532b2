"""What goes wrong between the bridge and Prosody: nothing is lost, nothing is said twice, and each refusal has its name."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.message import Message, Reply, plain, spans
from bridge.networks.acts import Claim, Edit, Outgoing, React, Receipt, Say
from bridge.networks.base import Network, Place
from bridge.networks.events import ChatGone, Connection, ConnectionState, Edited, Reacted, Said
from bridge.networks.xmpp import XmppNetwork
from bridge.networks.xmpp_history import Archived
from embedded.federation import Federation
from embedded.jabber import body_of, stanza_id
from embedded.prosody import ROOMS, Prosody, prosody_program
from haven.errors import GiveUp, Invalid, Refused, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId
from tests.contracts.network import ALICE, Log, always, patiently, words
from tests.system.xmpp_world import XmppWorld, network_on, xmpp_world

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(prosody_program() is None, reason="prosody is not installed"),
]


@pytest.fixture(params=["component", "account"])
async def world(request: pytest.FixtureRequest, prosody: Prosody) -> AsyncIterator[XmppWorld]:
    async with xmpp_world(prosody, component=request.param == "component") as world:
        yield world


def text(event: Said | Edited) -> str:
    return plain(event.message.text)


def texts(log: Log) -> list[str]:
    return [text(event) for event in log.events if isinstance(event, Said)]


# --- out of the room -----------------------------------------------------------------------------------------------------


async def test_who_is_kicked_says_so_and_does_not_storm_back(world: XmppWorld) -> None:
    await world.founder.give_role(world.chat, "haven", "none")
    gone = await world.log.wait(ChatGone)
    assert (gone.chat, gone.reason) == (world.chat, "removed")
    with pytest.raises(Refused):
        await world.network.open(world.chat)


async def test_who_is_banned_says_so(world: XmppWorld) -> None:
    address = world.xmpp._connection.address.partition("/")[0] if world.xmpp._connection else ""
    await world.founder.affiliate(world.chat, address, "outcast")
    assert (await world.log.wait(ChatGone)).reason == "banned"


async def test_a_room_that_is_destroyed_is_gone(world: XmppWorld) -> None:
    await world.founder.destroy(world.chat)
    assert (await world.log.wait(ChatGone)).reason == "network_no_such_chat"


@pytest.mark.parametrize(
    "chat",
    [
        "nobody@rooms.haven.test",
        "no room",
        "rooms.haven.test",
        "A@rooms.haven.test",
        "a@b/c",
        "@",
        "a@haven.test",
    ],
)
async def test_what_is_no_room_is_none_and_is_not_made(world: XmppWorld, chat: str) -> None:
    with pytest.raises(GiveUp):
        await world.network.open(ChatId(chat))
    with pytest.raises(Invalid):
        await world.network.open(ChatId("nobody@rooms.haven.test"))


async def test_a_room_for_members_only_needs_an_invitation(world: XmppWorld) -> None:
    room = ChatId(f"closed-{world.chat}")
    await world.founder.join(room, "founder")
    await world.founder.configure(room, membersonly="1")
    with pytest.raises(Refused) as refused:
        await world.network.open(room)
    assert refused.value.values["reason"] == "invite_only"


# --- not let in at all -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("component", [True, False])
async def test_a_wrong_password_needs_a_person(prosody: Prosody, component: bool) -> None:
    secret = {"secret" if component else "password": "swordfish"}
    network, log = network_on(prosody, component=component, **secret), Log()
    with pytest.raises(Refused) as refused:
        await network.check()
    assert "swordfish" not in repr(refused.value) + repr(network._settings)
    await network.run(log)
    last = log.events[-1]
    assert last == Connection(ConnectionState.LOGGED_OUT, "login_refused")


@pytest.mark.parametrize("component", [True, False])
async def test_a_check_says_whether_all_is_well(tmp_path: Path, component: bool) -> None:
    server = Prosody(tmp_path)
    network = network_on(server, component=component)
    with pytest.raises(TryLater):
        await network.check()
    async with server:
        await network.check()


async def test_an_account_is_only_used_over_a_certificate_that_is_good(tmp_path: Path) -> None:
    made = await Federation.make(tmp_path)
    async with Prosody(tmp_path / "prosody", certificate=(made.certificate, made.key)) as server:
        careless = network_on(server, component=False, tls=True, tls_verify=False)
        await careless.check()
        careful = network_on(server, component=False, tls=True)
        with pytest.raises(Unreachable) as refused:
            await careful.check()
        assert refused.value.key == "network_tls"
        with pytest.raises(GiveUp):  # the server wants TLS, and we are told to do without
            await network_on(server, component=False, tls=False).check()


# --- the connection breaks --------------------------------------------------------------------------------------------------


async def test_a_server_that_dies_and_comes_back_has_lost_nothing(tmp_path: Path) -> None:
    async with Prosody(tmp_path, page=5) as server, xmpp_world(server, component=True) as world:
        await world.join("bob")
        await world.speak("bob", "before")
        await world.log.wait(Said)
        await patiently(lambda: world.network.send(words(world, "ours"), always))
        mark = len(world.log.events)
        await server.kill()
        await world.log.wait(Connection, lambda event: event.state is ConnectionState.LOST, after=mark)
        with pytest.raises(TryLater):
            await world.network.send(words(world, "nobody hears this", "k2"), always)
        world.xmpp._lasting._backoff.next = lambda: 0.3  # type: ignore[method-assign]  # people come back first
        await server.start()
        await world.join("bill")
        for number in range(17):
            await world.speak("bill", f"missed {number}")
        await patiently(lambda: world.network.open(world.chat))
        await world.speak("bill", "live")
        await world.log.wait(Said, lambda event: text(event) == "live")
        assert texts(world.log) == ["before", *(f"missed {number}" for number in range(17)), "live"]


async def test_what_was_sent_when_the_connection_broke_is_looked_up(world: XmppWorld) -> None:
    """The room has it, or it has it not: either way it is said once."""
    await world.join("bob")
    claims: list[int] = []

    async def claim_then_break(part: int) -> bool:
        claims.append(part)
        asyncio.get_running_loop().call_soon(_abort, world.xmpp)
        return True

    receipt = await _until_sent(world.network, words(world, "in doubt"), claim_then_break)
    heard = await world.people["bob"].heard(world.chat, "in doubt")
    assert receipt.messages == ((0, stanza_id(heard)),)
    await patiently(lambda: world.network.send(words(world, "after", "k2"), always))
    await world.people["bob"].heard(world.chat, "after")
    assert [body_of(each) for each in world.people["bob"].said(world.chat)] == ["in doubt", "after"]


async def test_what_never_left_us_is_sent_again(world: XmppWorld) -> None:
    await world.join("bob")
    claims: list[int] = []

    async def break_then_claim(part: int) -> bool:
        claims.append(part)
        if len(claims) == 1:
            _abort(world.xmpp)
        return True

    await _until_sent(world.network, words(world, "once"), break_then_claim)
    await patiently(lambda: world.network.send(words(world, "after", "k2"), always))
    await world.people["bob"].heard(world.chat, "after")
    assert [body_of(each) for each in world.people["bob"].said(world.chat)] == ["once", "after"]
    assert len(claims) > 1


def _abort(network: XmppNetwork) -> None:
    assert network._connection is not None
    transport = network._connection._stream.transport
    if transport is not None:
        transport.abort()


async def _until_sent(network: Network, outgoing: Outgoing, claim: Claim) -> Receipt:
    """Send as the relay does: ``TryLater`` unclaims the part that was claimed last."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await network.send(outgoing, claim)
            except TryLater:
                await asyncio.sleep(0.05)


async def test_what_was_claimed_in_an_earlier_life_is_found_in_the_archive(prosody: Prosody) -> None:
    """Killed between the write and the answer: the part is claimed, and its id is known all the same."""
    async with xmpp_world(prosody, component=True) as world:
        await world.founder.say(world.chat, "before")
        before = await world.log.wait(Said)
        first = await world.network.send(words(world, "said"), always)
        again, log = network_on(prosody, component=True), Log()
        await world.drop()
        world.xmpp._lasting._backoff.next = lambda: 3600.0  # type: ignore[method-assign]  # the old life does not come back
        running = asyncio.create_task(again.run(log))
        try:
            await patiently(lambda: again.open(world.chat, Place(before.id, 0)))

            async def never(_part: int) -> bool:
                return False

            second = await again.send(words(world, "said"), never)
            assert second == first
            assert texts(log) == []
        finally:
            running.cancel()
            await asyncio.wait([running])


async def test_a_server_that_fell_silent_is_left(prosody: Prosody) -> None:
    async with xmpp_world(prosody, component=True, alive=0.5) as world:
        world.server.process.signal(signal.SIGSTOP)
        try:
            await world.log.wait(Connection, lambda event: event.state is ConnectionState.LOST)
        finally:
            world.server.process.signal(signal.SIGCONT)
        await patiently(lambda: world.network.open(world.chat))


async def test_a_room_that_forgot_us_is_entered_again(prosody: Prosody) -> None:
    """A room may lose an occupant without telling them (XEP-0410): asked whether we are in, it says no."""
    async with xmpp_world(prosody, component=True, alive=0.5) as world:
        connection = world.xmpp._connection
        assert connection is not None
        room = world.xmpp._rooms.entered.pop(world.chat)  # what the room says meets nobody
        room.leave()
        await connection.awake()
        world.xmpp._rooms.entered[world.chat] = room
        await world.join("bob")
        await world.speak("bob", "while you were out")
        await world.log.wait(Said)
        await world.speak("bob", "and now")
        await world.log.wait(Said, lambda event: text(event) == "and now")
        assert texts(world.log) == ["while you were out", "and now"]


# --- the past ------------------------------------------------------------------------------------------------------------------


async def test_a_place_that_the_archive_does_not_know_is_found_by_its_time(world: XmppWorld) -> None:
    await world.join("bob")
    await world.speak("bob", "one")
    one = await world.log.wait(Said)
    await world.network.close(world.chat)
    await world.speak("bob", "two")
    mark = len(world.log.events)
    at = one.at if one.at is not None else 0
    await patiently(lambda: world.network.open(world.chat, Place(type(one.id)("gone"), at)))
    again = [event for event in world.log.events[mark:] if isinstance(event, Said)]
    await world.log.wait(Said, lambda event: text(event) == "two", after=mark)
    assert {event.id for event in again if text(event) == "one"} <= {one.id}


async def test_what_the_archive_did_not_answer_is_told_when_it_does(world: XmppWorld) -> None:
    """A correction whose original is looked for in the archive, while the connection breaks."""
    await world.join("bob")
    bob = world.people["bob"]
    await world.network.close(world.chat)
    said = await bob.say(world.chat, "helo", id="m1")
    for number in range(60):
        await bob.say(world.chat, f"filler {number}")
    await patiently(lambda: world.network.open(world.chat))
    room = world.xmpp._rooms.inside(world.chat)

    async def breaks(message: str) -> list[Archived]:
        _abort(world.xmpp)
        raise Unreachable

    room.archive.before = breaks  # type: ignore[method-assign]
    await bob.say(world.chat, "hello", more="<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>")
    assert (await world.log.wait(Edited)).target == stanza_id(said)


async def test_a_reaction_that_was_missed_is_told_also_where_the_place_is_a_time(world: XmppWorld) -> None:
    await world.join("bob")
    bob = world.people["bob"]
    said = await bob.say(world.chat, "good?")
    one = await world.log.wait(Said)
    await world.network.close(world.chat)
    likes = (
        f"<reactions xmlns='urn:xmpp:reactions:0' id='{stanza_id(said)}'><reaction>👍</reaction></reactions>"
    )
    await bob.put(world.chat, likes + "<store xmlns='urn:xmpp:hints'/>")
    at = one.at if one.at is not None else 0
    await patiently(lambda: world.network.open(world.chat, Place(RemoteMessageId("~made up"), at)))
    reacted = await world.log.wait(Reacted)
    assert (reacted.key, reacted.target) == ("👍", one.id)


async def test_a_correction_of_something_before_our_time_finds_it(world: XmppWorld) -> None:
    await world.join("bob")
    bob = world.people["bob"]
    await world.network.close(world.chat)
    said = await bob.say(world.chat, "helo", id="m1")
    for number in range(60):
        await bob.say(world.chat, f"filler {number}")
    await patiently(lambda: world.network.open(world.chat))
    await bob.say(world.chat, "hello", more="<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>")
    assert (await world.log.wait(Edited)).target == stanza_id(said)


async def test_a_room_without_an_archive_works_but_for_the_past(tmp_path: Path) -> None:
    async with Prosody(tmp_path, archive=False) as server, xmpp_world(server, component=True) as world:
        await world.join("bob")
        bob = world.people["bob"]
        await bob.say(world.chat, "helo", id="m1")
        await bob.say(world.chat, "hello", more="<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>")
        edited = await world.log.wait(Edited)
        said = await world.log.wait(Said)
        assert edited.target == said.id
        receipt = await world.network.send(words(world, "ours"), always)
        await bob.heard(world.chat, "ours")
        ((_, ours),) = receipt.messages
        await world.network.send(
            Outgoing("k2", world.chat, ALICE, Edit(ours, Message(spans("mine")))), always
        )
        replaces = (await bob.heard(world.chat, "mine")).find("{urn:xmpp:message-correct:0}replace")
        assert replaces is not None
        assert replaces.get("id") == (await bob.heard(world.chat, "ours")).get("id")
        reply = Reply(said.id, "bob", "hello")
        await world.network.send(
            Outgoing("k3", world.chat, ALICE, Say(Message(spans("hi"), reply=reply))), always
        )
        assert body_of(await bob.heard(world.chat, "hi")) == "> bob: hello\nhi"
        with pytest.raises(Invalid):
            await world.network.send(Outgoing("k4", world.chat, ALICE, React(said.id, "👍")), always)
        mark = len(world.log.events)
        await world.drop()
        await world.log.wait(Connection, lambda event: event.state is ConnectionState.LOST, after=mark)
        await patiently(lambda: world.network.open(world.chat))
        await world.speak("bob", "still here")
        await world.log.wait(Said, lambda event: text(event) == "still here")
        assert texts(world.log) == ["helo", "still here"]


# --- two rooms -------------------------------------------------------------------------------------------------------------------


async def test_rooms_do_not_wait_for_each_other(world: XmppWorld) -> None:
    other = ChatId(f"other-{world.chat}")
    await world.founder.join(other, "founder")
    await world.network.open(other)
    await world.founder.say(other, "over here")
    said = await world.log.wait(Said)
    assert (said.chat, said.person.name) == (other, "founder")
    await world.founder.say(world.chat, "and here")
    here = await world.log.wait(Said, lambda event: event.chat == world.chat)
    assert here.person.id != said.person.id
    receipt = await world.network.send(Outgoing("k1", other, ALICE, Say(Message(spans("hi")))), always)
    assert len(receipt.messages) == 1
    assert ROOMS in other
