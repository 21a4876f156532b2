"""One fault after the other, each at its worst: the homeserver away, answers in doubt, the database away, the bridge away, limits (R2-R7, R9)."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import unquote

import pytest

from embedded.proxy import Answered, Asked, Drop, rate_limited
from embedded.waiting import eventually
from tests.faults.chaos import PUSH
from tests.faults.conftest import Tell
from tests.faults.crossing import LONG, Crossing
from tests.faults.history import Line, Side
from tests.faults.profile import profile, seed
from tests.faults.run import Run

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(3600)]

PROFILE = profile()


@asynccontextmanager
async def begun(here: Crossing, tell: Tell) -> AsyncIterator[Run]:
    """A run whose faults the test makes itself; judged at the end."""
    run = Run(here, seed())
    await run.begin()
    yield run
    tell(run, await run.end())


def lines(run: Run, what: str, side: Side, number: int) -> list[Line]:
    """So many lines on one side, spread over the links and the people."""
    links = len(run.here.links)
    return [
        Line(side, each % links, each // links % 2, f"{what} {run.name}{each}.") for each in range(number)
    ]


def is_message(asked: Asked) -> bool:
    return asked.method == "PUT" and "/send/m.room.message/" in asked.path


async def test_r2_the_homeserver_is_away_while_the_chat_talks(here: Crossing, tell: Tell) -> None:
    async with begun(here, tell) as run:
        await here.synapse.kill()
        said = lines(run, "away", Side.NETWORK, 20)
        for line in said:
            await run.speak([line])
            await asyncio.sleep(PROFILE.away / len(said))
        await run.taken(len(said))
        await here.synapse.start()


async def test_r3_answers_lost_after_the_commit_and_a_restart_of_the_homeserver(
    here: Crossing, tell: Tell
) -> None:
    async with begun(here, tell) as run:
        for trial in range(PROFILE.doubts):
            lost = asyncio.Event()

            async def lose(asked: Asked, _answer: Answered, lost: asyncio.Event = lost) -> Answered | None:
                if is_message(asked) and not lost.is_set():
                    lost.set()
                    await asyncio.shield(asyncio.create_task(here.synapse.kill()))
                    raise Drop
                return None

            here.to_homeserver.after = lose
            await run.speak(lines(run, f"trial {trial}", Side.NETWORK, 3))
            async with asyncio.timeout(LONG):
                await lost.wait()
            while here.synapse.process.running:  # noqa: ASYNC110  # it is being killed
                await asyncio.sleep(0.01)
            await here.synapse.start()


async def test_r5_transactions_again_also_under_another_name_and_after_a_restart(
    here: Crossing, tell: Tell
) -> None:
    async with begun(here, tell) as run:
        here.to_bridge.forget()
        await run.speak(lines(run, "again", Side.MATRIX, 12))
        await here.idle()
        pushed = [asked for asked in here.to_bridge.asked if asked.path.startswith(PUSH)]
        assert pushed
        for life in range(2):
            for number, asked in enumerate(pushed):
                assert (await here.to_bridge.forward(asked)).status == 200
                renamed = replace(asked, path=f"{asked.path}life{life}name{number}")
                assert (await here.to_bridge.forward(renamed)).status == 200
            await here.kill()
            await here.start()


@asynccontextmanager
async def without_database(here: Crossing) -> AsyncIterator[None]:
    """The bridge's database does not answer meanwhile: locked by somebody, or out of reach."""
    if here.to_database is not None:
        here.to_database.refusing = True
        await here.to_database.cut()
        yield
        here.to_database.refusing = False
        return
    lock = sqlite3.connect(here.database.removeprefix("sqlite:"), isolation_level=None)
    lock.execute("PRAGMA busy_timeout = 30000")
    lock.execute("BEGIN EXCLUSIVE")
    yield
    lock.execute("ROLLBACK")
    lock.close()


async def test_r6_the_database_is_away_and_nothing_is_acknowledged(here: Crossing, tell: Tell) -> None:
    async with begun(here, tell) as run:
        answers: list[int] = []

        async def note(asked: Asked, answer: Answered) -> Answered | None:
            if asked.path.startswith(PUSH):
                answers.append(answer.status)
            return None

        here.to_bridge.after = note
        async with without_database(here):
            await run.speak(lines(run, "stored", Side.MATRIX, 3))

            async def refused() -> bool:
                return bool(answers)

            await eventually(refused, "the bridge answers a transaction", LONG)
            assert all(status >= 500 for status in answers)
        assert here.bridge.process.running


