"""Whole histories on real servers, on SQLite and on PostgreSQL: nothing lost, nothing twice, everything in order (R1, R5, R8, R9)."""

from collections.abc import AsyncIterator

import pytest

from tests.databases import new_database
from tests.faults.crossing import Crossing, crossing
from tests.faults.history import Trouble, history
from tests.faults.profile import profile, seed
from tests.faults.run import Run

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(3600)]

PROFILE = profile()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def here(request: pytest.FixtureRequest) -> AsyncIterator[Crossing]:
    postgres = None
    if request.param == "postgres":
        postgres = await new_database(request.getfixturevalue("postgres"))
    async with crossing(PROFILE.links, postgres) as running:
        yield running


async def played(here: Crossing, record: pytest.FixtureRequest, rounds: int, **what: object) -> Run:
    """A run that must come out clean; its report is shown at the end of the tests."""
    number = seed()
    run = Run(here, number)
    whole = history(number, run.name, rounds=rounds, links=PROFILE.links, lines=PROFILE.lines, **what)  # type: ignore[arg-type]  # passed on
    print(f"SEED={number}")  # noqa: T201  # shown where it fails
    verdicts = await run.play(whole)
    report = run.report(verdicts)
    record.node.user_properties.append(("faults", f"{record.node.name}: {report}"))
    assert all(verdict.clean for verdict in verdicts), (report, *map(str, verdicts))
    return run


async def test_r1_killed_at_seeded_points(here: Crossing, request: pytest.FixtureRequest) -> None:
    await played(here, request, PROFILE.kills, kills=True)


async def test_r5_r8_r9_everything_stumbles(here: Crossing, request: pytest.FixtureRequest) -> None:
    run = await played(here, request, PROFILE.storms, troubles=tuple(Trouble))
    assert run.early == 0


async def test_killed_while_everything_stumbles(here: Crossing, request: pytest.FixtureRequest) -> None:
    await played(here, request, PROFILE.kills, troubles=(Trouble.EVERYTHING,), kills=True)
