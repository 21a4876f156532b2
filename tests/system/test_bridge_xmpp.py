"""The bridge between a real Synapse and a real Prosody, as operators and members meet it: a component, whose occupants are the members."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from embedded.bridge import Bridge
from embedded.jabber import Jabber, body_of, sender, stanza_id
from embedded.matrix import Event
from embedded.person import Person
from embedded.prosody import COMPONENT, ROOMS, SECRET, Prosody, prosody_program
from embedded.synapse import Synapse
from embedded.waiting import eventually
from tests.system.bridge_world import MEMORY
from tests.system.linked_room import DOMAIN, LinkedRoom

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(240),
    pytest.mark.skipif(prosody_program() is None, reason="prosody is not installed"),
]
ROOM = f"fathers@{ROOMS}"


@dataclass(slots=True)
class Here(LinkedRoom):
    """All that runs. ``alice`` is at home on Matrix; ``oscar`` owns the room of XMPP, where ``bob`` is too."""

    synapse: Synapse
    prosody: Prosody
    bridge: Bridge
    alice: Person
    oscar: Jabber
    bob: Jabber
    room: str
    network: str = "xmpp"
    chat: str = ROOM


@pytest.fixture(scope="module")
async def here() -> AsyncIterator[Here]:
    async with AsyncExitStack() as stack:
        where = MEMORY if MEMORY.is_dir() else None
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="haven-xmpp-", dir=where)))
        prosody = await stack.enter_async_context(Prosody(place / "prosody"))
        synapse = Synapse(place / "synapse")
        settings = {
            "component": COMPONENT,
            "secret": SECRET,
            "port": prosody.component_port,
            "rate": 1000,
            "burst": 1000,
            "retry_least": 0.1,
            "retry_most": 1,
        }
        media = {"trusted_hosts": [f"{prosody.host}:{prosody.web_port}", prosody.host]}
        bridge = Bridge(
            place / "bridge", synapse.url, DOMAIN, {"xmpp": settings}, {"log": "debug", "media": media}
        )
        made = await bridge.command("registration")
        assert made.status == 0, made.err
        synapse.appservices.append(bridge.registration)
        await stack.enter_async_context(synapse)
        alice = await synapse.register("alice")
        await alice.set_displayname("Alice")
        room = await alice.create_room(name="Fathers")
        oscar = await stack.enter_async_context(await prosody.connect("oscar"))
        bob = await stack.enter_async_context(await prosody.connect("bob"))
        for person, nick in ((oscar, "oscar"), (bob, "bob")):
            await person.join(ROOM, nick)
        await oscar.configure(ROOM, changesubject="1")
        await stack.enter_async_context(bridge)
        yield Here(synapse, prosody, bridge, alice, oscar, bob, room)


async def test_a_check_says_that_all_is_well(here: Here) -> None:
    """While the bridge runs its component is taken: an account is tried here."""
    settings = {
        "account": here.prosody.account("haven"),
        "password": "secret",
        "host": here.prosody.host,
        "port": here.prosody.port,
        "tls": False,
    }
    other = Bridge(here.bridge.directory / "check", here.synapse.url, DOMAIN, {"xmpp": settings})
    await other.command("registration")
    checked = await other.command("check")
    assert "xmpp: fine" in checked.out, checked.out + checked.err
    other.configuration["networks"]["xmpp"]["password"] = "wrong"
    checked = await other.command("check")
    assert "The network does not accept the account" in checked.out + checked.err
    assert checked.status != 0


async def test_a_link_is_proven_by_an_operator_and_then_carries_both_ways(here: Here) -> None:
    await here.ask_for_link()
    code = str((await here.status("proof"))["code"])
    await here.bob.say(ROOM, code)
    await here.bob.heard(ROOM, "Only an operator of this chat can confirm the link.")
    await here.oscar.say(ROOM, code)
    await here.status("linked")
    await here.bob.say(ROOM, "hello *Matrix*")
    (hello,) = await here.texts(1, lambda event: event.body == "hello Matrix")
    assert hello.content["formatted_body"] == "hello <strong>Matrix</strong>"
    assert hello.sender.startswith("@_haven_xmpp_")
    assert (await here.alice.members(here.room))[hello.sender].displayname == "bob (xmpp)"
    await here.alice.say(here.room, "hello XMPP")
    heard = await here.bob.heard(ROOM, "hello XMPP")
    assert (sender(heard)[1], body_of(heard)) == ("Alice", "hello XMPP")


async def test_replies_edits_deletions_and_reactions_go_both_ways_as_what_they_are(here: Here) -> None:
    question = await here.bob.say(ROOM, "who brings the cake?", id="q1")
    (asked,) = await here.texts(1, lambda event: event.body == "who brings the cake?")
    answer = await here.alice.reply(here.room, asked.id, "I do")
    heard = await here.bob.heard(ROOM, "I do")
    reply = heard.find("{urn:xmpp:reply:0}reply")
    assert reply is not None
    assert reply.get("id") == stanza_id(question)

    await here.alice.edit(here.room, answer, "We do")
    edited = await here.bob.heard(ROOM, "We do")
    replaces = edited.find("{urn:xmpp:message-correct:0}replace")
    assert replaces is not None
    assert replaces.get("id") == heard.get("id")
    reaction = await here.alice.react(here.room, asked.id, "🎂")
    await here.bob.wait_for(lambda stanza: _reacts(stanza) == (stanza_id(question), ["🎂"]))
    await here.alice.redact(here.room, reaction)
    await here.bob.wait_for(lambda stanza: _reacts(stanza) == (stanza_id(question), []))
    await here.alice.redact(here.room, answer)
    await here.bob.wait_for(lambda stanza: _retracts(stanza) == stanza_id(heard))

    await here.bob.say(
        ROOM, "who brings a cake?", more="<replace xmlns='urn:xmpp:message-correct:0' id='q1'/>"
    )
    (edit,) = await here.texts(1, lambda event: "who brings a cake?" in event.body)
    assert edit.content["m.relates_to"] == {"rel_type": "m.replace", "event_id": asked.id}
    likes = "<reactions xmlns='urn:xmpp:reactions:0' id='{}'>{}</reactions><store xmlns='urn:xmpp:hints'/>"
    await here.bob.put(ROOM, likes.format(stanza_id(question), "<reaction>👍</reaction>"))
    thumb = await here.alice.wait_for(
        here.room, lambda event: event.type == "m.reaction" and _key(event) == "👍"
    )
    await here.bob.put(ROOM, likes.format(stanza_id(question), ""))
    await here.alice.wait_for(here.room, lambda event: _redacts(event) == thumb.id)
    taken = "<retract xmlns='urn:xmpp:message-retract:1' id='{}'/><store xmlns='urn:xmpp:hints'/>"
    await here.bob.put(ROOM, taken.format(stanza_id(question)))
    await here.alice.wait_for(here.room, lambda event: _redacts(event) == asked.id)


def _reacts(stanza: ET.Element) -> tuple[str, list[str]] | None:
    reactions = stanza.find("{urn:xmpp:reactions:0}reactions")
    if reactions is None or sender(stanza)[1] != "Alice":
        return None
    return reactions.get("id", ""), [reaction.text or "" for reaction in reactions]


def _retracts(stanza: ET.Element) -> str:
    retract = stanza.find("{urn:xmpp:message-retract:1}retract")
    return retract.get("id", "") if retract is not None else ""


def _key(event: Event) -> str:
    return str(event.content.get("m.relates_to", {}).get("key", ""))


def _redacts(event: Event) -> object:
    return event.content.get("redacts") if event.type == "m.room.redaction" else None


async def test_the_topic_goes_both_ways(here: Here) -> None:
    await here.oscar.subject(ROOM, "Tomorrow at eight")
    await here.alice.wait_for(
        here.room,
        lambda event: event.type == "m.room.topic" and event.content["topic"] == "Tomorrow at eight",
    )
    await here.alice.send_state(here.room, "m.room.topic", {"topic": "Not before nine"})
    await here.oscar.wait_for(lambda stanza: stanza.findtext("{jabber:client}subject") == "Not before nine")


async def test_a_picture_goes_both_ways(here: Here) -> None:
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f0300050001"
        "5ae0a1400000000049454e44ae426082"
    )
    mxc = await _stored(here.alice, png)
    content = {
        "msgtype": "m.image",
        "body": "cat.png",
        "url": mxc,
        "info": {"mimetype": "image/png", "size": len(png)},
    }
    await here.alice.send(here.room, content)
    heard = await here.bob.heard(ROOM, "cat.png")
    url = heard.findtext("{jabber:x:oob}x/{jabber:x:oob}url", "")
    assert (sender(heard)[1], body_of(heard)) == ("Alice", url)
    await here.bob.say(ROOM, url, more=f"<x xmlns='jabber:x:oob'><url>{url}</url></x>")
    (picture,) = await here.texts(
        1, lambda event: event.content.get("msgtype") == "m.image" and event.sender != here.alice.user_id
    )
    assert picture.content["url"].startswith(f"mxc://{DOMAIN}/")
    assert (picture.content["info"]["mimetype"], picture.content["info"]["size"]) == ("image/png", len(png))


async def _stored(who: Person, png: bytes) -> str:
    """Put a picture into the homeserver's store; its address."""
    account = who.account
    headers = {"Authorization": f"Bearer {account.token}", "Content-Type": "image/png"}
    where = f"{account.url}/_matrix/media/v3/upload"
    async with account.session.post(where, data=png, headers=headers) as answer:
        return str((await answer.json())["content_uri"])


