"""Reading commands out of what people write."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from haven.ids import UserId
from plugin.addresses import pills_in
from plugin.commands.grammar import Argument, Command, Grammar, Option, Takes
from plugin.commands.parser import NotUnderstood, Request, addressed, parse
from plugin.commands.words import cut

CREATE = Command(
    "create",
    arguments=(Argument("NAME", Takes.WORDS),),
    options=(Option("description", "TEXT"), Option("group", "NAME", repeated=True)),
)
ADD = Command(
    "group add",
    arguments=(Argument("NAME", Takes.WORDS),),
    options=(Option("visibility", choices=("open", "request", "hidden")), Option("suggested")),
)
GROUPS = Command("group list")
ROLE = Command(
    "role add",
    arguments=(Argument("WHO"), Argument("ROLE", choices=("admin", "moderator", "greeter"))),
    options=(Option("group", "GROUP"),),
)
ANNOUNCE = Command("announce", arguments=(Argument("TEXT", Takes.TEXT, final=True),))
SETTINGS = Command(
    "settings", arguments=(Argument("KEY", optional=True), Argument("VALUE", Takes.TEXT, optional=True))
)
ASK_HELP = Command("help", arguments=(Argument("COMMAND", Takes.WORDS, optional=True),))
GRAMMAR = Grammar((CREATE, ADD, GROUPS, ROLE, ANNOUNCE, SETTINGS, ASK_HELP))


def read(line: str) -> Request:
    return parse(line, GRAMMAR)


def wrong(line: str) -> NotUnderstood:
    with pytest.raises(NotUnderstood) as caught:
        read(line)
    return caught.value


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ("!community list", "list"),
        ("!c list", "list"),
        ("  !C   list", "list"),
        ("!community", ""),
        ("!c\nlist", "list"),
        ("!count", None),
        ("hello !c list", None),
        ("", None),
    ],
)
def test_a_command_begins_with_the_prefix(body: str, rest: str | None) -> None:
    assert addressed(body) == rest


@pytest.mark.parametrize(
    "line",
    [
        'create "Papás de Praga" --group Fútbol',
        "create Papás de Praga --group Fútbol",
        "create “Papás de Praga” --group «Fútbol»",
        "create „Papás de Praga“ --group=Fútbol",
        'CREATE «Papás de Praga» —group="Fútbol"',
        "create --group Fútbol Papás de Praga",
        "create --group 'Fútbol' Papás de Praga",
        "create 'Papás de Praga' --group ‘Fútbol’",
    ],
)
def test_names_with_spaces_come_as_people_write_them(line: str) -> None:
    request = read(line)
    assert request.command is CREATE
    assert request.argument("NAME") == "Papás de Praga"
    assert request.every("group") == ("Fútbol",)


def test_the_last_option_on_a_line_needs_no_marks() -> None:
    request = read("create Papás --description Un lugar seguro --group Los lunes --group Los martes")
    assert request.option("description") == "Un lugar seguro"
    assert request.every("group") == ("Los lunes", "Los martes")


def test_switches_and_choices() -> None:
    request = read("group add Secretos --suggested --visibility HIDDEN")
    assert request.switched("suggested")
    assert request.option("visibility") == "hidden"
    assert not read("group add Secretos").switched("suggested")


def test_an_announcement_keeps_its_lines_and_marks() -> None:
    text = 'Hola:\n\n- uno "dos"\n- -- tres  — cuatro'
    assert read(f"announce {text}").argument("TEXT") == text


def test_what_looks_like_an_option_belongs_to_an_announcement_only_in_marks() -> None:
    assert read('announce "Write --at to us"').argument("TEXT") == "Write --at to us"


def test_an_announcement_in_marks_loses_them_and_options_are_found_behind_it() -> None:
    request = read('announce "Hola a\ntodos" --in Papás de Praga')
    assert request.argument("TEXT") == "Hola a\ntodos"
    assert request.where == "Papás de Praga"
    assert read("announce --in Papás Hola a todos").where == "Papás"


@pytest.mark.parametrize(
    "line",
    ["group add --help", "group add Name --help", "announce --help", "--help group add", "help --help"],
)
def test_every_command_has_help(line: str) -> None:
    assert read(line).help


def test_nothing_at_all_asks_for_help() -> None:
    assert read("  ").command is ASK_HELP


@pytest.mark.parametrize(
    "line",
    [
        "group list --in Papás de Praga",
        '--in "Papás de Praga" group list',
        "group list --in=«Papás de Praga»",
    ],
)
def test_every_command_can_name_its_community(line: str) -> None:
    assert read(line).where == "Papás de Praga"


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("anounce Hola", ANNOUNCE),
        ("creat Papás", CREATE),
        ("group ad Papás", ADD),
        ("groupadd Papás", ADD),
        ("group-add Papás", ADD),
        ("add group Papás", ADD),
        ("seting", SETTINGS),
        ("hlep", ASK_HELP),
    ],
)
def test_a_mistyped_command_gets_the_nearest(line: str, nearest: Command) -> None:
    error = wrong(line)
    assert error.key == "command_unknown_near"
    assert error.forms == (nearest,)
    assert error.values["nearest"] == nearest.name


@pytest.mark.parametrize(
    ("line", "key", "forms"),
    [
        ("group", "command_incomplete", (ADD, GROUPS)),
        ("group --in Papás", "command_incomplete", (ADD, GROUPS)),
        ("group zzz", "command_unknown_below", (ADD, GROUPS)),
        ("grop", "command_unknown", (ADD, GROUPS)),
        ("xyzzy", "command_unknown", ()),
        ('"list"', "command_unknown", ()),
        ("create", "argument_missing", (CREATE,)),
        ("role add @ana:haven.test", "argument_missing", (ROLE,)),
        ("group list too much", "argument_extra", (GROUPS,)),
        ("group add Name --visible open", "option_unknown_near", (ADD,)),
        ("group add Name --xyzzy", "option_unknown", (ADD,)),
        ("announce We meet --at 20:00", "option_in_text", (ANNOUNCE,)),
        ("announce We meet\n--zone=UTC", "option_in_text", (ANNOUNCE,)),
        ("group add Name --visibility", "option_value_missing", (ADD,)),
        ("group add Name --visibility --suggested", "option_value_missing", (ADD,)),
        ("group add Name --visibility open --visibility open", "option_twice", (ADD,)),
        ("group add Name --suggested=yes", "option_takes_nothing", (ADD,)),
        ("group add Name --visibility secret", "choice_unknown", (ADD,)),
        ("group add Name --visibility hiden", "choice_unknown_near", (ADD,)),
        ("role add @ana:haven.test admn", "choice_unknown_near", (ROLE,)),
        ("role add @ana:haven.test king", "choice_unknown", (ROLE,)),
        ('create "Papás', "quotation_open", (CREATE,)),
    ],
)
def test_what_is_wrong_is_said_with_the_right_form(line: str, key: str, forms: tuple[Command, ...]) -> None:
    error = wrong(line)
    assert error.key == key
    assert error.forms == forms


def test_usage_is_made_from_the_table() -> None:
    assert ADD.usage == "!c group add NAME [--visibility open|request|hidden] [--suggested]"
    assert CREATE.usage == "!c create NAME [--description TEXT] [--group NAME]..."
    assert SETTINGS.usage == "!c settings [KEY] [VALUE]"


def test_long_nonsense_is_not_repeated_whole() -> None:
    assert all(len(str(value)) <= 100 for value in wrong("x" * 10_000).values.values())


def test_a_mention_is_one_word_even_with_spaces() -> None:
    line = "role add Ana María admin"
    rich = 'role add <a href="https://matrix.to/#/%40ana%3Ahaven.test">Ana María</a> admin'
    request = parse(line, GRAMMAR, pills_in(line, rich))
    assert request.argument("WHO") == "@ana:haven.test"
    assert request.argument("ROLE") == "admin"


@pytest.mark.parametrize("user", ["@ana:haven.test", "%40ana%3Ahaven.test"])
def test_a_mention_may_be_written_as_markdown(user: str) -> None:
    line = f"role add [Ana María](https://matrix.to/#/{user}) admin"
    rich = f'role add <a href="https://matrix.to/#/{user}">Ana María</a> admin'
    for html in ("", rich):
        assert parse(line, GRAMMAR, pills_in(line, html)).argument("WHO") == "@ana:haven.test"


def test_a_mention_in_an_announcement_stays_as_it_was_written() -> None:
    line = "announce Gracias, Ana María!"
    rich = 'Gracias, <a href="https://matrix.to/#/@ana:haven.test">Ana María</a>!'
    assert parse(line, GRAMMAR, pills_in(line, rich)).argument("TEXT") == "Gracias, Ana María!"
    lone = "announce Ana"
    assert parse(lone, GRAMMAR, pills_in(lone, rich.replace(" María", ""))).argument("TEXT") == "Ana"


PIECES = st.sampled_from(
    [*'"“”„«»', "--", "—", "=", " ", "\n", "create", "group", "add", "--group", "--in", "--help", "announce"]
)
LINES = st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=30).map("".join))


@given(LINES, st.text(max_size=200))
@example('announce "', "")
@example("--in", "")
@example("--help", "")
@example("—", "")
def test_whatever_is_written_is_read_or_refused_in_our_own_words(line: str, rich: str) -> None:
    try:
        request = parse(line, GRAMMAR, pills_in(line, rich))
    except NotUnderstood:
        return
    assert request.command in GRAMMAR.commands


@given(LINES)
def test_words_stand_in_order_and_lose_nothing_but_blanks(line: str) -> None:
    place = 0
    for word in cut(line):
        assert line[place : word.start].strip() in {"", "="}
        assert word.end > word.start >= place
        place = word.end
    assert line[place:].strip() in {"", "="}


def test_an_apostrophe_is_no_quotation_that_was_left_open() -> None:
    assert read("create 's-Gravenhage").argument("NAME") == "'s-Gravenhage"
    assert read("create Rock 'n roll").argument("NAME") == "Rock 'n roll"
    assert read("create ''").argument("NAME") == ""


def test_many_open_marks_take_no_longer_than_any_other_text() -> None:
    assert sum(1 for _ in cut('"a «b ' * 10_000)) == 20_000


def test_a_user_id_is_not_taken_for_a_mention_that_is_not_there() -> None:
    assert pills_in("role add Ana admin", '<a href="https://example.org">Ana</a>') == ()
    assert pills_in("x", '<a href="https://matrix.to/#/@ana:haven.test">Ana</a>') == ()
    (pill,) = pills_in("Ana", '<a href="https://matrix.to/#/@ana:haven.test">Ana</a>')
    assert (pill.start, pill.end, pill.user) == (0, 3, UserId("@ana:haven.test"))
