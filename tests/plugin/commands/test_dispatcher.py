"""Hearing, answering, and what goes wrong: in every room, thread and language, and without a word in the logs."""

import logging

import pytest

from haven.errors import RateLimited, Unreachable
from haven.ids import EventId
from plugin.commands.table import TABLE
from plugin.events import Incoming
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import Request
from tests.plugin.commands.stage import PEOPLE, Stage, staged, text_of

CANARY = "canary-4711"


@pytest.mark.parametrize("body", ["hello", "community list", "!communityx list", "hello !c list", ""])
async def test_what_is_no_command_is_not_answered(stage: Stage, body: str) -> None:
    assert await stage.say("member", body) == []


async def test_an_answer_to_a_command_in_a_thread_stays_in_it(stage: Stage) -> None:
    room = await stage.room("general")
    message = Incoming(room, EventId("$asked"), stage.user("member"), "!c list", thread=EventId("$root"))
    await stage.dispatcher.handle(message)
    assert stage.server.rooms[room].timeline[-1].content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$root",
        "is_falling_back": False,
        "m.in_reply_to": {"event_id": "$asked"},
    }


async def test_what_an_older_client_quotes_is_passed_over(stage: Stage) -> None:
    room = await stage.room("general")
    body = "> <@bot:haven.test> hello\n> !c repair\n\n!c list"
    message = Incoming(room, EventId("$asked"), stage.user("member"), body, reply_to=EventId("$other"))
    await stage.dispatcher.handle(message)
    assert "Fathers" in str(stage.server.rooms[room].timeline[-1].content["body"])


WRONG = [
    ("anounce Hola", "Did you mean `announce`?", "`!c announce TEXT`"),
    ("group", "needs one more word", "`!c group list`"),
    ("group lst", "Did you mean `group list`?", "`!c group list`"),
    ("xyzzy", "I do not know", "`!c help`"),
    ("group add", "`NAME` is missing", "`!c group add NAME"),
    ("group add Praga --visibility closed", "It can be: open, request, hidden", "`!c group add NAME"),
    ("group add Praga --topc x", "Did you mean `--topic`?", "`!c group add NAME"),
    ('group add "Praga', "does not end", "`!c group add NAME"),
    ("group add " + "x" * 101, "101 characters", ""),
    ('group add ""', "cannot be empty", ""),
    ('group add "a\x07b"', "control characters", ""),
    ('group add "a\nb"', "control characters", ""),
    ("group add Praga --topic " + "x" * 2_049, "2049 characters", ""),
    ("group add General chat", "already a room called", ""),
    ("create " + "x" * 101, "101 characters", ""),
    ('create ""', "cannot be empty", ""),
    ('create "a\u202eb"', "control characters", ""),
    ("create Praga --description " + "x" * 2_049, "2049 characters", ""),
    ("create Praga --group A --group a", "already a room called", ""),
    ("create Praga " + " ".join(f"--group g{n}" for n in range(11)), "11 groups", ""),
    ("show --in Nowhere", "not in a community called", ""),
    ("reach", "I do not know", ""),
    ("blueprint export", "I do not know", ""),
    ("create Praga --blueprint school", "do not know the option `--blueprint`", ""),
    ("bridge link irc #x --half", "do not know the option `--half`", ""),
]


@pytest.mark.parametrize(("command", "words", "form"), WRONG, ids=lambda value: str(value)[:30])
async def test_bad_input_is_explained_and_writes_nothing(
    stage: Stage, command: str, words: str, form: str
) -> None:
    general = await stage.room("general")
    stage.forget()
    said = await stage.answer("admin", f"!c {command}", general)
    assert words in said
    assert form in said
    assert stage.written() == []


@pytest.mark.parametrize("command", [entry.command for entry in TABLE.entries], ids=lambda each: each.key)
async def test_every_command_explains_itself_to_everybody(stage: Stage, command: object) -> None:
    name, usage = getattr(command, "name", ""), getattr(command, "usage", "")
    stage.forget()
    for asked in (f"!c {name} --help", f"!c help {name}"):
        said = await stage.answer("member", asked)
        assert usage in said
    assert stage.written() == []


@pytest.mark.parametrize("name", [*PEOPLE, "stranger"])
async def test_help_offers_what_the_asker_may_do(stage: Stage, name: str) -> None:
    said = await stage.answer(name, "!c help")
    assert "`!c list`" in said
    assert ("`!c show`" in said) == (name != "stranger")
    assert ("`!c plan`" in said) == (name in {"owner", "admin"})
    assert ("`!c announce TEXT`" in said) == (name in {"owner", "admin", "announcer"})
    assert ("`!c bridge status`" in said) == (name in {"owner", "admin", "moderator", "greeter"})


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Did you mean"), ("es", "¿Quisiste decir"), ("cs", "Nemělo to být")]
)
async def test_errors_come_in_the_language_of_the_community(stage: Stage, language: str, words: str) -> None:
    await stage.say("owner", f"!c settings language {language}")
    assert words in await stage.answer("member", "!c shw")


async def test_a_rate_limit_is_waited_out(stage: Stage) -> None:
    general = await stage.room("general")
    stage.server.faults.fail_next(2, RateLimited(3.0), port="send_message")
    assert "Fathers" in await stage.answer("member", "!c list", general)


async def test_a_server_that_stays_away_leaves_the_plugin_alive(stage: Stage) -> None:
    general = await stage.room("general")
    stage.server.faults.fail_next(10, Unreachable(), port="send_message")
    assert await stage.say("member", "!c list", general) == []
    stage.server.faults.forgive()
    assert "Fathers" in await stage.answer("member", "!c list", general)


async def test_a_server_that_does_not_answer_is_said(stage: Stage) -> None:
    general = await stage.room("general")
    stage.server.faults.fail_next(1, Unreachable(), port="room_state")
    assert "does not answer" in await stage.answer("member", "!c show", general)


def explode(request: Request) -> None:
    """What nobody foresaw, with something in it that nobody may read."""
    if request.port == "room_state":
        raise RuntimeError(CANARY)


async def test_a_bug_is_answered_with_a_reference_that_is_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    general = await stage.room("general")
    stage.server.faults.before.append(explode)
    said = await stage.answer("member", "!c show", general)
    stage.server.faults.forgive()
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert isinstance(record.args, tuple)
    assert str(record.args[0]) in said
    assert CANARY not in caplog.text


async def test_nothing_that_people_say_gets_into_the_logs(
    server: FakeHomeserver, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with staged(server, store) as stage:
        for command in (
            f"announce {CANARY}",
            f"group add {CANARY}",
            f"create {CANARY}",
            f"settings name {CANARY}",
            f"role add @{CANARY}:haven.test admin",
            f"role add {CANARY} admin",
            f"{CANARY}",
            f"show --in {CANARY}",
            f"bridge link irc #{CANARY} --group Madrid",
        ):
            await stage.say("owner", f"!c {command}")
            await stage.say("stranger", f"!c {command}")
        general = await stage.room("general")
        stage.server.faults.fail_next(20, Unreachable(), port="send_message")
        await stage.say("owner", f"!c {CANARY}", general)
    assert CANARY not in caplog.text
    assert "haven.test" not in "".join(r.getMessage() for r in caplog.records if r.name.startswith("haven"))


async def test_a_long_help_has_every_noun_and_goes_on_in_the_thread(stage: Stage) -> None:
    said = await stage.say("owner", "!c")
    assert len(said) == 2
    assert "in the thread" in text_of(said[:1])
    for noun in ("Communities", "Groups", "Roles", "Announcements", "Links to other networks"):
        assert f"\n{noun}\n" in text_of(said)
