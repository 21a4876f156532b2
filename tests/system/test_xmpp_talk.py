"""What people and members say to each other in a room of XMPP, on Prosody: corrected, taken back, answered, reacted to; and whose it is."""

from collections.abc import AsyncIterator
from xml.etree import ElementTree as ET

import aiohttp
import pytest

from bridge.message import Attachment, Kind, Message, Reply, Style, plain, spans
from bridge.networks.acts import Act, Delete, Edit, Outgoing, React, Say, Sender
from bridge.networks.events import Deleted, Edited, Reacted, Said
from bridge.networks.media import Body
from bridge.networks.xmpp_xml import fit
from embedded.jabber import Jabber, body_of, sender, stanza_id
from embedded.prosody import Prosody
from embedded.waiting import eventually
from haven.errors import Invalid, RateLimited, Refused
from haven.ids import RemoteMessageId, UserId
from tests.contracts.network import ALICE, always, pieces
from tests.system.xmpp_world import XmppWorld, xmpp_world

pytestmark = pytest.mark.system

BEN = Sender(UserId("@ben:example.org"), "Ben")
REPLACE = "<replace xmlns='urn:xmpp:message-correct:0' id='{}'/>"
RETRACT = "<retract xmlns='urn:xmpp:message-retract:1' id='{}'/><store xmlns='urn:xmpp:hints'/>"
REACTIONS = "<reactions xmlns='urn:xmpp:reactions:0' id='{}'>{}</reactions><store xmlns='urn:xmpp:hints'/>"


@pytest.fixture(params=["component", "account"])
async def world(request: pytest.FixtureRequest, prosody: Prosody) -> AsyncIterator[XmppWorld]:
    async with xmpp_world(prosody, component=request.param == "component") as world:
        yield world


@pytest.fixture
async def bob(world: XmppWorld) -> Jabber:
    await world.join("bob")
    return world.people["bob"]


def text(event: Said | Edited) -> str:
    return plain(event.message.text)


async def do(world: XmppWorld, key: str, act: Act, who: Sender = ALICE) -> RemoteMessageId:
    """Have something done by a member; the room's id of it."""
    receipt = await world.network.send(Outgoing(key, world.chat, who, act), always)
    ((part, message),) = receipt.messages
    assert part == 0
    return message


def words(said: str) -> Say:
    return Say(Message(spans(said)))


def all_of(world: XmppWorld, kind: type[Said] | type[Edited] | type[Deleted] | type[Reacted]) -> int:
    return sum(isinstance(event, kind) for event in world.log.events)


async def test_a_message_is_known_by_the_room_s_id(world: XmppWorld, bob: Jabber) -> None:
    said = await bob.say(world.chat, "hello", id="chosen")
    heard = await world.log.wait(Said)
    assert heard.id == stanza_id(said)
    assert heard.person.name == "bob"
    assert "bob" not in heard.person.id
    assert "@" not in heard.person.id


async def test_people_correct_what_they_said(world: XmppWorld, bob: Jabber) -> None:
    said = await bob.say(world.chat, "helo", id="m1")
    await bob.say(world.chat, "hello", more=REPLACE.format("m1"))
    edited = await world.log.wait(Edited)
    assert (edited.target, text(edited)) == (stanza_id(said), "hello")
    await bob.say(world.chat, "hello!", more=REPLACE.format("m1"))
    again = await world.log.wait(Edited, lambda event: text(event) == "hello!")
    assert again.target == stanza_id(said)


async def test_nobody_edits_somebody_else_s_message_by_choosing_its_id(world: XmppWorld, bob: Jabber) -> None:
    await world.join("eve")
    eve = world.people["eve"]
    ours = await do(world, "k1", words("from Matrix"))
    heard = await bob.heard(world.chat, "from Matrix")
    said = await bob.say(world.chat, "I owe eve 1 euro", id="m1")
    await eve.say(world.chat, "mine", id="m1")
    await eve.say(world.chat, "I owe eve 1000 euros", more=REPLACE.format("m1"))
    edited = await world.log.wait(Edited)
    mine = await world.log.wait(Said, lambda event: text(event) == "mine")
    assert edited.target == mine.id != stanza_id(said)
    # An id that she never used is nobody's of hers: what she says is new, and hers.
    await eve.say(world.chat, "Matrix said so", more=REPLACE.format(heard.get("id")))
    new = await world.log.wait(Said, lambda event: text(event) == "Matrix said so")
    assert new.person == mine.person
    assert {event.target for event in world.log.events if isinstance(event, Edited)} == {mine.id} != {ours}


