"""Stanzas of XMPP, written and read: XML that cannot be broken out of, ids that only the room may give, errors by their conditions."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.message import Attachment, Kind, MediaKind, Message, Reply, Span, Style, plain, spans
from bridge.networks import xmpp_errors
from bridge.networks.events import Role
from bridge.networks.xmpp_people import People, read_presence
from bridge.networks.xmpp_reading import Gives, Groupchat, read_groupchat
from bridge.networks.xmpp_wording import TEXT_BYTES, contents, correction
from bridge.networks.xmpp_xml import CLIENT, COMPONENT, OOB, REPLY, at_home, fit, form, make, written
from haven.errors import HavenError, Invalid, Refused, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId

ROOM = "fathers@rooms.example.org"
ALL = Gives(stanza_ids=True, occupant_ids=True, archive=True)
NONE = Gives()


def stanza(inside: str, attributes: str = f"from='{ROOM}/bob' id='chosen' type='groupchat'") -> ET.Element:
    return ET.fromstring(f"<message xmlns='jabber:client' {attributes}>{inside}</message>")  # noqa: S314 - our own words


def read(inside: str, gives: Gives = ALL, **more: str) -> Groupchat:
    return read_groupchat(stanza(inside, **more), gives)


def said(inside: str, gives: Gives = ALL) -> Message:
    message = read(inside, gives).message
    assert message is not None
    return message


# --- XML -----------------------------------------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_what_is_written_is_read_again_as_it_was(text: str, attribute: str) -> None:
    element = make(f"{CLIENT}message", make(f"{CLIENT}body", text=text), make(f"{OOB}x"), id=attribute)
    again = ET.fromstring(f"<stream xmlns='jabber:client'>{written(element)}</stream>")[0]  # noqa: S314
    # A parser makes one line feed of each end of a line (XML 1.0 section 2.11), and blanks of those in attributes.
    assert _lines(again.findtext(f"{CLIENT}body", "")) == _lines(fit(text))
    assert again.get("id", "").split() == fit(attribute).split()
    assert len(again) == 2


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_the_namespace_stands_only_where_it_changes() -> None:
    element = make(f"{CLIENT}iq", make(f"{OOB}x", make(f"{OOB}url", text="u")), from_="a")
    assert written(element) == '<iq from="a"><x xmlns="jabber:x:oob"><url>u</url></x></iq>'


def test_a_component_s_stanza_is_like_any_other() -> None:
    foreign = ET.fromstring(  # noqa: S314 - our own words
        "<message xmlns='jabber:component:accept'><body>a</body><x xmlns='jabber:x:oob'/></message>"
    )
    assert foreign.tag == f"{COMPONENT}message"
    assert [each.tag for each in at_home(foreign).iter()] == [f"{CLIENT}message", f"{CLIENT}body", f"{OOB}x"]


def test_a_form_says_what_it_is() -> None:
    fields = {field.get("var"): field[0].text for field in form("kind", {"a": "b"})}
    assert fields == {"FORM_TYPE": "kind", "a": "b"}


# --- messages --------------------------------------------------------------------------------------------------------------------

OWN = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='s1'/>"
OTHER = "<stanza-id xmlns='urn:xmpp:sid:0' by='evil@example.org' id='s0'/>"
OCCUPANT = "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='o1'/>"


def test_ids_are_the_room_s_own_and_only_where_it_gives_them() -> None:
    everything = f"{OTHER}{OWN}{OCCUPANT}<body>hi</body>"
    given_all, given_none = read(everything), read(everything, NONE)
    assert (given_all.id, given_all.occupant, given_all.chosen, given_all.nick) == (
        "s1",
        "o1",
        "chosen",
        "bob",
    )
    assert (given_none.id, given_none.occupant) == ("", "")


def test_the_time_is_the_room_s_own() -> None:
    late = "<delay xmlns='urn:xmpp:delay' from='{}' stamp='2026-01-02T03:04:05.678Z'/><body>hi</body>"
    assert read(late.format(ROOM)).at == 1767323045678
    assert read(late.format(f"{ROOM}/bob")).at is None
    assert read(late.format(ROOM).replace("2026", "nonsense")).at is None


@pytest.mark.parametrize(
    ("inside", "subject"),
    [
        ("<subject>S</subject>", "S"),
        ("<subject/>", ""),
        ("<subject>S</subject><body>b</body>", None),
        ("<subject>S</subject><thread>t</thread>", None),
        ("<body>b</body>", None),
    ],
)
def test_a_subject_stands_alone(inside: str, subject: str | None) -> None:
    assert read(inside).subject == subject


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [
        (0, 9, "answer"),
        (0, 0, "> quote\n\nanswer"),
        (5, 2, "> quote\n\nanswer"),
        (0, 99, "> quote\n\nanswer"),
    ],
)
def test_only_a_fallback_that_fits_is_left_out(start: int, end: int, left: str) -> None:
    fallback = f"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='{start}' end='{end}'/></fallback>"
    message = said(f"<body>&gt; quote\n\nanswer</body><reply xmlns='urn:xmpp:reply:0' id='s0'/>{fallback}")
    assert "".join(span.text for span in message.text).strip() == left.removeprefix("> ")
    assert message.reply == Reply(RemoteMessageId("s0"))


def test_in_a_room_without_ids_an_answer_stays_quoted() -> None:
    fallback = (
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='8'/></fallback>"
    )
    message = said(
        f"<body>&gt; quote\nanswer</body><reply xmlns='urn:xmpp:reply:0' id='s0'/>{fallback}", NONE
    )
    assert (message.reply, plain(message.text)) == (None, "quote\nanswer")


def test_a_moderator_s_retraction_comes_from_the_room_alone() -> None:
    retract = "<retract xmlns='urn:xmpp:message-retract:1' id='s0'><moderated xmlns='urn:xmpp:message-moderate:1'/></retract>"
    by_room = read(retract, attributes=f"from='{ROOM}' type='groupchat'")
    by_bob = read(retract)
    assert (by_room.retracts, by_room.moderated) == ("s0", True)
    assert (by_bob.retracts, by_bob.moderated) == ("", False)


@pytest.mark.parametrize(
    ("url", "body", "kind"),
    [
        ("https://x.example/a.png", "https://x.example/a.png", MediaKind.IMAGE),
        ("https://x.example/a.mp4", "https://x.example/a.mp4", MediaKind.VIDEO),
        ("https://x.example/a.ogg", "https://x.example/a.ogg", MediaKind.AUDIO),
        ("https://x.example/a.pdf", "https://x.example/a.pdf", MediaKind.FILE),
        ("https://x.example/", "https://x.example/", MediaKind.FILE),
        ("https://x.example/a.png", "look: https://x.example/a.png", None),
        ("file:///etc/passwd", "file:///etc/passwd", None),
        ("aesgcm://x.example/a.png#00", "aesgcm://x.example/a.png#00", None),
    ],
)
def test_a_file_is_an_address_with_nothing_beside_it(url: str, body: str, kind: MediaKind | None) -> None:
    message = said(f"<body>{body}</body><x xmlns='jabber:x:oob'><url>{url}</url></x>")
    assert [file.kind for file in message.attachments] == ([kind] if kind else [])
    assert plain(message.text) == ("" if kind else body)


def test_nothing_but_blanks_is_nothing() -> None:
    assert read("<body>  \n</body>").message is None
    assert read("").message is None


# --- what we say -------------------------------------------------------------------------------------------------------------------


def bodies(message: Message) -> list[str]:
    return [body.text or "" for part in contents(message) for body in part if body.tag == f"{CLIENT}body"]


def test_an_action_an_answer_and_a_file() -> None:
    reply = Reply(RemoteMessageId("s0"), "bob", "who comes?")
    assert bodies(Message(spans("waves"), Kind.ACTION)) == ["/me waves"]
    ((body, answers, fallback),) = contents(Message(spans("I do"), reply=reply))
    assert (body.text, answers.tag, answers.get("id")) == ("> bob: who comes?\nI do", f"{REPLY}reply", "s0")
    assert (fallback[0].get("start"), fallback[0].get("end")) == ("0", "18")
    unseen = Message(spans("I do"), reply=Reply(None, "bob", "who comes?"))
    assert bodies(unseen) == ["> bob: who comes?\nI do"]
    assert len(next(contents(unseen))) == 1
    files = (Attachment("a.png", "https://x.example/a.png"), Attachment("b.png", ""))
    assert bodies(Message((), attachments=files)) == ["https://x.example/a.png", "📎 b.png"]


def test_a_quote_that_we_write_is_read_back_as_an_answer() -> None:
    (part,) = contents(
        Message((Span("I do", frozenset({Style.BOLD})),), reply=Reply(RemoteMessageId("s0"), "bob", "who?"))
    )
    message = said("".join(written(element) for element in part))
    assert message == Message((Span("I do", frozenset({Style.BOLD})),), reply=Reply(RemoteMessageId("s0")))


@given(st.text(alphabet="aä😀\n", max_size=200).map(lambda text: text * 400))
def test_long_words_are_cut_between_characters(text: str) -> None:
    pieces = bodies(Message(spans(text)))
    assert all(len(piece.encode()) <= TEXT_BYTES for piece in pieces)
    assert "".join(pieces).replace("\n", "") == text.replace("\n", "")


def test_a_correction_is_one_part_with_the_id_that_we_chose() -> None:
    part = correction(Message(spans("new")), "chosen")
    assert [element.get("id") for element in part if element.tag.endswith("replace")] == ["chosen"]


# --- people ------------------------------------------------------------------------------------------------------------------------


def presence(
    nick: str, occupant: str = "", role: str = "participant", affiliation: str = "none"
) -> ET.Element:
    who = f"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{occupant}'/>" if occupant else ""
    item = f"<item role='{role}' affiliation='{affiliation}' jid='{nick}@example.org/home'/>"
    inside = f"<x xmlns='http://jabber.org/protocol/muc#user'>{item}</x>{who}"
    return ET.fromstring(f"<presence xmlns='jabber:client' from='{ROOM}/{nick}'>{inside}</presence>")  # noqa: S314


def test_an_occupant_id_tells_people_apart_whatever_their_nicks_are() -> None:
    people, elsewhere = People(ChatId(ROOM)), People(ChatId("other@rooms.example.org"))
    _, bob = people.came(read_presence(presence("bob", "o1")))
    people.went("bob")
    _, thief = people.came(read_presence(presence("bob", "o2")))
    _, again = people.came(read_presence(presence("robert", "o1")))
    assert bob.id == again.id != thief.id
    assert people.person("bob", "o1") == again
    assert people.nick(bob.id) == "robert"
    _, far = elsewhere.came(read_presence(presence("bob", "o1")))
    assert far.id != bob.id


def test_without_occupant_ids_a_nick_is_somebody_until_they_go() -> None:
    people = People(ChatId(ROOM))
    _, bob = people.came(read_presence(presence("bob")))
    renamed = people.renamed("bob", "robert")
    _, other = people.came(read_presence(presence("bob")))
    assert renamed is not None
    assert bob.id == renamed.id != other.id
    assert people.person("robert", "").id == bob.id


def test_no_id_holds_an_address_or_a_nick() -> None:
    people = People(ChatId(ROOM))
    for occupant in ("", "o1"):
        number = people.id_of(occupant, "bob")
        assert not any(part in number for part in ("bob", "fathers", "@", "example"))


@pytest.mark.parametrize(
    ("role", "affiliation", "expected"),
    [
        ("participant", "none", Role.MEMBER),
        ("moderator", "none", Role.OPERATOR),
        ("participant", "admin", Role.OPERATOR),
        ("participant", "owner", Role.OPERATOR),
        ("visitor", "member", Role.MEMBER),
    ],
)
def test_who_operates_a_room(role: str, affiliation: str, expected: Role) -> None:
    assert read_presence(presence("bob", "o1", role, affiliation)).role is expected


# --- errors --------------------------------------------------------------------------------------------------------------------------


def error(condition: str, kind: str = "cancel") -> ET.Element:
    inside = f"<error type='{kind}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    return stanza(inside, f"from='{ROOM}' type='error'")


@pytest.mark.parametrize(
    ("made", "expected", "reason"),
    [
        (xmpp_errors.speaking(error("policy-violation", "wait")), TryLater, None),
        (xmpp_errors.speaking(error("resource-constraint", "wait")), TryLater, None),
        (xmpp_errors.speaking(error("not-acceptable")), TryLater, None),
        (xmpp_errors.speaking(error("forbidden", "auth")), Refused, "no_voice"),
        (xmpp_errors.speaking(error("something-new")), Refused, None),
        (xmpp_errors.entering(error("forbidden", "auth")), Refused, "banned"),
        (xmpp_errors.entering(error("registration-required", "auth")), Refused, "invite_only"),
        (xmpp_errors.entering(error("not-authorized", "auth")), Refused, "needs_key"),
        (xmpp_errors.entering(error("service-unavailable")), TryLater, None),
        (xmpp_errors.looking(error("service-unavailable")), Invalid, None),
        (xmpp_errors.looking(error("item-not-found")), Invalid, None),
        (xmpp_errors.looking(error("remote-server-timeout", "wait")), TryLater, None),
        (xmpp_errors.general(error("remote-server-not-found")), Unreachable, None),
        (xmpp_errors.general(stanza("", "type='error'")), Refused, None),
    ],
)
def test_conditions_decide_whether_it_is_tried_again(
    made: HavenError, expected: type[HavenError], reason: str | None
) -> None:
    assert isinstance(made, expected)
    assert made.values.get("reason") == reason
    assert (made.key == "network_busy") == (isinstance(made, TryLater) and made.after == xmpp_errors.BUSY)


def test_nobody_floods_a_room_with_one_set_of_reactions() -> None:
    keys = "".join(f"<reaction>{key}</reaction>" for key in ("x" * 41, *map(str, range(5000))))
    reacts = read(f"<reactions xmlns='urn:xmpp:reactions:0' id='1'>{keys}</reactions>").reacts
    assert reacts == frozenset(map(str, range(20)))
