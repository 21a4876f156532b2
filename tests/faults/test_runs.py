"""Whole histories on real servers, on SQLite and on PostgreSQL: nothing lost, nothing twice, everything in order (R1, R5, R8, R9)."""

from typing import Any

import pytest

from tests.faults.conftest import Tell
from tests.faults.crossing import Crossing
from tests.faults.history import Trouble, history
from tests.faults.profile import profile, seed
from tests.faults.run import Run

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(3600)]

PROFILE = profile()


async def played(here: Crossing, tell: Tell, rounds: int, **what: Any) -> Run:
    """A run that must come out clean."""
    run = Run(here, seed())
    whole = history(run.seed, run.name, rounds=rounds, links=PROFILE.links, lines=PROFILE.lines, **what)
    tell(run, await run.play(whole))
    return run


async def test_r1_killed_at_seeded_points(here: Crossing, tell: Tell) -> None:
    await played(here, tell, PROFILE.kills, kills=True)


async def test_r5_r8_r9_everything_stumbles(here: Crossing, tell: Tell) -> None:
    run = await played(here, tell, PROFILE.storms, troubles=tuple(Trouble))
    assert run.early == 0


async def test_killed_while_everything_stumbles(here: Crossing, tell: Tell) -> None:
    await played(here, tell, PROFILE.kills, troubles=(Trouble.EVERYTHING,), kills=True)
