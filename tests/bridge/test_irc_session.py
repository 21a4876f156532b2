"""What lines of IRC tell: who is there, who speaks, who is an operator, under which id; and that no line can upset it."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.message import Kind, plain
from bridge.networks.events import Joined, Left, Person, Renamed, Role, Said, TopicChanged
from bridge.networks.irc_connection import parsed
from bridge.networks.irc_facts import Answer, Entered, Fact, NotEntered, Removed, Unsent
from bridge.networks.irc_features import Features
from bridge.networks.irc_line import Line
from bridge.networks.irc_session import Session
from haven.errors import GiveUp, Invalid, Refused, TryLater
from haven.ids import ChatId, RemoteUserId

CHAT = ChatId("#Fathers")
ADA = ":ada!~ada@host"
BEN = ":ben!~ben@host"
US = ":haven!~haven@host"


class Heard:
    """A session in #Fathers, with ada (an operator) and ben (with a voice) there."""

    def __init__(self, features: Features | None = None) -> None:
        numbers = count()
        self.session = Session(features or Features(), "haven", lambda: f"id{next(numbers)}")
        self.session.expect(CHAT)
        self.entering = self.hear(
            f"{US} JOIN #fathers", ":s 353 haven = #fathers :haven @ada +ben", ":s 366 haven #fathers :End"
        )

    def hear(self, *raw: str) -> list[Fact]:
        facts: list[Fact] = []
        for text in raw:
            line = parsed(text)
            assert line is not None
            facts += self.session.hear(line)
        return facts

    def members(self) -> dict[str, tuple[RemoteUserId, Role]]:
        return {person.name: (person.id, person.role) for person in self.session.members(CHAT)}


def people(facts: list[Fact]) -> list[tuple[str, str, str]]:
    """What became of whom, briefly."""
    return [
        (type(fact).__name__, fact.person.name, fact.person.role.value)
        for fact in facts
        if isinstance(fact, Joined | Left)
    ]


def test_entering_tells_who_is_there_and_then_that_we_are() -> None:
    heard = Heard()
    assert people(heard.entering) == [("Joined", "ada", "operator"), ("Joined", "ben", "voiced")]
    assert heard.entering[-1] == Entered(CHAT)
    assert heard.session.inside(CHAT)


def test_what_is_said_has_its_kind_and_its_speaker() -> None:
    facts = Heard().hear(
        f"{ADA} PRIVMSG #fathers :hola",
        f"{ADA} PRIVMSG #fathers :\x01ACTION waves\x01",
        f"{ADA} PRIVMSG #fathers :\x01ACTION waves without an end",
        f"{BEN} NOTICE #fathers :beep",
    )
    said = [
        (fact.person.name, fact.message.kind, plain(fact.message.text))
        for fact in facts
        if isinstance(fact, Said)
    ]
    assert said == [
        ("ada", Kind.TEXT, "hola"),
        ("ada", Kind.ACTION, "waves"),
        ("ada", Kind.ACTION, "waves without an end"),
        ("ben", Kind.NOTICE, "beep"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        f"{US} PRIVMSG #fathers :our own echo",
        ":irc.example.org NOTICE #fathers :the server speaks",
        f"{ADA} PRIVMSG #elsewhere :not ours",
        f"{ADA} PRIVMSG haven :in private",
        f"{ADA} PRIVMSG @#fathers :to operators only",
        f"{ADA} PRIVMSG #fathers :\x01DCC SEND x 1 2 3\x01",
        f"{ADA} NOTICE haven :\x01VERSION mine\x01",
        f"{ADA} PRIVMSG #fathers :\x02\x0304",
        f"{ADA} PRIVMSG #fathers",
    ],
)
def test_what_is_not_for_the_room_is_not_told(line: str) -> None:
    assert Heard().hear(line) == []


def test_who_asks_what_we_are_is_told_in_private() -> None:
    assert Heard().hear(f"{ADA} PRIVMSG haven :\x01VERSION\x01") == [
        Answer("NOTICE ada :\x01VERSION Haven\x01")
    ]
    assert Heard().hear(f"{ADA} PRIVMSG haven :\x01PING 12 34\x01") == [
        Answer("NOTICE ada :\x01PING 12 34\x01")
    ]
    assert Heard().hear(f"{ADA} PRIVMSG #fathers :\x01VERSION\x01") == []


def test_operators_follow_modes() -> None:
    heard = Heard()
    assert people(heard.hear(f"{ADA} MODE #fathers +o-v ben ben")) == [("Joined", "ben", "operator")]
    assert people(heard.hear(f"{BEN} MODE #fathers -o ada")) == [("Joined", "ada", "member")]
    assert people(heard.hear(f"{BEN} MODE #fathers +v-b+lk ada *!*@x 5 key")) == [("Joined", "ada", "voiced")]
    assert {name: role.value for name, (_, role) in heard.members().items()} == {
        "ada": "voiced",
        "ben": "operator",
    }