async def test_a_forged_id_of_the_room_is_not_believed(world: XmppWorld, bob: Jabber) -> None:
    first = await bob.say(world.chat, "first")
    forged = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{world.chat}' id='{stanza_id(first)}'/>"
    occupant = "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='somebody else'/>"
    await bob.say(world.chat, "second", more=forged + occupant)
    one = await world.log.wait(Said, lambda event: text(event) == "first")
    two = await world.log.wait(Said, lambda event: text(event) == "second")
    assert one.id != two.id
    assert one.person == two.person


async def test_people_take_back_their_own_and_only_that(world: XmppWorld, bob: Jabber) -> None:
    await world.join("eve")
    said = stanza_id(await bob.say(world.chat, "oops"))
    await world.people["eve"].put(world.chat, RETRACT.format(said))
    await bob.put(world.chat, RETRACT.format(said))
    await bob.say(world.chat, "after")
    await world.log.wait(Said, lambda event: text(event) == "after")
    deleted = [event for event in world.log.events if isinstance(event, Deleted)]
    assert [(event.target, event.person.name) for event in deleted] == [(said, "bob")]


async def test_people_react_and_change_their_minds(world: XmppWorld, bob: Jabber) -> None:
    ours = await do(world, "k1", words("good?"))
    thumb, heart = "<reaction>👍</reaction>", "<reaction>❤️</reaction>"
    for keys in (thumb, thumb + heart, heart, ""):
        await bob.put(world.chat, REACTIONS.format(ours, keys))
    await bob.say(world.chat, "after")
    await world.log.wait(Said, lambda event: text(event) == "after")
    reacted = [event for event in world.log.events if isinstance(event, Reacted)]
    assert [(event.key, event.removed) for event in reacted] == [
        ("👍", False),
        ("❤️", False),
        ("👍", True),
        ("❤️", True),
    ]
    assert {(event.target, event.person.name) for event in reacted} == {(ours, "bob")}
    assert len({event.id for event in reacted}) == 4


async def test_people_answer_and_the_quote_is_left_out(world: XmppWorld, bob: Jabber) -> None:
    ours = await do(world, "k1", words("who comes?"))
    quote = "> who comes?\n"
    more = (
        f"<reply xmlns='urn:xmpp:reply:0' id='{ours}'/>"
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>"
        f"<body start='0' end='{len(quote)}'/></fallback>"
    )
    await bob.say(world.chat, f"{quote}I do", more=more)
    said = await world.log.wait(Said)
    assert (text(said), said.message.reply) == ("I do", Reply(ours))


async def test_people_send_files_and_act_and_style(world: XmppWorld, bob: Jabber) -> None:
    url = "https://files.example.org/abc/my%20cat.png"
    await bob.say(world.chat, url, more=f"<x xmlns='jabber:x:oob'><url>{url}</url></x>")
    await bob.say(world.chat, "/me waves")
    await bob.say(world.chat, "this is *important*")
    file = await world.log.wait(Said, lambda event: bool(event.message.attachments))
    acts = await world.log.wait(Said, lambda event: event.message.kind is Kind.ACTION)
    styled = await world.log.wait(Said, lambda event: text(event) == "this is important")
    assert [(each.name, each.url, each.media_type) for each in file.message.attachments] == [
        ("my cat.png", url, "image/png")
    ]
    assert text(acts) == "waves"
    assert styled.message.text[-1].styles == {Style.BOLD}


async def test_members_correct_take_back_answer_and_react(world: XmppWorld, bob: Jabber) -> None:
    question = stanza_id(await bob.say(world.chat, "who comes?"))
    name = "haven" if not world.network.capabilities.sends_as_person else "Alice"
    reply = Reply(RemoteMessageId(question), "bob", "who comes?")
    ours = await do(world, "k1", Say(Message(spans("I do"), reply=reply)))
    heard = await bob.heard(world.chat, "I do")
    assert (sender(heard)[1], body_of(heard)) == (name, "> bob: who comes?\nI do")
    answers = heard.find("{urn:xmpp:reply:0}reply")
    assert answers is not None
    assert answers.get("id") == question
    assert stanza_id(heard) == ours

    await do(world, "k2", Edit(ours, Message(spans("I don't"))))
    edit = await bob.heard(world.chat, "I don't")
    replaces = edit.find("{urn:xmpp:message-correct:0}replace")
    assert replaces is not None
    assert (replaces.get("id"), sender(edit)[1]) == (heard.get("id"), name)

    await do(world, "k3", React(RemoteMessageId(question), "👍"))
    await do(world, "k4", React(RemoteMessageId(question), "🎉"))
    await do(world, "k5", React(RemoteMessageId(question), "👍", removed=True))
    seen = [await _reactions(bob, number) for number in (1, 2, 3)]
    assert [keys for _, keys in seen] == [{"👍"}, {"👍", "🎉"}, {"🎉"}]
    assert {target for target, _ in seen} == {question}

    await do(world, "k6", Delete(ours))
    retract = await bob.wait_for(
        lambda stanza: stanza.find("{urn:xmpp:message-retract:1}retract") is not None
    )
    retraction = retract.find("{urn:xmpp:message-retract:1}retract")
    assert retraction is not None
    assert (retraction.get("id"), sender(retract)[1]) == (ours, name)
    assert not any(isinstance(event, Edited | Deleted | Reacted) for event in world.log.events)