async def test_what_is_said_while_the_bridge_is_dead_comes_later_once_and_in_order(here: Here) -> None:
    await here.bob.say(ROOM, "n 0")
    await here.texts(1, lambda event: event.body == "n 0")
    await here.bridge.kill()
    for number in range(1, 8):
        await here.bob.say(ROOM, f"n {number}")
        await here.alice.say(here.room, f"m {number}")
    await here.bridge.start()
    await here.texts(8, lambda event: event.body.startswith("n "))
    await here.bob.heard(ROOM, "m 7")
    await here.bob.say(ROOM, "n 8")
    told = await here.texts(9, lambda event: event.body.startswith("n "))
    assert [event.body for event in told] == [f"n {number}" for number in range(9)]
    heard = [body_of(each) for each in here.bob.said(ROOM) if body_of(each).startswith("m ")]
    assert heard == [f"m {number}" for number in range(1, 8)]
    assert not [
        event
        for event in await here.history()
        if event.body.startswith("m ") and event.sender != here.alice.user_id
    ]


async def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(here: Here) -> None:
    """Also a message that was on its way in the instant of the kill: whether it arrived stands in the room's archive."""
    dice = random.Random(45)
    for life in range(4):
        for number in range(6):
            await here.alice.say(here.room, f"k {life} {number}")
            await here.bob.say(ROOM, f"l {life} {number}")
        await asyncio.sleep(dice.uniform(0.0, 0.4))  # anywhere in its work
        await here.bridge.kill()
        await here.bridge.start()
    expected = [f"{life} {number}" for life in range(4) for number in range(6)]
    await here.alice.say(here.room, "k the end")
    await here.bob.say(ROOM, "l the end")
    await here.bob.heard(ROOM, "k the end")
    await here.texts(1, lambda event: event.body == "l the end")
    heard = [body_of(each)[2:] for each in here.bob.said(ROOM) if body_of(each).startswith("k ")]
    told = [event.body[2:] for event in await here.history() if event.body.startswith("l ")]
    assert heard == [*expected, "the end"]
    assert told == [*expected, "the end"]


