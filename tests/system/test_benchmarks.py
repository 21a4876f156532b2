"""Each benchmark of the plugin, and of many rooms, runs to its end in the smallest size; what it measures is not judged, only that all of it happened."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from benchmarks import (
    absence,
    ban,
    blocking,
    crowd,
    drain,
    many,
    many_rooms,
    media,
    memory,
    stuck,
    transactions,
    wave,
)
from benchmarks.table import Table

pytestmark = [pytest.mark.system, pytest.mark.slow]

SMALLEST: Mapping[str, Callable[[Path], Awaitable[Table]]] = {
    "absence": lambda place: absence.measured(place, 4, 1),
    "ban": lambda place: ban.measured(place, 6, 1),
    "blocking": lambda place: blocking.measured(place, blocking.Sizes(4, 30, 2, 4), 1),
    "crowd": lambda place: crowd.measured(place, 300, 5, 1.0),
    "drain": lambda place: drain.measured(place, 2, 20, 1, 2.0),
    "many_rooms": lambda place: many_rooms.measured(place, 3, 3.0, 1),
    "stuck": lambda place: stuck.measured(place, 3, 3.0, 1),
    "transactions": lambda place: transactions.measured(place, 2, 3, 1),
    "many": lambda place: many.measured(place, 2, 4, 1),
    "media": lambda place: media.measured(place, [1], 1),
    "memory": lambda place: memory.measured(place, 4, 1, [memory.Case(0), memory.Case(2, 3)]),
    "wave": lambda place: wave.measured(place, wave.LIMIT + 10, 1),
}


@pytest.mark.parametrize("name", sorted(SMALLEST))
async def test_it_runs_to_its_end(name: str, own_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.calm.PATIENCE", 0.0)
    table = await SMALLEST[name](own_data)
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert _outcome(name, table), f"{table}"


def _outcome(name: str, table: Table) -> bool:
    """Whether the figures that do not depend on the machine are as they must be."""
    rows = {str(row[0]): list(row[1:]) for row in table.rows}
    match name:
        case "absence":
            return all(row[-1] == 0 for row in rows.values())
        case "drain" | "many_rooms" | "stuck":
            return _lost(table) == 0
        case "transactions":
            return rows["round 1"][:2] == [3, 0]
        case "crowd":
            return rows["round 1"][1:] == [5, 5, 6, 1]
        case "ban":
            return [row[:2] for row in rows.values()] == [[6, 6], [6, 6], [5, 5]]
        case "many":
            return rows["everything looked through"][1] == 0
        case "media":
            return len(rows) == 4
        case "wave":
            return rows["from the first who came"][-1] == 1
        case "memory":
            return len(rows) == 3
        case _:
            return all(isinstance(row[-1], int) and row[-1] > 0 for row in rows.values())


def _lost(table: Table) -> object:
    """What the only row says of what was lost."""
    return table.rows[0][list(table.columns).index("lost")]