async def _reactions(who: Jabber, number: int) -> tuple[str, set[str | None]]:
    """The set of reactions in the message that comes as this number."""
    found: list[ET.Element] = []

    def is_it(stanza: ET.Element) -> bool:
        found[:] = [each for one in who.received for each in one.findall("{urn:xmpp:reactions:0}reactions")]
        return len(found) >= number

    await who.wait_for(is_it)
    element = found[number - 1]
    return element.get("id", ""), {reaction.text for reaction in element}


async def test_members_of_one_account_share_its_reactions(prosody: Prosody) -> None:
    async with xmpp_world(prosody, component=False) as world:
        await world.join("bob")
        bob = world.people["bob"]
        question = RemoteMessageId(stanza_id(await bob.say(world.chat, "good?")))
        await do(world, "k1", React(question, "👍"), ALICE)
        await do(world, "k2", React(question, "👍"), BEN)
        await do(world, "k3", React(question, "👍", removed=True), ALICE)
        await do(world, "k4", React(question, "👍", removed=True), BEN)
        assert [(await _reactions(bob, number))[1] for number in (1, 2, 3, 4)] == [
            {"👍"},
            {"👍"},
            {"👍"},
            set(),
        ]


async def test_a_message_may_hold_what_xml_cannot(world: XmppWorld, bob: Jabber) -> None:
    odd = "a\x00b\x0bc\ufffe <&>'\" ]]> \U0001f600"
    await do(world, "k1", words(odd))
    assert body_of(await bob.heard(world.chat, "<&>")) == fit(odd) == "abc <&>'\" ]]> \U0001f600"


async def test_long_messages_and_files_are_parts(world: XmppWorld, bob: Jabber) -> None:
    url = "https://files.example.org/cat.png"
    long = "ä" * 20_000
    message = Message(spans(long), attachments=(Attachment("cat.png", url, "image/png"),))
    receipt = await world.network.send(Outgoing("k1", world.chat, ALICE, Say(message)), always)
    assert [part for part, _ in receipt.messages] == [0, 1, 2]
    file = await bob.heard(world.chat, url)
    assert file.findtext("{jabber:x:oob}x/{jabber:x:oob}url") == url
    said = [body_of(each) for each in bob.said(world.chat)]
    assert "".join(said[:2]) == long


async def test_files_are_put_where_everybody_can_fetch_them(world: XmppWorld) -> None:
    await eventually(lambda: _can_take_files(world), "the service for files was found")
    data = bytes(range(256)) * 8192  # two MiB
    url = await world.xmpp.upload(
        world.chat, Attachment("my cat.png", "", "image/png", len(data)), pieces(data)
    )
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", data)


async def test_a_file_that_is_too_large_or_of_unknown_size_is_refused(world: XmppWorld) -> None:
    await eventually(lambda: _can_take_files(world), "the service for files was found")
    most = world.network.capabilities.media_bytes
    assert most is not None
    with pytest.raises(Refused):
        await world.xmpp.upload(world.chat, Attachment("cat.png", "", "image/png", most + 1), pieces(b""))
    with pytest.raises(Invalid):
        await world.xmpp.upload(world.chat, Attachment("cat.png", "", "image/png"), pieces(b"x"))


async def test_what_goes_wrong_with_the_bytes_is_told_as_it_is(world: XmppWorld) -> None:
    await eventually(lambda: _can_take_files(world), "the service for files was found")

    async def broken() -> Body:
        yield b"x"
        raise RateLimited(7)

    with pytest.raises(RateLimited):
        await world.xmpp.upload(world.chat, Attachment("cat.png", "", "image/png", 10), broken())


async def _can_take_files(world: XmppWorld) -> bool:
    return bool(world.network.capabilities.media)
