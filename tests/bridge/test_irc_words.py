"""The small words of IRC: nicks for members, tags, batches, whose nick is whose; and the same parts whoever speaks."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.message import Kind, Message, Reply, Span, plain, spans
from bridge.networks.acts import Delete, React, Say, Vote
from bridge.networks.base import Capabilities
from bridge.networks.events import Deleted, Person, Reacted, Said
from bridge.networks.irc_batches import Batches
from bridge.networks.irc_connection import parsed
from bridge.networks.irc_features import Features
from bridge.networks.irc_format import clean
from bridge.networks.irc_line import Line
from bridge.networks.irc_nicks import LONGEST, member_nick
from bridge.networks.irc_ours import Ours
from bridge.networks.irc_people import People
from bridge.networks.irc_tags import MOST, part_mark, tagged
from bridge.networks.irc_talk import talk
from bridge.networks.irc_wording import possible, wire
from haven.errors import Invalid, Missing
from haven.ids import ChatId, RemoteMessageId, RemoteUserId, UserId
from tests.bridge.test_irc_lines import SETTINGS

CHAT = ChatId("#fathers")
ADA = Person(RemoteUserId("nick:ada"), "ada")
NICK = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]*")
EVERYTHING = Capabilities(reactions=True, deletions=True)


def line(text: str) -> Line:
    found = parsed(text)
    assert found is not None
    return found


@given(st.text(), st.sampled_from(["{name}[m]", "m-{name}", "{name}", "[{name}]"]), st.integers(9, 64))
def test_any_name_becomes_a_nick_that_servers_take(name: str, pattern: str, most: int) -> None:
    nick = member_nick(name, UserId("@ümlaut:example.org"), pattern, most)
    assert NICK.fullmatch(nick)
    assert len(nick) <= min(most, LONGEST)


@pytest.mark.parametrize(
    ("name", "nick"),
    [
        ("Alice", "Alice[m]"),
        ("Žofie Nováková", "Zofie_Novakova[m]"),
        ("4th Father", "_4th_Father[m]"),
        ("Юля", "yulia[m]"),
        ("  ", "yulia[m]"),
        ("a" * 50, "a" * 23 + "[m]"),
    ],
)
def test_nicks_are_like_the_names(name: str, nick: str) -> None:
    assert member_nick(name, UserId("@yulia:example.org"), "{name}[m]", 30) == nick


@given(
    st.dictionaries(
        st.sampled_from(["+a", "+b/c", "label"]), st.text(st.characters(codec="utf-8"), max_size=20)
    )
)
def test_tags_are_read_as_they_were_written(tags: dict[str, str]) -> None:
    written = tagged("PRIVMSG #x :hi", tags)
    assert line(written).tags == {name: value.replace("\0", "") for name, value in tags.items()}
    assert not set("\r\n\0") & set(written)


def test_tags_that_are_too_long_are_left_out() -> None:
    assert tagged("PRIVMSG #x :hi", {"+a": "x" * MOST}) == "PRIVMSG #x :hi"


def test_marks_tell_parts_and_messages_apart_and_nothing_else() -> None:
    marks = {part_mark(key, part) for key in ("$a", "$b") for part in range(3)}
    assert len(marks) == 6
    assert not [mark for mark in marks if "$" in mark]


@given(
    st.text(min_size=1, max_size=900), st.sampled_from(Kind), st.text(max_size=80).map(clean), st.booleans()
)
def test_a_message_has_the_same_parts_whoever_speaks(text: str, kind: Kind, name: str, quoted: bool) -> None:
    reply = Reply(RemoteMessageId("m1"), "ben", "what ben said") if quoted else None
    act = Say(Message(spans(text), kind, reply))
    own = list(wire(SETTINGS, CHAT, act, name))
    through = list(wire(SETTINGS, CHAT, act, name, named=True))
    assert len(own) == len(through)
    for one in (*own, *through):
        assert len(one.line.encode()) + 2 <= 512 - 63 - 30
    if own and name:
        # The name stands once, and all the rest is the same.
        differ = [(a.line, b.line) for a, b in zip(own, through, strict=True) if a != b]
        assert len(differ) == 1 or kind is Kind.ACTION


def test_who_has_no_connection_is_named_below_the_quote() -> None:
    message = Message((Span("hello"),), reply=Reply(RemoteMessageId("m1"), "ben", "what ben said"))
    lines = list(wire(SETTINGS, CHAT, Say(message), "Ada", named=True))
    assert [(one.line, dict(one.tags)) for one in lines] == [
        ("PRIVMSG #fathers :> ben: what ben said", {"+draft/reply": "m1"}),
        ("PRIVMSG #fathers :<Ada> hello", {}),
    ]
    bare = list(wire(replace(SETTINGS, quotes=False), CHAT, Say(message)))
    assert [(one.line, dict(one.tags)) for one in bare] == [
        ("PRIVMSG #fathers :hello", {"+draft/reply": "m1"})
    ]


def test_what_cannot_be_done_is_refused() -> None:
    theirs, made = RemoteMessageId("m1"), RemoteMessageId("~a-1")
    assert possible(React(theirs, "x"), EVERYTHING) == React(theirs, "x")
    for act, why in (
        (React(made, "x"), Missing),
        (Delete(theirs, (made,)), Missing),
        (Delete(RemoteMessageId("two words")), Missing),
        (Vote(theirs, (1,)), Invalid),
    ):
        with pytest.raises(why):
            possible(act, EVERYTHING)
    with pytest.raises(Invalid):
        possible(React(theirs, "x"), Capabilities())


def test_history_is_history_however_deep() -> None:
    batches = Batches()
    for text in ("BATCH +1 chathistory #x", "@batch=1 BATCH +2 netsplit a b", "BATCH +3 netsplit a b"):
        batches.hear(line(text))
    assert batches.is_history(line("@batch=2 PRIVMSG #x :y"))
    assert batches.is_split(line("@batch=3 :ada!a@h QUIT :gone"))
    batches.hear(line("BATCH -1"))
    assert not batches.is_history(line("@batch=1 PRIVMSG #x :y"))


@pytest.mark.parametrize(
    ("farewell", "split"),
    [
        ("a.example b.example", True),
        ("*.net *.split", True),
        ("Quit: a.b c.d", False),
        ("see a.b c.d soon", False),
        ("", False),
    ],
)
def test_splits_are_told_from_farewells(farewell: str, split: bool) -> None:
    assert Batches().is_split(Line("quit", "ada!a@h", (farewell,))) is split


def test_a_nick_stays_ours_until_it_was_seen_going() -> None:
    ours = Ours(Features().fold)
    ours.add("Ada[m]")
    assert "ada{m}" in ours
    ours.ended("ada[m]")
    assert "Ada[m]" in ours
    ours.add("Ada[m]")
    ours.seen_going("Ada[m]")
    assert "Ada[m]" in ours
    ours.renamed("Ada[m]", "Eva[m]")
    assert "Eva[m]" in ours
    ours.seen_going("Ada[m]")
    assert "Ada[m]" not in ours
    ours.renamed("ben", "benjamin")
    assert "benjamin" not in ours


def test_who_spoke_in_the_past_need_not_be_who_is_there() -> None:
    people = People(Features())
    people.joined("#x", "ada", "account_of_ada")
    assert people.stranger("#x", "ada", "account_of_ada").id == "account:account_of_ada"
    assert people.stranger("#x", "ada", "").id == "account:account_of_ada"
    assert people.stranger("#x", "ada", "somebody").id == "account:somebody"
    assert people.stranger("#x", "ben", "").id == "nick:ben"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("@msgid=a;+draft/reply=b;+draft/react=👍 :ada!a@h TAGMSG #fathers", Reacted),
        ("@msgid=a;+reply=b;+unreact=👍 :ada!a@h TAGMSG #fathers", Reacted),
        ("@+draft/react=👍 :ada!a@h TAGMSG #fathers", None),
        ("@+draft/reply=b;+typing=active :ada!a@h TAGMSG #fathers", None),
        (f"@+draft/reply=b;+draft/react={'x' * 41} :ada!a@h TAGMSG #fathers", None),
        (":ada!a@h REDACT #fathers b :why", Deleted),
        (":ada!a@h REDACT #fathers", None),
        (":ada!a@h PRIVMSG #fathers :\x01VERSION\x01", None),
        (":ada!a@h NOTICE #fathers :\x01ACTION waves\x01", None),
        ("@+draft/reply=b :ada!a@h PRIVMSG #fathers :yes", Said),
    ],
)
def test_what_is_said_by_tags(text: str, kind: type[object] | None) -> None:
    told = list(talk(line(text), CHAT, ADA, lambda: "~1"))
    assert [type(event) for event in told] == ([kind] if kind else [])
    for event in told:
        if isinstance(event, Reacted | Deleted):
            assert event.target == "b"
        elif isinstance(event, Said):
            assert (plain(event.message.text), event.message.reply) == ("yes", Reply(RemoteMessageId("b")))
