"""What was said while nobody listened is asked for once, from where an earlier life was."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from embedded.waiting import eventually
from haven.errors import HavenError, Invalid, Unreachable
from haven.ids import RoomId
from plugin.catchup import Catchup
from plugin.store import Store
from tests.plugin.life import FastClock


@dataclass
class Teller:
    """A homeserver that has one answer, after some failures."""

    failures: list[HavenError] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def sync_since(self, place: str) -> Mapping[str, Any]:
        self.asked.append(place)
        if self.failures:
            raise self.failures.pop(0)
        return {"since": place}

    async def members_since(self, place: str, rooms: Collection[RoomId]) -> Mapping[str, Any]:
        return {"since": place, "rooms": [*rooms]}


async def lived(
    store: Store,
    teller: Teller,
    places: tuple[str, ...] = (),
    spaces: tuple[RoomId, ...] = (),
    seen: list[Mapping[str, Any]] | None = None,
) -> list[Mapping[str, Any]]:
    """One life that hears what it missed and then comes to these places; gives what it missed."""
    heard: list[Mapping[str, Any]] = []
    seen = heard if seen is None else seen
    catchup = Catchup(teller, store, heard.append, FastClock(), lambda: spaces, seen.append)
    task = asyncio.create_task(catchup.run())
    for place in places:
        catchup.came_to(place)

        async def kept(place: str = place) -> bool:
            return await store.recall("sync") == place

        await eventually(kept, "the place being kept")
    await asyncio.wait({task}, timeout=0.1)
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})
    return heard


async def test_a_first_life_has_missed_nothing(store: Store) -> None:
    teller = Teller()
    assert await lived(store, teller) == []
    assert teller.asked == []


async def test_the_next_life_asks_from_where_the_last_one_was(store: Store) -> None:
    await lived(store, Teller(), ("a", "b"))
    assert await lived(store, Teller()) == [{"since": "b"}]


async def test_what_members_did_in_the_spaces_meanwhile_is_witnessed_and_not_taken_for_news(
    store: Store,
) -> None:
    await lived(store, Teller(), ("a",))
    seen: list[Mapping[str, Any]] = []
    assert await lived(store, Teller(), (), (RoomId("!space"),), seen) == [{"since": "a"}]
    assert seen == [{"since": "a", "rooms": ["!space"]}]


@pytest.mark.parametrize(
    ("failure", "tries", "heard"),
    [(Unreachable(), 2, [{"since": "a"}]), (Invalid("homeserver_invalid"), 1, [])],
)
async def test_it_asks_again_only_where_that_helps(
    store: Store, failure: HavenError, tries: int, heard: list[Mapping[str, Any]]
) -> None:
    await lived(store, Teller(), ("a",))
    teller = Teller([failure])
    assert await lived(store, teller) == heard
    assert teller.asked == ["a"] * tries
