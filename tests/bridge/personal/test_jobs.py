"""Whose an item of the inbox is, and how somebody is taken out of what others said."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bridge.message import Mention, Message, Reply, Span, spans
from bridge.networks.events import ChatEvent, Event, Joined, Person, Reacted, Said
from bridge.personal.jobs import Job, Subject, names, said_by, without
from bridge.spelling import read, spell
from haven.ids import ChatId, Network, RemoteMessageId, RemoteUserId, UserId

CHAT, MEMORY = ChatId("fathers"), Network("memory")
ANA = Subject(UserId("@ana:haven.test"))
BOB = Subject(UserId("@_haven_memory_bob:haven.test"), MEMORY, RemoteUserId("bob"))
BOBS = Person(RemoteUserId("bob"), "Bob")
BEN = Person(RemoteUserId("ben"), "Ben")


def inwards(event: Event, network: str = "memory") -> Job:
    return {"to": "matrix", "link": ["!room", network, CHAT], "event": spell(event)}


def outwards(sender: str, **content: object) -> Job:
    return {
        "to": "network",
        "link": ["!room", "memory", CHAT],
        "event": {"sender": sender, "content": content},
    }


def said(person: Person, message: Message) -> Said:
    return Said(RemoteMessageId("m1"), CHAT, person, message)


def test_whose_it_is() -> None:
    words = said(BOBS, Message(spans("hi")))
    assert said_by(inwards(words), BOB)
    assert said_by(inwards(Reacted(RemoteMessageId("m2"), CHAT, BOBS, RemoteMessageId("m1"), "👍")), BOB)
    assert said_by(inwards(Joined(RemoteMessageId("m3"), CHAT, BOBS)), BOB)
    assert not said_by(inwards(words, "irc"), BOB), "another network's Bob"
    assert not said_by(inwards(said(BEN, Message(spans("bob")))), BOB)
    assert said_by(outwards(ANA.user, body="hi"), ANA)
    report = {**inwards(words), "to": "report", "lane": "x", "source": "y", "reference": "z"}
    assert said_by(report, BOB)
    assert said_by({"to": "redo", "room": "!room", "event": "$e", "by": ANA.user}, ANA)
    assert not said_by({"to": "room", "room": "!room", "via": "haven.test"}, ANA)


def test_a_mention_of_theirs_becomes_mere_words() -> None:
    mention = Mention(person=BOBS.id)
    message = Message(
        (Span("Bob", mention=mention), Span(" and "), Span("Ben", mention=Mention(person=BEN.id)))
    )
    job = inwards(said(BEN, message))
    assert names(job, BOB)
    event: object = read(without(job, BOB)["event"], ChatEvent)
    assert isinstance(event, Said)
    assert [span.mention for span in event.message.text] == [None, None, Mention(person=BEN.id)]
    assert [span.text for span in event.message.text] == ["Bob", " and ", "Ben"]
    assert not names(inwards(said(BEN, message), "irc"), BOB)


def test_an_id_in_what_others_said_is_taken_out() -> None:
    mentions = {"m.mentions": {"user_ids": [ANA.user]}, "body": f"{ANA.user}: hi"}
    job = outwards("@eva:haven.test", **mentions)
    assert names(job, ANA)
    assert ANA.user not in json.dumps(without(job, ANA))
    assert without(job, ANA)["event"]["content"]["body"] == "?: hi"


def test_what_names_nobody_stays_to_the_letter() -> None:
    job = inwards(said(BEN, Message(spans("hi"), reply=Reply(RemoteMessageId("m0"), "Cy", ""))))
    assert without(job, BOB) == job == without(job, ANA)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from([ANA.user, f"x {ANA.user} y", "bob"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.just(ANA.user), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.sampled_from(["to", "link", "event", "by", "x"]), VALUES))
def test_whatever_an_item_holds_nothing_of_them_is_left(job: dict[str, object]) -> None:
    cleaned = without(job, ANA)
    assert ANA.user not in json.dumps(cleaned)
    assert without(cleaned, ANA) == cleaned
    assert said_by(job, ANA) in {True, False}
