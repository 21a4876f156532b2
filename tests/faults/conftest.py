"""The crossing that the tests of a file share, on either database; and the seeds and figures of all runs at the end."""

from collections.abc import AsyncIterator, Callable, Iterable

import pytest

from tests.databases import new_database
from tests.faults.crossing import Crossing, crossing
from tests.faults.profile import profile, seed
from tests.faults.run import Run
from tests.faults.verdict import Verdict

Tell = Callable[[Run, Iterable[Verdict]], None]
"""Notes how a run went, for the end of the tests; fails where a way is not clean."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def here(request: pytest.FixtureRequest) -> AsyncIterator[Crossing]:
    """Everything at work, the bridge's database on SQLite, then on PostgreSQL."""
    postgres = None
    if request.param == "postgres":
        postgres = await new_database(request.getfixturevalue("postgres"))
    async with crossing(profile().links, postgres) as running:
        yield running


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """See `Tell`."""

    def note(run: Run, verdicts: Iterable[Verdict]) -> None:
        found = list(verdicts)
        report = run.report(found)
        request.node.user_properties.append(("faults", report))
        wrong = [str(verdict) for verdict in found if not verdict.clean]
        assert not wrong, f"{report}; SEED={run.seed} plays it again"

    return note


def pytest_report_header() -> str:
    """The seed stands at the beginning, too, should the end never come."""
    return f"faults: the {profile().name} profile, SEED={seed()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a run: its seed, what was said, what went wrong on the way."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "faults" and report.when == "call":
                    terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