def test_modes_with_arguments_do_not_shift_the_nicks() -> None:
    heard = Heard(Features().with_tokens(["CHANMODES=beI,k,l,imnpst", "PREFIX=(qaohv)~&@%+"]))
    assert people(heard.hear(f"{ADA} MODE #fathers +beltn-l+o *!*@a *!*@b 10 ben")) == [
        ("Joined", "ben", "operator")
    ]


def test_founders_rank_as_operators_and_half_operators_do_not() -> None:
    heard = Heard(Features().with_tokens(["PREFIX=(qaohv)~&@%+"]))
    heard.hear(f"{BEN} MODE #fathers +h ben", f"{ADA} MODE #fathers +q ada", f"{ADA} MODE #fathers -o ada")
    assert {name: role.value for name, (_, role) in heard.members().items()} == {
        "ada": "operator",
        "ben": "voiced",
    }


def test_the_id_stays_with_the_person_through_changes_of_nick() -> None:
    heard = Heard()
    facts = heard.hear(f"{ADA} NICK :ada_home", ":ada_home!~ada@host PRIVMSG #fathers :me")
    assert [
        (fact.before, fact.person.id, fact.person.name) for fact in facts if isinstance(fact, Renamed)
    ] == [("nick:ada", "nick:ada", "ada_home")]
    assert [fact.person for fact in facts if isinstance(fact, Said)] == [
        Person(RemoteUserId("nick:ada"), "ada_home", Role.OPERATOR)
    ]


def test_who_takes_a_nick_whose_owner_is_still_there_is_somebody_else() -> None:
    heard = Heard()
    heard.hear(f"{ADA} NICK :ada_home", ":ada!~other@elsewhere JOIN #fathers")
    assert heard.members()["ada"] == ("nick:ada/2", Role.MEMBER)
    assert heard.members()["ada_home"] == ("nick:ada", Role.OPERATOR)
    heard.hear(":ada_home!~ada@host QUIT :bye", ":ada!~other@elsewhere PART #fathers", f"{ADA} JOIN #fathers")
    assert heard.members()["ada"] == ("nick:ada", Role.MEMBER)


def test_nicks_compare_as_the_server_compares() -> None:
    heard = Heard(Features(casemapping="rfc1459"))
    heard.hear(":Nick[1]!u@h JOIN #fathers", ":NICK{1}!u@h PART #FATHERS")
    assert "Nick[1]" not in heard.members()
    heard = Heard(Features(casemapping="ascii"))
    heard.hear(":Nick[1]!u@h JOIN #fathers", ":NICK{1}!u@h PART #FATHERS")
    assert "Nick[1]" in heard.members()


def test_an_account_is_who_somebody_is() -> None:
    heard = Heard()
    joined = heard.hear(":cem!c@h JOIN #fathers cem_account :Cem", ":dora!d@h JOIN #fathers * :Dora")
    assert [fact.person.id for fact in joined if isinstance(fact, Joined)] == [
        "account:cem_account",
        "nick:dora",
    ]
    facts = heard.hear(
        f"@account=AdaL {ADA} PRIVMSG #fathers :one", f"@account=AdaL {ADA} PRIVMSG #fathers :two"
    )
    told = [(type(fact).__name__, fact.person.id) for fact in facts if isinstance(fact, Left | Joined | Said)]
    assert told == [
        ("Left", "nick:ada"),
        ("Joined", "account:adal"),
        ("Said", "account:adal"),
        ("Said", "account:adal"),
    ]


def test_coming_and_going() -> None:
    heard = Heard()
    facts = heard.hear(
        ":cem!c@h JOIN #fathers",
        ":cem!c@h PART #fathers :bye",
        f"{ADA} KICK #fathers ben :out",
        f"{ADA} QUIT :gone",
        f"{ADA} QUIT",
    )
    assert people(facts) == [
        ("Joined", "cem", "member"),
        ("Left", "cem", "member"),
        ("Left", "ben", "voiced"),
        ("Left", "ada", "operator"),
    ]
    assert heard.members() == {}


def test_being_put_out_is_told_and_forgets_who_was_there() -> None:
    heard = Heard()
    people = heard.session.members(CHAT)
    assert heard.hear(f"{ADA} KICK #fathers haven :out") == [Removed(CHAT, people)]
    assert [person.name for person in people] == ["ada", "ben"]
    assert not heard.session.inside(CHAT)
    assert heard.hear(f"{ADA} PART #fathers") == []


def test_our_own_new_nick_is_ours() -> None:
    heard = Heard()
    assert heard.hear(f"{US} NICK :haven_", ":haven_!~haven@host PRIVMSG #fathers :echo") == []
    assert [type(fact) for fact in heard.hear(f"{US} PRIVMSG #fathers :somebody with our old nick")] == [Said]