async def test_r7_the_bridge_is_away_for_long_and_asks_for_what_was_queued(
    here: Crossing, tell: Tell
) -> None:
    async with begun(here, tell) as run:
        await here.kill()
        here.to_bridge.forget()
        await run.speak(lines(run, "night", Side.MATRIX, 6))
        await asyncio.sleep(PROFILE.night)
        failed = len(here.to_bridge.asked)
        assert failed
        await here.start()
        last = f"night {run.name}5."

        async def arrived() -> bool:
            return any(last in here.lines(link.channel) for link in here.links)

        await eventually(arrived, "what was queued arrives", LONG)
        after = [asked.path for asked in here.to_bridge.asked[failed:]]
        assert "/_matrix/app/v1/ping" in after


async def test_r9_a_limited_room_waits_alone(here: Crossing, tell: Tell) -> None:
    async with begun(here, tell) as run:
        slow, other = here.links[0], here.links[1]
        free = asyncio.Event()
        told: list[str] = []

        async def limit(asked: Asked) -> Answered | None:
            if is_message(asked) and slow.room in unquote(asked.path) and not free.is_set():
                told.append(asked.path)
                return rate_limited(0.3)
            return None

        here.to_homeserver.before = limit
        said = lines(run, "limited", Side.NETWORK, 8)
        await run.speak(said)
        last = next(line.text for line in reversed(said) if line.link == 1)

        async def other_is_through() -> bool:
            return last in await here.texts(other.room) and len(told) > 1

        await eventually(other_is_through, "the other room goes on", LONG)
        assert not any("limited" in text and run.name in text for text in await here.texts(slow.room))
        free.set()
    assert len(set(told)) == 1, "it asks for one message at a time, under one id"


async def test_the_connection_to_irc_is_cut_in_the_middle(here: Crossing, tell: Tell) -> None:
    """IRC without echo tells nobody what arrived, and has no history: lines on their way at a cut may be missing; how many is reported."""
    async with begun(here, tell) as run:
        for cut in range(PROFILE.kills):
            await run.speak(lines(run, f"cut {cut} in", Side.NETWORK, 6))
            await run.speak(lines(run, f"cut {cut} out", Side.MATRIX, 6))
            here.present.clear()
            await here.to_irc.cut()
            for link in here.links:
                await here.gone_from(link.channel)
            await here.arrived()
        run.excuse_everything()


def secrets_of(here: Crossing) -> list[str]:
    """What nobody may read: the tokens and the key."""
    registration = here.bridge.registration.read_text()
    tokens = [line.split(": ")[1] for line in registration.splitlines() if "_token: " in line]
    return [*tokens, (here.bridge.directory / "haven.key").read_text().strip()]


async def test_r20_the_tokens_are_rotated_under_way_and_never_logged(here: Crossing, tell: Tell) -> None:
    old = secrets_of(here)
    async with begun(here, tell) as run:
        answers: list[int] = []

        async def note(_asked: Asked, answer: Answered) -> Answered | None:
            answers.append(answer.status)
            return None

        here.to_bridge.after = here.to_homeserver.after = note
        made = await here.bridge.command("registration", "--rotate")
        assert made.status == 0, made.err
        await here.synapse.kill()
        await here.synapse.start()
        await run.speak([*lines(run, "strange", Side.MATRIX, 4), *lines(run, "stranger", Side.NETWORK, 4)])

        async def both_refused() -> bool:
            return {401, 403} <= set(answers)

        await eventually(both_refused, "each refuses the other's tokens", LONG)
        await run.taken(4)
        await here.kill()
        await here.start()
    new = secrets_of(here)
    assert (len(old), len(new)) == (3, 3)
    assert len({*old, *new}) == 5, "two new tokens, the same key"
    log = here.bridge.log()
    assert "DEBUG" in log or "INFO" in log
    assert not [number for number, secret in enumerate({*old, *new}) if secret in log]


async def test_r22_a_lost_network_is_seen_in_the_room(here: Crossing, request: pytest.FixtureRequest) -> None:
    """The seconds are reported; the bar is ten."""
    clock, link = asyncio.get_running_loop().time, here.links[0]
    here.present.clear()
    here.to_irc.refusing = True
    begun_at = clock()
    await here.to_irc.cut()
    await here.status(link.room, link.channel, "broken")
    lost = clock() - begun_at
    here.to_irc.refusing = False
    begun_at = clock()
    await here.status(link.room, link.channel, "linked")
    found = clock() - begun_at
    await here.arrived()
    request.node.user_properties.append(
        ("faults", f"seen as broken after {lost:.1f} s, as linked after {found:.1f} s")
    )
