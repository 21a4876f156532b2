"""Who is in each community as far as we have noticed, in the plugin's database: so that coming and going is noticed once."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mautrix.util.async_db import Database

from haven.ids import RoomId, UserId

GONE = "gone-"
"""How names begin that mean nobody."""

SEEN = ""
"""Stands among the members of a community that we have looked at before."""


def traced(about: str) -> str:
    """What a request was about, when the person it was of has left a trace only. ``about``: a room and them."""
    room, _, who = about.partition(" ")
    return f"{room} {trace_of(who)}"


def trace_of(who: str) -> str:
    """What stands for somebody who had their data erased, where it must hold that they were sent away: it is not their name, yet
    the same again when they come.
    """
    return GONE + hashlib.sha256(who.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who came. ``came``, ``greeted``, ``left``: ms since the epoch, the last two 0 for not yet.

    ``own``: they left by their own wish.
    """

    space: RoomId
    who: UserId
    came: int
    greeted: int = 0
    left: int = 0
    own: bool = False


class ArrivalStore:
    """Members as they were noticed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def members(self, space: RoomId) -> dict[UserId, Arrival]:
        """Everybody who is, or was not long ago, a member; empty before the first look."""
        rows = await self._database.fetch("SELECT * FROM arrival WHERE space=$1", space)
        return {UserId(row["who"]): _read(row) for row in rows}

    async def member(self, space: RoomId, who: UserId) -> Arrival | None:
        """One of them; also by the trace that an erased one has left."""
        row = await self._database.fetchrow(
            "SELECT * FROM arrival WHERE space=$1 AND who IN ($2, $3) ORDER BY came DESC LIMIT 1",
            space,
            who,
            trace_of(who),
        )
        return None if row is None else _read(row)

    async def keep(self, arrivals: Iterable[Arrival]) -> None:
        """Remember what is so now."""
        await self._database.executemany(
            "INSERT INTO arrival (space, who, came, greeted, gone, own) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (space, who) DO UPDATE SET came=excluded.came, greeted=excluded.greeted,"
            " gone=excluded.gone, own=excluded.own",
            [(one.space, one.who, one.came, one.greeted, one.left, int(one.own)) for one in arrivals],
        )

    async def waiting(self, space: RoomId) -> tuple[Arrival, ...]:
        """Who was not greeted yet, in the order they came."""
        rows = await self._database.fetch(
            "SELECT * FROM arrival WHERE space=$1 AND greeted=0 AND gone=0 ORDER BY came, who", space
        )
        return tuple(_read(row) for row in rows)

    async def tidy(self, before: int) -> None:
        """Forget who left before a time by their own wish. Who was put out must not come back by our forgetting it."""
        await self._database.execute("DELETE FROM arrival WHERE gone > 0 AND gone < $1 AND own=1", before)

    async def asked_since(self, space: RoomId, about: str, since: int) -> int:
        """How many cards about the same request there were since a time."""
        count = await self._database.fetchval(
            "SELECT COUNT(*) FROM card WHERE kind='knock' AND space=$1 AND about IN ($2, $3) AND made >= $4",
            space,
            about,
            traced(about),
            since,
        )
        return int(count or 0)

    async def rejected(self, space: RoomId, about: str, since: int = 0) -> bool:
        """Whether the last answer to such a request, made since a time, was no."""
        decided = await self._database.fetchval(
            "SELECT decided FROM card WHERE kind='knock' AND space=$1 AND about IN ($2, $3)"
            " AND decided IN ('approve', 'reject') AND made >= $4 ORDER BY made DESC LIMIT 1",
            space,
            about,
            traced(about),
            since,
        )
        return bool(decided == "reject")


def _read(row: Mapping[str, Any]) -> Arrival:
    return Arrival(
        RoomId(row["space"]), UserId(row["who"]), row["came"], row["greeted"], row["gone"], bool(row["own"])
    )
