"""What the admins of a community must hear about without having asked: said once, in their room, while it stays the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from haven.ids import RoomId


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to be said. ``key`` names the phrase, ``values`` fill its gaps.

    ``concern.obstacle`` (room, type, need, have): the bot lacks power in a room.
    ``concern.failed`` (room, type): the homeserver refused a change for good.
    ``concern.fight`` (room, type): somebody else keeps undoing a change; it is not made again for a while.
    ``concern.guard_removals`` (n, limit), ``concern.guard_foreign_room`` (room), ``concern.guard_lockout`` (room): a guard refused.
    ``concern.room_lost`` (room, bot): a room that the space lists and the bot is not in.
    ``concern.admins_too_many`` (n, limit): more admins than may be were made by hand in the space.
    ``concern.role_of_stranger`` (who, role): a role was given by hand to somebody who was never in the community.
    ``concern.foreign``, ``concern.unknown_community``, ``concern.second_of_its_kind``, ``concern.state_damaged``,
    ``concern.state_newer`` (room, type), and ``concern.notice`` (room, type) for any other: an event is not believed or not understood.
    """

    key: str
    values: Mapping[str, str | int] = field(default_factory=dict)


class Warns(Protocol):
    """Tells the admins. Implemented by `plugin.replies.Replies`."""

    async def warn(
        self, room: RoomId, language: str, concerns: tuple[Concern, ...], transaction: str
    ) -> None:
        """Say all of these in one message. The same ``transaction`` again is the same message. Raises `HavenError`."""
