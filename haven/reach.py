"""What the bot can do in a room, by the levels there: new levels as far as they can stand, and what is out of its reach.

Source: client-server API, authorization rules of room versions 10 to 12.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from haven.changes import Ban, Change, Invite, Remove, SetState, Unban
from haven.ids import RoomId, UserId
from haven.measures import MUTED_LEVEL
from haven.power import PowerLevels, step_needed
from haven.snapshot import Room, called

POWER = "m.room.power_levels"
BEYOND = 101
"""Said to be needed where no level is enough."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that should change but that the bot may not do: ``need`` and ``have`` are power levels."""

    room: RoomId
    name: str
    type: str
    need: int
    have: int


@dataclass(frozen=True, slots=True)
class Reach:
    """One room, its ``power`` levels, and the level that the ``bot`` has by them: its ``own``; whose power is ``infinite``."""

    room: Room
    power: PowerLevels
    own: float
    bot: UserId
    infinite: frozenset[UserId] = frozenset()

    def adjusted(self, wanted: PowerLevels) -> PowerLevels:
        """``wanted`` as it can stand in the room.

        Kept as they are: the bot and the creators themselves, whoever the bot does not outrank, people without a role who
        were silenced by hand (below zero), levels of event types that are none of ours, and fields that we do not know. In a room that
        was left half made, which has no levels at all, nothing is kept.
        """
        if not self.room.content(POWER):
            listed = {user: at for user, at in wanted.users.items() if user not in self.room.infinite}
            return replace(wanted, users=listed)
        actual = self.power
        fixed = self._fixed()
        carried = {
            user: level
            for user, level in actual.users.items()
            if user in fixed or level >= self.own or (_by_hand(level) and user not in wanted.users)
        }
        given = {u: at for u, at in wanted.users.items() if u not in fixed and u not in carried}
        others = {kind: at for kind, at in actual.events.items() if not kind.startswith("chat.haven.")}
        return replace(
            wanted,
            users={**given, **carried},
            events={**others, **wanted.events},
            extra={**wanted.extra, **actual.extra},
        )

    def obstacle(self, change: Change) -> Obstacle | None:
        """What keeps the bot from a change, if anything: the level it lacks. No level is enough against a creator."""
        if isinstance(change, Remove | Ban) and change.user in self.infinite:
            return self._lacks(self._needed(change)[1], BEYOND)
        need, what = self._needed(change)
        return None if self.own >= need else self._lacks(what, need)

    def equals(self, wanted: PowerLevels) -> Iterator[Obstacle]:
        """People who should have another level, but have as much power as the bot."""
        fixed = self._fixed()
        for user, level in sorted(self.power.users.items()):
            if user not in fixed and level >= self.own and level != wanted.of(user):
                yield self._lacks(POWER, level + 1)

    def _fixed(self) -> frozenset[UserId]:
        return self.room.creators | {self.bot}

    def _lacks(self, what: str, need: int) -> Obstacle:
        return Obstacle(self.room.id, called(self.room), what, need, int(min(self.own, BEYOND - 1)))

    def _level(self, user: UserId) -> int:
        return self.power.users.get(user, self.power.users_default)

    def _needed(self, change: Change) -> tuple[int, str]:
        if isinstance(change, SetState) and change.type == POWER:
            step = step_needed(self.power, PowerLevels.parse(change.content), self.bot)
            return max(self.power.for_state(POWER), step), POWER
        if isinstance(change, SetState):
            return self.power.for_state(change.type), change.type
        if isinstance(change, Invite):
            return self.power.invite, "invite"
        if isinstance(change, Remove):
            return max(self.power.kick, self._level(change.user) + 1), "kick"
        if isinstance(change, Ban):
            return max(self.power.ban, self._level(change.user) + 1), "ban"
        if isinstance(change, Unban):
            return max(self.power.ban, self.power.kick, self._level(change.user) + 1), "ban"
        return 0, ""


def _by_hand(level: int) -> bool:
    """Whether somebody was silenced by a person: a mute of ours that has ended leaves its own level behind."""
    return level < 0 and level != MUTED_LEVEL
