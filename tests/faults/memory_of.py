"""What the bridge's database knows at the moment after a kill: what it had taken, and what it was just writing out."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import asyncpg


@dataclass(frozen=True, slots=True)
class Kept:
    """Texts in the inbox, by direction. ``claimed``: out of those for networks, the messages whose parts had begun to go out."""

    for_matrix: frozenset[str]
    for_networks: frozenset[str]
    claimed: frozenset[str]


async def kept(database: str) -> Kept:
    """Reads the inbox; what was set aside is not in it, since nobody will carry it."""
    rows = await _rows(database, "SELECT lane, payload, claimed FROM inbox WHERE aside IS NULL")
    for_matrix, for_networks, claimed = set[str](), set[str](), set[str]()
    for _lane, payload, parts in rows:
        job = json.loads(payload)
        if job["to"] == "network":
            text = str(job["event"].get("content", {}).get("body"))
            for_networks.add(text)
            if parts:
                claimed.add(text)
        elif job["to"] == "matrix":
            message = json.loads(job["event"]).get("message", {})
            for_matrix.add("".join(span["text"] for span in message.get("text", ())))
    return Kept(frozenset(for_matrix), frozenset(for_networks), frozenset(claimed))


async def set_aside(database: str) -> int:
    """How many items were set aside."""
    ((number,),) = await _rows(database, "SELECT COUNT(*) FROM inbox WHERE aside IS NOT NULL")
    return int(number)


async def _rows(database: str, query: str) -> list[tuple[object, ...]]:
    if database.startswith("sqlite:"):
        file = Path(database.removeprefix("sqlite:"))
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30) as connection:
            found = connection.execute(query).fetchall()
        connection.close()
        return found
    session = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await session.fetch(query)]
    finally:
        await session.close()
