"""Matrix members as occupants of a room on Prosody: each under their own nick, never taken for somebody else, gone when they are silent."""

import asyncio
from collections.abc import AsyncIterator
from xml.etree import ElementTree as ET

import pytest

from bridge.message import Message, plain, spans
from bridge.networks.acts import Outgoing, Say, Sender
from bridge.networks.base import ListsMembers
from bridge.networks.events import Joined, Said
from embedded.jabber import MUC_USER, Jabber, body_of, sender
from embedded.prosody import COMPONENT, Prosody
from embedded.waiting import eventually
from haven.errors import Refused
from haven.ids import ChatId, UserId
from tests.contracts.network import always, patiently
from tests.system.xmpp_world import XmppWorld, network_on, xmpp_world

pytestmark = pytest.mark.system


@pytest.fixture
async def world(prosody: Prosody) -> AsyncIterator[XmppWorld]:
    async with xmpp_world(prosody, component=True) as world:
        yield world


def member(name: str, user: str = "") -> Sender:
    return Sender(UserId(f"@{user or name.lower()}:example.org"), name)


async def say(world: XmppWorld, who: Sender, text: str) -> None:
    await world.network.send(
        Outgoing(f"{who.user} {text}", world.chat, who, Say(Message(spans(text)))), always
    )


async def nick_of(world: XmppWorld, text: str) -> str:
    return sender(await world.founder.heard(world.chat, text))[1]


async def test_each_member_speaks_under_their_own_nick(world: XmppWorld) -> None:
    await say(world, member("Alice"), "one")
    await say(world, member("Ben 🎈"), "two")
    await say(world, member("<@eve> \u202e"), "three")
    await say(world, member("\u200b🎈"), "four")
    assert [await nick_of(world, text) for text in ("one", "two", "three", "four")] == [
        "Alice",
        "Ben",
        "‹@eve›",
        "Matrix",
    ]
    assert not [event for event in world.log.events if isinstance(event, Said)]


async def test_a_nick_that_is_taken_gets_a_number(world: XmppWorld) -> None:
    await world.join("Alice")
    await say(world, member("Alice"), "one")
    await say(world, member("Alice", "alice2"), "two")
    await world.speak("Alice", "I was first")
    said = await world.log.wait(Said)
    assert plain(said.message.text) == "I was first"
    assert [await nick_of(world, text) for text in ("one", "two")] == ["Alice 2", "Alice 3"]


async def test_a_nick_that_looks_free_to_us_may_be_taken_all_the_same(world: XmppWorld) -> None:
    """Somebody reserved it who is not there (XEP-0045 section 7.10)."""
    ann = await world.server.connect("ann")
    await world.founder.affiliate(world.chat, ann.address, "member")
    form = (
        "<x xmlns='jabber:x:data' type='submit'>"
        "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field>"
        "<field var='muc#register_roomnick'><value>Alice</value></field></x>"
    )
    await ann.ask("set", f"<query xmlns='jabber:iq:register'>{form}</query>", world.chat)
    await say(world, member("Alice"), "one")
    assert await nick_of(world, "one") == "Alice 2"
    await ann.aclose()


async def test_who_is_renamed_changes_their_nick(world: XmppWorld) -> None:
    await say(world, member("Alice"), "one")
    await say(world, member("Alicia", "alice"), "two")
    assert [await nick_of(world, text) for text in ("one", "two")] == ["Alice", "Alicia"]
    changed = await world.founder.wait_for(
        lambda stanza: any(status.get("code") == "303" for status in stanza.iter(f"{MUC_USER}status"))
    )
    assert sender(changed) == (world.chat, "Alice")


async def test_members_are_nobody_that_the_network_tells_of(world: XmppWorld) -> None:
    await say(world, member("Alice"), "one")
    await world.join("bob")
    await world.log.wait(Joined, lambda event: event.person.name == "bob")
    assert isinstance(world.network, ListsMembers)
    names = {person.name for person in await world.network.members(world.chat)}
    assert names == {"founder", "bob"}
    told = {event.person.name for event in world.log.events if isinstance(event, Joined)}
    assert told == {"founder", "bob"}


