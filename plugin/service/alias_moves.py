"""Has the aliases of a room that was upgraded lead to the new one, as far as they are ours to move.

An alias cannot be moved in one request; the homeserver takes a dropped one out of the old room's state by itself. All of them are kept before the first is taken away, so that none is lost by a crash
in between. Those of other servers stay where they are: only there they can be changed.
"""

import json
import logging
from dataclasses import dataclass
from typing import Protocol

from haven.errors import GiveUp, Missing
from haven.ids import RoomId
from haven.ports import Content
from haven.snapshot import World

from .communities import Communities

log = logging.getLogger("haven.aliases")

MEMORY = "aliases"
"""How what is kept begins; the old room follows."""

CANONICAL = "m.room.canonical_alias"


class NamesRooms(Protocol):
    """The directory of the homeserver."""

    async def aliases(self, room: RoomId) -> tuple[str, ...]:
        """``GET /rooms/{room}/aliases``: those of our server that lead to a room."""

    async def add_alias(self, alias: str, room: RoomId) -> None:
        """``PUT /directory/room/{alias}``. Raises `Invalid` where it leads somewhere already."""

    async def drop_alias(self, alias: str) -> None:
        """``DELETE /directory/room/{alias}``. Raises `Refused` where it is not ours."""

    async def resolve(self, alias: str) -> tuple[RoomId, tuple[str, ...]]:
        """``GET /directory/room/{alias}``: where it leads. Raises `Missing`."""


class RemembersNames(Protocol):
    """Keeps small things by name. Implemented by `plugin.store.Store`."""

    async def recall(self, name: str) -> str:
        """What is kept by a name; "" for nothing."""

    async def keep(self, name: str, value: str) -> None:
        """Keep something by a name."""


@dataclass(frozen=True, slots=True)
class AliasMoves:
    """Moves aliases. Doing it again goes on where it stopped."""

    communities: Communities
    directory: NamesRooms
    memory: RemembersNames

    async def move(self, old: RoomId, new: RoomId) -> None:
        """Take all of them from one room to another. Raises `TryLater`."""
        world = self.communities.rooms.world
        said = await self._kept(old, world)
        moved = [alias for alias in said if await self._moved(alias, old, new)]
        shown = _content(said, moved, world[new].content(CANONICAL))
        if shown != world[new].content(CANONICAL):
            await self.communities.loop.hands.send_state(new, CANONICAL, "", shown)
        await self._keep(old, {})

    async def _kept(self, old: RoomId, world: World) -> dict[str, str]:
        """All aliases, each with how the room shows it: as its ``alias``, among its ``alt_aliases``, or not at all."""
        kept = await self.memory.recall(f"{MEMORY} {old}")
        if kept:
            return {str(alias): str(how) for alias, how in json.loads(kept).items()}
        content = world[old].content(CANONICAL)
        more, main = content.get("alt_aliases"), content.get("alias")
        said = dict.fromkeys(await self.directory.aliases(old), "")
        said |= {
            alias: "alt_aliases"
            for alias in (more if isinstance(more, list) else [])
            if isinstance(alias, str)
        }
        said |= {main: "alias"} if isinstance(main, str) and main else {}
        await self._keep(old, said)
        return said

    async def _keep(self, old: RoomId, said: dict[str, str]) -> None:
        await self.memory.keep(f"{MEMORY} {old}", json.dumps(said) if said else "")

    async def _moved(self, alias: str, old: RoomId, new: RoomId) -> bool:
        """Whether an alias leads to the new room now."""
        try:
            if await self._leads(alias) == old:
                await self.directory.drop_alias(alias)
            if await self._leads(alias) is None:
                await self.directory.add_alias(alias, new)
        except GiveUp as error:
            log.info("an alias could not be moved: %s", error)
        return await self._leads(alias) == new

    async def _leads(self, alias: str) -> RoomId | None:
        try:
            return (await self.directory.resolve(alias))[0]
        except Missing:
            return None


def _content(said: dict[str, str], moved: list[str], before: Content) -> Content:
    """``m.room.canonical_alias`` of the new room: what the old one showed, as far as it leads here, on top of what is there."""
    main = [alias for alias in moved if said[alias] == "alias"]
    more = [alias for alias in moved if said[alias] == "alt_aliases"]
    return {**before, **({"alias": main[0]} if main else {}), **({"alt_aliases": more} if more else {})}
