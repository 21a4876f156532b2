"""P16: how long the bridge takes to store and answer a transaction of 100 events, pushed as a homeserver pushes them."""

import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from ruamel.yaml import YAML

from benchmarks.figures import median, percentile
from benchmarks.program import note, run
from benchmarks.rooms import Rooms, rooms
from benchmarks.table import Cell, Table

ROOMS, EVENTS, TRANSACTIONS = 10, 100, 100


async def measure(directory: Path, rounds: int) -> Sequence[Table]:
    """So many transactions, one after the other, in each round."""
    return [await measured(directory, ROOMS, TRANSACTIONS, rounds)]


async def measured(directory: Path, count: int, transactions: int, rounds: int) -> Table:
    """What came out, a row for each round. `refused`: transactions that the bridge would have again later."""
    rows: list[list[Cell]] = []
    async with rooms(directory, count) as on:
        for number in range(rounds):
            took, refused = await _push(on, number, transactions)
            rows.append(
                [
                    f"round {number + 1}",
                    len(took),
                    refused,
                    1000 * median(took),
                    1000 * percentile(took, 0.99),
                ]
            )
            note(f"{rows[-1]}")
    title = f"P16: transactions of {EVENTS} events (bar: p99 at most 50 ms)"
    return Table(title, ["", "transactions", "refused", "p50 ms", "p99 ms"], rows)


async def _push(on: Rooms, number: int, transactions: int) -> tuple[list[float], int]:
    token = YAML(typ="safe").load(on.bridge.registration.read_text())["hs_token"]
    took: list[float] = []
    refused = 0
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        for place in range(transactions):
            name = f"bench{number}.{place}"
            body = {"events": [_event(on, f"{name}.{one}", one) for one in range(EVENTS)]}
            begun = time.perf_counter()
            async with session.put(
                f"{on.bridge.url}/_matrix/app/v1/transactions/{name}", json=body
            ) as answer:
                await answer.read()
                took.append(time.perf_counter() - begun)
                refused += answer.status != 200
    return took, refused


def _event(on: Rooms, name: str, number: int) -> dict[str, object]:
    return {
        "type": "m.room.message",
        "event_id": f"${name}",
        "room_id": on.places[number % len(on.places)].room,
        "sender": on.owner.user_id,
        "origin_server_ts": int(time.time() * 1000),
        "content": {"msgtype": "m.text", "body": f"line {name}"},
    }


if __name__ == "__main__":
    run(measure, __doc__ or "", 1)
