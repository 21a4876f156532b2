"""P18: by how much the bridge's memory rises while a file of 10 MiB goes through it, each way, on a real Synapse.

The parts of the bridge that carry files run in a process of their own (`benchmarks.media_probe`); the kernel tells its highest memory. A file four
times as large says whether it is streamed; the last row, where the file is held whole on purpose, whether we would see it if it were not.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.contestant import CannotMeasure
from benchmarks.figures import median
from benchmarks.program import note, run
from benchmarks.table import Cell, Table
from embedded.places import ROOT, python
from embedded.synapse import Synapse

SIZES = (10, 40)
"""MiB."""
TOKEN, BOT = "token-of-the-benchmark", "haven-bridge"


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """Each size once in each round, each time in a process that was started anew."""
    return [await measured(directory, SIZES, rounds)]


async def measured(directory: Path, sizes: Sequence[int], rounds: int) -> Table:
    """The same with files of other sizes (in MiB)."""
    risen: dict[tuple[str, int], list[float]] = defaultdict(list)
    async with _homeserver(directory) as synapse:
        for turn in range(rounds):
            for size in sizes:
                place = directory / f"probe-{turn}-{size}"
                place.mkdir()
                for way, mib in (await _probe(synapse, size, place)).items():
                    risen[way, size].append(mib)
                    note(f"{size} MiB {way}: {mib:.1f} MiB")
    return table(risen, sizes)


@asynccontextmanager
async def _homeserver(directory: Path) -> AsyncIterator[Synapse]:
    registration: dict[str, object] = {
        "id": BOT,
        "url": None,
        "as_token": TOKEN,
        "hs_token": "unused",
        "sender_localpart": BOT,
        "rate_limited": False,
        "namespaces": {"users": [], "aliases": [], "rooms": []},
    }
    file = directory / "registration.yaml"
    file.write_text(json.dumps(registration))
    async with Synapse(directory / "synapse", appservices=[file]) as synapse:
        yield synapse


async def _probe(synapse: Synapse, size: int, place: Path) -> dict[str, float]:
    bot = f"@{BOT}:{synapse.server_name}"
    words = [synapse.url, TOKEN, bot, str(size * 1024 * 1024), str(place)]
    probe = await asyncio.create_subprocess_exec(
        python("dev"), "-m", "benchmarks.media_probe", *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await probe.communicate()
    if probe.returncode:
        raise CannotMeasure("the process that carries files failed; see above")
    risen: dict[str, float] = json.loads(out)
    return risen


def table(risen: dict[tuple[str, int], list[float]], sizes: Sequence[int]) -> Table:
    """What came out, with the bar in the title."""
    ways = list(dict.fromkeys(way for way, _ in risen))
    rows: list[list[Cell]] = [[way, *(median(risen[way, size]) for size in sizes)] for way in ways]
    title = "P18: rise of memory in MiB while a file goes through (bar: 20 for 10 MiB)"
    return Table(title, ["", *(f"{size} MiB" for size in sizes)], rows)


if __name__ == "__main__":
    run(measure, __doc__ or "", 3)
