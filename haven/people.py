"""Who has to be asked in, put out, banned and unbanned, so that a room has the people it is meant to have.

The space is the truth: who is banned there is banned in every room, also where they never were; who left it, or was put out,
leaves every room. A ban that the bot set with `FOLLOWS` at the beginning of its reason came from the space and ends with the one
there; any other was set for that room alone, and stays. Who never was in the space is a guest of a room and left alone.
"""

from collections.abc import Iterator

from haven.changes import Ban, Change, Invite, Remove, Unban
from haven.desired import DesiredRoom, Outside
from haven.ids import UserId
from haven.snapshot import PRESENT, Membership, Room
from haven.stateevents import GROUP

FOLLOWS = "🏘"
"""How the reason of a ban begins that came from the space. An upgrade of the room carries it along, though not who set it."""


def people_changes(desired: DesiredRoom, room: Room, bot: UserId) -> Iterator[Change]:
    """What brings the people of a room in step. Bans are lifted before anybody is asked in."""
    outside = desired.outside
    if outside is None:
        return
    lifted = _lifted(desired, outside, room, bot)
    for user in lifted:
        yield Unban(room.id, desired.name, user)
    for user in _missing(desired, outside, room, lifted):
        yield Invite(room.id, desired.name, user)
    yield from _removals(desired, outside, room)
    yield from _bans(desired, outside, room)


def _lifted(desired: DesiredRoom, outside: Outside, room: Room, bot: UserId) -> tuple[UserId, ...]:
    """In the space, every ban that is not meant; in a room, those that had followed the space."""
    surplus = (
        user
        for user, how in room.expulsions.items()
        if user not in outside.banned
        and room.members.get(user) is Membership.BANNED
        and (desired.space or (how.by == bot and how.reason.startswith(FOLLOWS)))
    )
    return tuple(sorted(surplus))


def _missing(
    desired: DesiredRoom, outside: Outside, room: Room, lifted: tuple[UserId, ...]
) -> tuple[UserId, ...]:
    """Who is wanted and neither present nor banned, and, unless an account of ours, not gone by their own choice."""
    half_made = not desired.space and not room.content(GROUP)
    wanted = desired.guests | frozenset(desired.newcomers if half_made else ())
    helpers = {user for user in desired.helpers if room.members.get(user) not in _SETTLED}
    guests = {
        user
        for user in wanted
        if (user in lifted or room.members.get(user) not in _SETTLED | {Membership.LEFT})
        and not (user in outside.banned or user in outside.removed or user in outside.left)
    }
    return tuple(sorted(helpers | guests))


_SETTLED = PRESENT | {Membership.BANNED}


def _removals(desired: DesiredRoom, outside: Outside, room: Room) -> Iterator[Remove]:
    """Who is present, and is not of the community any more or not of those a room is for.

    Nobody can remove a creator of version 12: where they are only too many, that is not worth a word.
    """
    gone = (outside.removed.keys() | outside.left) & room.members.keys() - outside.banned.keys()
    for user in sorted(user for user in gone if room.members[user] in PRESENT):
        reason = outside.removed.get(user, "")
        yield Remove(room.id, desired.name, user, reason, decided=user in outside.decided)
    if desired.only is not None:
        around = room.with_membership(*PRESENT, Membership.KNOCKING)
        for user in sorted(around - desired.only - room.infinite - gone - outside.banned.keys()):
            yield Remove(room.id, desired.name, user)


def _bans(desired: DesiredRoom, outside: Outside, room: Room) -> Iterator[Ban]:
    """In a room the ban says by its reason that it follows the space."""
    mark = "" if desired.space else FOLLOWS
    for user in sorted(outside.banned):
        if room.members.get(user) is not Membership.BANNED:
            reason = f"{mark} {outside.banned[user]}".strip()
            yield Ban(room.id, desired.name, user, reason, decided=user in outside.decided)
