"""What keeps a community safe for a while: mutes and lockdown, as values and as they stand in ``chat.haven.community``.

A time is ms since the epoch and comes from outside: `haven.model.Community.at` forgets what has ended by then. Reading never
fails; what cannot be read as a mute is kept when the record is written again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from haven.ids import RoomId, UserId, is_user_id
from haven.ports import Content

MUTED_LEVEL = -2
"""The level of who is muted by us. Somebody silenced by hand in a client has -1 there, and keeps it."""

CLOSED_LEVEL = -1
"""What everybody without a role has where only people with one may speak: below all that a room can ask for."""


@dataclass(frozen=True, slots=True)
class Mute:
    """Somebody must not speak: ``until`` a time, or until it is taken back; in some ``rooms``, or in all where none is named."""

    until: int | None = None
    rooms: frozenset[RoomId] = frozenset()

    def holds_in(self, room: RoomId) -> bool:
        """Whether it is about a room."""
        return not self.rooms or room in self.rooms

    def ended(self, now: int) -> bool:
        """Whether its time is over."""
        return self.until is not None and self.until <= now

    def and_also(self, other: "Mute") -> "Mute":
        """Both at once: in the rooms of either, until the later end of the two."""
        everywhere = not self.rooms or not other.rooms
        ends = None if self.until is None or other.until is None else max(self.until, other.until)
        return Mute(ends, frozenset() if everywhere else self.rooms | other.rooms)


@dataclass(frozen=True, slots=True)
class Lockdown:
    """Only people with a role speak, and nobody comes in, until it is opened: who closed it, when (ms), and why."""

    by: UserId
    at: int
    why: str = ""


def moved_mutes(mutes: Mapping[UserId, Mute], moved: Mapping[RoomId, RoomId]) -> Mapping[UserId, Mute]:
    """The same mutes in the rooms that took the place of others."""
    if not any(room in moved for mute in mutes.values() for room in mute.rooms):
        return mutes
    return {
        user: Mute(mute.until, frozenset(moved.get(room, room) for room in mute.rooms))
        for user, mute in mutes.items()
    }


def read_mutes(value: object) -> dict[UserId, Mute]:
    """Mutes out of JSON, as far as they can be read."""
    pairs = value.items() if isinstance(value, Mapping) else ()
    read = ((user, _read_mute(said)) for user, said in pairs if isinstance(user, str) and is_user_id(user))
    return {UserId(user): mute for user, mute in read if mute is not None}


def _read_mute(said: object) -> Mute | None:
    """Never a longer or wider mute than was meant: what has an end or rooms that cannot be read is none."""
    if not isinstance(said, Mapping):
        return None
    until, rooms = said.get("until"), said.get("rooms", [])
    if (until is not None and not _is_time(until)) or not isinstance(rooms, list):
        return None
    if not all(isinstance(room, str) and room for room in rooms):
        return None
    return Mute(until, frozenset(RoomId(room) for room in rooms))


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def mutes_content(mutes: Mapping[UserId, Mute], before: object) -> Content:
    """Mutes as JSON, on top of what was there ``before``, of which all stays that cannot be read."""
    read = read_mutes(before)
    pairs = before.items() if isinstance(before, Mapping) else ()
    unread = {str(user): said for user, said in pairs if user not in read}
    return {**unread, **{user: _mute_content(mute) for user, mute in mutes.items()}}


def _mute_content(mute: Mute) -> Content:
    until = {} if mute.until is None else {"until": mute.until}
    return {**until, **({"rooms": sorted(mute.rooms)} if mute.rooms else {})}


def read_lockdown(value: object) -> Lockdown | None:
    """The lockdown out of JSON. Any object there stands for one, whatever it leaves out: nothing is opened by damage."""
    if not isinstance(value, Mapping):
        return None
    by, at, why = value.get("by"), value.get("at"), value.get("why")
    return Lockdown(
        UserId(by if isinstance(by, str) else ""),
        at if isinstance(at, int) and not isinstance(at, bool) else 0,
        why if isinstance(why, str) else "",
    )


def lockdown_content(lockdown: Lockdown, before: object) -> Content:
    """The lockdown as JSON, on top of what was there ``before``, whose unknown fields stay."""
    kept = before if isinstance(before, Mapping) else {}
    return {**kept, "by": lockdown.by, "at": lockdown.at, "why": lockdown.why}