async def test_the_server_goes_and_comes_back(here: Here) -> None:
    await here.prosody.kill()
    await here.status("broken")
    await here.alice.say(here.room, "while you were away")
    await here.prosody.start()
    here.bob = await here.prosody.connect("bob")
    await here.bob.join(ROOM, "bob")
    await here.status("linked")
    await here.bob.heard(ROOM, "while you were away")
    await here.bob.say(ROOM, "back again")
    await here.texts(1, lambda event: event.body == "back again")
    await here.bob.aclose()


async def test_who_is_put_out_sees_it_in_the_room(here: Here) -> None:
    here.oscar = await here.prosody.connect("oscar")
    await here.oscar.join(ROOM, "oscar")
    await here.oscar.give_role(ROOM, "haven", "none")
    status = await here.status("broken")
    assert status["reason"] == "removed"
    await here.oscar.aclose()


async def test_no_address_stands_in_the_log_nor_in_what_matrix_sees(here: Here) -> None:
    async def written() -> bool:
        return "xmpp" in here.bridge.log()

    await eventually(written, "the bridge has logged something")
    log = here.bridge.log()
    events = str([event.content for event in await here.history()]) + str(await here.alice.members(here.room))
    for secret in (f"bob@{DOMAIN}", f"oscar@{DOMAIN}", SECRET, "who brings the cake", "n 3"):
        assert secret not in log
    for address in (f"bob@{DOMAIN}", f"oscar@{DOMAIN}"):
        assert address not in events
