"""The communities of this bot: read from the cache, read anew, changed, planned and repaired."""

from collections.abc import Callable
from dataclasses import dataclass

from haven.guards import Bounds
from haven.ids import RoomId, UserId
from haven.intent import Intent
from haven.model import Community
from haven.plan import Plan
from haven.reconcile import Outcome, Progress

Edit = Callable[[Community], Community]
"""From what is meant to what shall be meant. Called again in every round, so doing it twice must be doing it once."""

Check = Callable[[Community], None]
"""Raises `NotAllowed` or `Invalid` where a change must not be made; called once, with what was read just now."""


async def _silent(done: int, total: int) -> None:
    """Nobody wants to know."""


def _allowed(community: Community) -> None:
    """Anything goes."""


@dataclass(slots=True)
class Communities:
    """All communities of this bot."""

    async def intent(self) -> Intent:
        """All communities, as the cache knows them: asks the server only about rooms that changed. Raises `TryLater`."""
        raise NotImplementedError

    async def of_room(self, room: RoomId) -> Community | None:
        """The community whose space or room this is; from the cache."""
        raise NotImplementedError

    async def fresh(self, space: RoomId) -> Community:
        """One community after its space has been read anew (one request), so that rights hold now.

        Raises `Missing` where there is none, `TryLater` where the server does not answer.
        """
        raise NotImplementedError

    async def is_member(self, space: RoomId, user: UserId) -> bool:
        """Whether somebody is joined to the space; from the cache."""
        raise NotImplementedError

    async def change(
        self,
        space: RoomId,
        edit: Edit,
        *,
        check: Check = _allowed,
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
        progress: Progress = _silent,
    ) -> Outcome:
        """Change what is meant and bring the rooms in step, alone in this community.

        The space is read anew first (one request; no need to call `fresh` before), then ``check`` is asked once; then each
        round makes rooms what ``edit`` gives for what they mean now. Raises what ``check`` and ``edit`` raise, and as `fresh`.
        """
        raise NotImplementedError

    async def plan(self, space: RoomId) -> Plan:
        """What would bring the community in step; all its rooms are read anew. Raises as `fresh`."""
        raise NotImplementedError

    async def repair(
        self,
        space: RoomId,
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
        progress: Progress = _silent,
    ) -> Outcome:
        """Bring the community in step with itself; all its rooms are read anew. Raises as `fresh`."""
        raise NotImplementedError
