"""What the bridge's database knows at the moment after a kill: what it had taken, and what it was just writing out."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands in the inbox: texts on their way into rooms, and by text how many parts of those for networks had been
    claimed.
    """

    for_matrix: frozenset[str]
    claimed: Mapping[str, int]


async def kept(database: str) -> Kept:
    """Reads the inbox; what was set aside is not in it, since nobody will carry it."""
    rows = await _rows(database, "SELECT payload, claimed FROM inbox WHERE aside IS NULL")
    jobs = [(json.loads(payload), parts) for payload, parts in rows]
    return Kept(
        frozenset(_words(job["event"]) for job, _ in jobs if job["to"] == "matrix"),
        {_body(job["event"]): parts for job, parts in jobs if job["to"] == "network"},
    )


async def set_aside(database: str) -> int:
    """How many items were set aside."""
    ((number,),) = await _rows(database, "SELECT COUNT(*) FROM inbox WHERE aside IS NOT NULL")
    return int(number)


def _words(spelled: str) -> str:
    message = json.loads(spelled).get("message", {})
    return "".join(span["text"] for span in message.get("text", ()))


def _body(event: Mapping[str, Any]) -> str:
    return str(event.get("content", {}).get("body"))


async def _rows(database: str, query: str) -> list[tuple[Any, ...]]:
    if database.startswith("sqlite:"):
        # Not read-only: after a kill it may have to be mended from its journal first.
        connection = sqlite3.connect(database.removeprefix("sqlite:"), timeout=30)
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
        connection.close()
        return found
    session = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await session.fetch(query)]
    finally:
        await session.close()
