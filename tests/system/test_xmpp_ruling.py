"""What the bridge may do to people in a room on Prosody, where it was made somebody there; and that it finds again what it sent."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bridge.message import Message, plain, spans
from bridge.networks.acts import Delete, Outgoing, Say
from bridge.networks.base import LooksUp
from bridge.networks.events import Joined, Left, Renamed, Role, Said
from bridge.networks.people import Bans, HasPictures, KnowsAccounts, Picture, PutsOut, SetsRoles
from embedded.jabber import XmppRefused, stanza_id
from embedded.prosody import Prosody
from embedded.waiting import eventually
from haven.errors import GiveUp, Refused
from haven.ids import RemoteMessageId, RemoteUserId
from tests.contracts.network import ALICE, always, patiently, words
from tests.system.xmpp_world import XmppWorld, xmpp_world

pytestmark = pytest.mark.system


@pytest.fixture(params=["component", "account"])
async def world(request: pytest.FixtureRequest, prosody: Prosody) -> AsyncIterator[XmppWorld]:
    async with xmpp_world(prosody, component=request.param == "component") as world:
        yield world


async def make_us(world: XmppWorld, affiliation: str) -> None:
    """The founder gives the bridge an affiliation, and it has heard of it."""
    assert world.xmpp._connection is not None
    address = world.xmpp._connection.address.partition("/")[0]
    await world.founder.affiliate(world.chat, address, affiliation)

    async def knows() -> bool:
        return world.xmpp._rooms.inside(world.chat).affiliation == affiliation

    await eventually(knows, "the bridge knows what it may")


async def bob(world: XmppWorld) -> RemoteUserId:
    await world.join("bob")
    return (await world.log.wait(Joined, lambda event: event.person.name == "bob")).person.id


async def test_it_can_what_the_ports_ask_for(world: XmppWorld) -> None:
    for port in (SetsRoles, PutsOut, Bans, KnowsAccounts, LooksUp, HasPictures):
        assert isinstance(world.network, port)


@pytest.mark.parametrize("affiliation", ["admin", "owner"])
async def test_people_become_operators_and_are_none_again(world: XmppWorld, affiliation: str) -> None:
    await make_us(world, affiliation)
    person = await bob(world)
    await world.xmpp.set_role(world.chat, person, Role.OPERATOR)
    await world.log.wait(
        Joined, lambda event: event.person.id == person and event.person.role is Role.OPERATOR
    )
    mark = len(world.log.events)
    await world.xmpp.set_role(world.chat, person, Role.MEMBER)
    await world.log.wait(
        Joined, lambda event: event.person.id == person and event.person.role is Role.MEMBER, after=mark
    )
    await world.xmpp.set_role(world.chat, person, Role.MEMBER)


async def test_without_the_right_it_is_refused(world: XmppWorld) -> None:
    person = await bob(world)
    acts: tuple[Callable[[], Awaitable[None]], ...] = (
        lambda: world.xmpp.set_role(world.chat, person, Role.OPERATOR),
        lambda: world.xmpp.put_out(world.chat, person),
        lambda: world.xmpp.ban(world.chat, person),
    )
    for act in acts:
        with pytest.raises(Refused) as refused:
            await act()
        assert refused.value.values["reason"] == "operators_only"


async def test_people_are_put_out_and_may_come_again(world: XmppWorld) -> None:
    await make_us(world, "admin")
    person = await bob(world)
    await world.xmpp.put_out(world.chat, person)
    await world.log.wait(Left, lambda event: event.person.id == person)
    await world.xmpp.put_out(world.chat, person)
    await world.people["bob"].join(world.chat, "bob")


async def test_people_are_banned_and_let_in_again(world: XmppWorld) -> None:
    await make_us(world, "admin")
    await world.network.close(world.chat)
    await patiently(lambda: world.network.open(world.chat))  # an admin sees who people are
    person = await bob(world)
    await world.xmpp.ban(world.chat, person)
    await world.log.wait(Left, lambda event: event.person.id == person)
    with pytest.raises(XmppRefused, match="forbidden"):
        await world.people["bob"].join(world.chat, "bob")
    await world.xmpp.unban(world.chat, person)
    await world.people["bob"].join(world.chat, "bob")


async def test_somebody_else_s_message_is_not_ours_to_take_back_where_the_room_has_no_moderation(
    world: XmppWorld,
) -> None:
    await bob(world)
    said = RemoteMessageId(stanza_id(await world.people["bob"].say(world.chat, "mine")))
    await world.log.wait(Said, lambda event: plain(event.message.text) == "mine")
    with pytest.raises(GiveUp):
        await world.network.send(Outgoing("k1", world.chat, ALICE, Delete(said)), always)
    await world.speak("bob", "still there")
    heard = await world.founder.heard(world.chat, "still there")
    retracts = [
        each
        for each in world.founder.received
        if each.find("{urn:xmpp:message-retract:1}retract") is not None
    ]
    assert retracts == []
    assert heard is not None


async def test_what_was_sent_is_found_and_what_was_not_is_not(world: XmppWorld) -> None:
    outgoing = words(world, "said")
    ((_, message),) = (await world.network.send(outgoing, always)).messages
    assert await world.xmpp.sent(outgoing, 0) == message
    assert await world.xmpp.sent(outgoing, 1) is None
    await world.network.close(world.chat)
    for number in range(60):
        await world.founder.say(world.chat, f"filler {number}")
    await patiently(lambda: world.network.open(world.chat))
    assert await world.xmpp.sent(outgoing, 0) == message
    assert await world.xmpp.sent(words(world, "said", "k2"), 0) is None


async def test_members_are_who_they_are_there(prosody: Prosody) -> None:
    async with xmpp_world(prosody, component=True) as world:
        await make_us(world, "owner")
        await world.network.send(Outgoing("k1", world.chat, ALICE, Say(Message(spans("hi")))), always)
        ((user, person),) = await world.xmpp.accounts(world.chat)
        assert (user, person.name, person.role) == (ALICE.user, "Alice", Role.MEMBER)
        await world.xmpp.set_role(world.chat, person.id, Role.OPERATOR)

        async def rules() -> bool:
            ((_, now),) = await world.xmpp.accounts(world.chat)
            return now.role is Role.OPERATOR and now.id == person.id

        await eventually(rules, "Alice is an operator there, too")


async def test_people_have_the_pictures_of_their_cards(world: XmppWorld) -> None:
    person = await bob(world)
    await world.people["bob"].show_picture(world.chat, b"not really a png", "image/png")
    shown = await world.log.wait(Renamed, lambda event: event.person.id == person)
    assert shown.person.picture
    assert await world.xmpp.picture(shown.person) == Picture(b"not really a png", "image/png")
    # A picture that is another one by now is not taken for the one that was said.
    await world.people["bob"].show_picture(world.chat, b"another", "image/png")
    assert await world.xmpp.picture(shown.person) is None
    again = await world.log.wait(Renamed, lambda event: event.person.picture != shown.person.picture)
    assert await world.xmpp.picture(again.person) == Picture(b"another", "image/png")
