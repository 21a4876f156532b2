"""What a whole community and its counterpart on a network last agreed on, kept in the database as JSON; and what admins were told of it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from haven.accord import Agreed, Trait
from haven.ids import ChatId, RoomId
from haven.merge import Ends

from .links import Linked
from .store import Store


@dataclass(slots=True)
class Treaty:
    """What is agreed, as it changes step by step. ``told``: what the admins know of already; ``ended``: how often something of that was so no more."""

    pairs: dict[ChatId, RoomId] = field(default_factory=dict)
    faces: dict[str, dict[Trait, Ends]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    ended: int = 0

    def forget(self, kind: str, but: Collection[str] = ()) -> None:
        """What was told of that kind is so no more, ``but`` for some; when it comes again it is news."""
        over = {told for told in self.told if told.startswith(kind)} - set(but)
        self.told -= over
        self.ended += bool(over)

    @property
    def agreed(self) -> Agreed:
        """The same for the mind."""
        return Agreed(dict(self.pairs), {scope: dict(seen) for scope, seen in self.faces.items()})

    def take(self, agreed: Agreed, beside: Mapping[ChatId, RoomId]) -> None:
        """Take over what the mind says holds, and the pairs ``beside`` that it was not shown."""
        self.pairs = {**agreed.pairs, **beside}
        untouched = {scope: seen for scope, seen in self.faces.items() if scope in beside}
        self.faces = {**untouched, **{scope: dict(seen) for scope, seen in agreed.faces.items()}}


class Treaties:
    """The treaties of all whole links."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def recall(self, link: Linked, former: RoomId | None) -> Treaty:
        """That of a link; where its space was upgraded, that of the ``former`` one."""
        kept = await self._store.recall(_key(link.room, link))
        if kept is None and former is not None:
            kept = await self._store.recall(_key(former, link))
        return _read(json.loads(kept)) if kept else Treaty()

    async def keep(self, link: Linked, treaty: Treaty) -> None:
        """Keep it; returns when it is on disk."""
        whole = {
            "pairs": treaty.pairs,
            "faces": treaty.faces,
            "told": sorted(treaty.told),
            "ended": treaty.ended,
        }
        await self._store.keep(_key(link.room, link), json.dumps(whole))

    async def tear(self, room: RoomId, key: str) -> None:
        """Forget it: the link is no more."""
        await self._store.keep(f"agreed {room} {key}", "")


def _key(room: RoomId, link: Linked) -> str:
    return f"agreed {room} {link.key}"


def _read(kept: dict[str, Any]) -> Treaty:
    faces = {
        scope: {Trait(trait): (ends[0], ends[1]) for trait, ends in seen.items()}
        for scope, seen in kept["faces"].items()
    }
    return Treaty(dict(kept["pairs"]), faces, set(kept["told"]), kept.get("ended", 0))