def test_topics_are_told_once_each() -> None:
    facts = Heard().hear(
        ":s 332 haven #fathers :\x02old\x02",
        ":s 332 haven #fathers :\x02old\x02",
        f"{ADA} TOPIC #fathers :new",
        f"{US} TOPIC #fathers :ours",
        f"{ADA} TOPIC #fathers :",
        ":s TOPIC #fathers :by the server",
    )
    assert [
        (fact.topic, fact.person and fact.person.name) for fact in facts if isinstance(fact, TopicChanged)
    ] == [("old", None), ("new", "ada"), ("", "ada"), ("by the server", None)]


def test_ids_and_times_are_the_servers_where_it_gives_them() -> None:
    facts = Heard().hear(
        f"@msgid=abc;time=2026-01-02T03:04:05.678Z {ADA} PRIVMSG #fathers :x",
        f"@time=nonsense {ADA} PRIVMSG #fathers :y",
    )
    said = [(fact.id, fact.at) for fact in facts if isinstance(fact, Said)]
    assert said == [("abc", 1767323045678), ("id2", None)]


@pytest.mark.parametrize(
    ("numeric", "error", "reason"),
    [
        ("474", Refused, "banned"),
        ("473", Refused, "invite_only"),
        ("475", Refused, "needs_key"),
        ("477", Refused, "needs_account"),
        ("403", Invalid, None),
        ("471", TryLater, None),
        ("405", TryLater, None),
        ("437", TryLater, None),
    ],
)
def test_refusals_at_the_door(numeric: str, error: type[Exception], reason: str | None) -> None:
    session = Session(Features(), "haven", lambda: "id")
    session.expect(CHAT)
    for raw in (f":s {numeric} haven #fathers :no", f":s {numeric} #fathers :no"):
        line = parsed(raw)
        assert line is not None
        (fact,) = session.hear(line)
        assert isinstance(fact, NotEntered)
        assert (type(fact.error), fact.error.values.get("reason")) == (error, reason)


def test_refusals_inside_concern_what_was_sent() -> None:
    heard = Heard()
    facts = heard.hear(":s 404 haven #fathers :no", ":s 482 haven #fathers :no", ":s 474 haven #fathers :no")
    assert [(fact.topic, isinstance(fact.error, GiveUp)) for fact in facts if isinstance(fact, Unsent)] == [
        (False, True),
        (True, True),
    ]
    assert len(facts) == 2


COMMANDS = [
    "PRIVMSG",
    "NOTICE",
    "JOIN",
    "PART",
    "KICK",
    "QUIT",
    "NICK",
    "MODE",
    "TOPIC",
    "ACCOUNT",
    "353",
    "366",
    "332",
    "331",
    "404",
    "474",
]
PARAMS = st.lists(
    st.sampled_from(["#fathers", "haven", "ada", "@ada +ben", "+o-v", "\x01ACTION x", "\x01", "", "*"])
    | st.text(max_size=5),
    max_size=5,
)
SOURCES = st.sampled_from(["", "s", "ada!a@h", "haven!h@h", "ben!", "!", "cem!x@y"])
TAGS = st.dictionaries(st.sampled_from(["account", "msgid", "time"]), st.text(max_size=5))


@given(
    st.lists(
        st.builds(Line, st.sampled_from(COMMANDS).map(str.lower), SOURCES, PARAMS.map(tuple), TAGS),
        max_size=20,
    )
)
def test_no_line_upsets_it(lines: list[Line]) -> None:
    heard = Heard()
    names = {
        "353": "namreply",
        "366": "endofnames",
        "332": "currenttopic",
        "331": "notopic",
        "404": "cannotsendtochan",
        "474": "bannedfromchan",
    }
    for line in lines:
        for fact in heard.session.hear(
            Line(names.get(line.command, line.command), line.source, line.params, line.tags)
        ):
            assert not isinstance(fact, Said) or fact.person.name != heard.session.nick
    ids = [person.id for person in heard.session.members(CHAT)]
    assert len(ids) == len(set(ids))


@given(st.text())
def test_any_bytes_are_a_line_or_none(text: str) -> None:
    line = parsed(text)
    assert line is None or line.command


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("PING :abc", Line("ping", "", ("abc",))),
        (
            "@a=1;b;c=x\\:y\\sz :s 001  haven  :Welcome  all",
            Line("welcome", "s", ("haven", "Welcome  all"), {"a": "1", "b": "", "c": "x;y z"}),
        ),
        (":ada!a@h PRIVMSG #x ::)", Line("privmsg", "ada!a@h", ("#x", ":)"))),
        (":ada!a@h PRIVMSG #x :", Line("privmsg", "ada!a@h", ("#x", ""))),
        ("", None),
        (":", None),
        (":only", None),
        ("@tags", None),
        (" :x", None),
    ],
)
def test_lines_are_taken_apart(raw: str, line: Line | None) -> None:
    assert parsed(raw) == line