async def test_the_address_of_a_member_tells_nothing_of_them(world: XmppWorld) -> None:
    await say(world, member("Alice"), "one")
    seen = await world.founder.wait_for(lambda stanza: sender(stanza) == (world.chat, "Alice"))
    addresses = {item.get("jid", "") for item in seen.iter(f"{MUC_USER}item")}
    assert addresses
    assert all(address.endswith(f"@{COMPONENT}/haven") for address in addresses)
    assert not [address for address in addresses if "alice" in address or "example" in address]


async def test_who_is_silent_leaves_and_comes_again(prosody: Prosody) -> None:
    async with xmpp_world(prosody, component=True, idle=0.5) as world:
        await say(world, member("Alice"), "one")
        await _leaves(world.founder, world.chat, "Alice")
        await say(world, member("Alice"), "two")
        assert await nick_of(world, "two") == "Alice"


async def _leaves(who: Jabber, chat: ChatId, nick: str) -> ET.Element:
    return await who.wait_for(
        lambda stanza: stanza.get("type") == "unavailable" and sender(stanza) == (chat, nick)
    )


async def test_who_is_put_out_stays_out_and_the_others_go_on(world: XmppWorld) -> None:
    await say(world, member("Alice"), "one")
    await say(world, member("Ben"), "two")
    await world.founder.give_role(world.chat, "Alice", "none")
    await _leaves(world.founder, world.chat, "Alice")
    with pytest.raises(Refused):
        await patiently_refused(world, member("Alice"), "three")
    await say(world, member("Ben"), "four")
    assert await nick_of(world, "four") == "Ben"
    assert not [each for each in world.founder.said(world.chat) if body_of(each) == "three"]


async def patiently_refused(world: XmppWorld, who: Sender, text: str) -> None:
    await patiently(lambda: say(world, who, text))


async def test_who_has_no_voice_is_told_so(world: XmppWorld) -> None:
    await say(world, member("Alice"), "one")
    await world.founder.give_role(world.chat, "Alice", "visitor")
    with pytest.raises(Refused) as refused:
        await say(world, member("Alice"), "two")
    assert refused.value.values["reason"] == "no_voice"


async def test_where_members_are_not_let_in_the_bridge_speaks_for_them(world: XmppWorld) -> None:
    await world.founder.affiliate(world.chat, f"haven@{COMPONENT}", "member")
    await world.founder.configure(world.chat, membersonly="1")
    await say(world, member("Alice"), "one")
    heard = await world.founder.heard(world.chat, "one")
    assert (sender(heard)[1], body_of(heard)) == ("haven", "<Alice> one")


async def test_a_bridge_that_is_an_admin_lets_its_members_in(world: XmppWorld) -> None:
    await world.founder.affiliate(world.chat, f"haven@{COMPONENT}", "admin")
    await world.founder.configure(world.chat, membersonly="1")
    await say(world, member("Alice"), "one")
    assert await nick_of(world, "one") == "Alice"


async def test_who_was_there_in_an_earlier_life_is_no_stranger(prosody: Prosody) -> None:
    """The room still has the occupants of a bridge that was killed."""
    async with xmpp_world(prosody, component=True) as world:
        await say(world, member("Alice"), "one")
        await say(world, member("Ben"), "two")
        await world.drop()
        again = network_on(prosody, component=True)
        events: list[object] = []

        async def receive(event: object) -> None:
            events.append(event)

        world.xmpp._lasting._backoff.next = lambda: 3600.0  # type: ignore[method-assign]  # the old life does not come back
        running = asyncio.create_task(again.run(receive))
        try:
            await patiently(lambda: again.open(world.chat))
            await again.send(
                Outgoing("k9", world.chat, member("Alice"), Say(Message(spans("three")))), always
            )
            assert await nick_of(world, "three") == "Alice"
            await _leaves(world.founder, world.chat, "Ben")
            await patiently_members(again, world.chat)
            assert not [event for event in events if isinstance(event, Said)]
        finally:
            running.cancel()
            await asyncio.wait([running])


async def patiently_members(network: ListsMembers, chat: ChatId) -> None:
    async def alone() -> bool:
        return {person.name for person in await network.members(chat)} == {"founder"}

    await eventually(alone, "only the founder is there")
