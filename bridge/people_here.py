"""A room's side of what people may do: what its state says of the ghosts in it, and how that is changed.

In a room of a community the levels are the plugin's: there the bridge says in ``chat.haven.roles`` who has a say in the chat, and
the community decides what follows. In any other room it sets the levels itself, as far as its own reach.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from haven.errors import GiveUp, Invalid
from haven.ids import RemoteUserId, RoomId, RoomVersion, UserId
from haven.lent import ROLE_THERE, ROLES, read_roles, roles_content
from haven.model import Kind
from haven.power import PowerLevels, creators_are_infinite, step_needed
from haven.stateevents import GROUP, GroupRecord, read_group

from .homeserver import AppserviceHomeserver
from .i18n import Voice
from .links import Linked
from .networks.events import Role
from .rooms import Rooms, RoomView
from .standing import BANNED, RANKS, About, Change, Key, Rank, level_of, role_of

log = logging.getLogger(__name__)

POWER = "m.room.power_levels"
People = Mapping[RemoteUserId, UserId]
"""Who is who: a person of the network, and their ghost or the Matrix member whose account it is."""


class HereSide:
    """The rooms' side."""

    def __init__(self, homeserver: AppserviceHomeserver, rooms: Rooms, voice: Voice) -> None:
        self._homeserver = homeserver
        self._rooms = rooms
        self._voice = voice

    def ranks(self, room: RoomId) -> tuple[Rank, ...]:
        """What roles are worth in a room; nothing in one that is no place for links."""
        record = record_of(self._rooms.view(room))
        return RANKS.get(record.kind if record else None, ())

    def standing(self, room: RoomId, people: People) -> dict[Key, str]:
        """What the room says of these people."""
        view, ranks = self._rooms.view(room), self.ranks(room)
        levels = PowerLevels.parse(view.content(POWER))
        found: dict[Key, str] = {}
        for person, user in people.items():
            role = role_of(levels.of(user), ranks)
            if role is not Role.MEMBER:
                found[About.ROLE, person] = role
            if user in view.banned:
                found[About.BAN, person] = BANNED
        return found

    # --- bans -----------------------------------------------------------------------------------------------

    async def ban(self, link: Linked, user: UserId, value: str | None) -> bool:
        """Ban a ghost, or lift its ban. Whether it is so now; `TryLater` comes out."""
        try:
            if value is None:
                await self._homeserver.unban(link.room, user)
            else:
                reason = self._voice.say("people.banned_there", network=link.network)
                await self._homeserver.ban(link.room, user, reason)
        except GiveUp as error:
            log.info("A ban could not be carried into a room: %s", error)
            return False
        membership = "leave" if value is None else "ban"
        self._rooms.member(link.room, user, {"membership": membership})
        return True

    # --- roles ----------------------------------------------------------------------------------------------

    async def lend(self, link: Linked, kind: Kind, holders: Iterable[UserId]) -> None:
        """Say in a community's room who has a say in the chat; whoever else is named there is not any more."""
        view = self._rooms.view(link.room)
        content = roles_content(dict.fromkeys(holders, ROLE_THERE[kind]))
        if content == view.content(ROLES, link.key):
            return
        try:
            event = await self._homeserver.send_state(link.room, ROLES, link.key, content)
        except GiveUp as error:
            log.info("Roles could not be said in a room: %s", error)
            return
        view.note(ROLES, link.key, self._homeserver.user, content, event)

    def lent(self, link: Linked) -> frozenset[UserId]:
        """Who is said to have a say in the chat."""
        return frozenset(read_roles(self._rooms.view(link.room).content(ROLES, link.key)))

    async def give(self, link: Linked, changes: Iterable[Change], people: People) -> frozenset[Key]:
        """Set the levels in a room of no community, by one event; the changes that were within reach."""
        view, ranks = self._rooms.view(link.room), self.ranks(link.room)
        seen = PowerLevels.parse(view.content(POWER))
        if self._reach(view, seen) < seen.for_state(POWER):
            return frozenset()
        levels = start = PowerLevels.parse(await self._homeserver.state_content(link.room, POWER))
        done: set[Key] = set()
        for change in changes:
            after = _with(levels, people[change.person], level_of(Role(change.value or Role.MEMBER), ranks))
            if step_needed(start, after, self._homeserver.user) <= self._reach(view, start):
                levels = after
                done.add(change.key)
        if levels == start:
            return frozenset(done)
        content = levels.content()
        try:
            event = await self._homeserver.send_state(link.room, POWER, "", content)
        except GiveUp as error:
            log.info("Levels could not be set in a room: %s", error)
            return frozenset()
        view.note(POWER, "", self._homeserver.user, content, event)
        return frozenset(done)

    def _reach(self, view: RoomView, levels: PowerLevels) -> float:
        create = view.state.get(("m.room.create", ""))
        ours = create is not None and create.sender == self._homeserver.user
        version = view.text("m.room.create", "room_version")
        infinite = {self._homeserver.user} if ours and creators_are_infinite(RoomVersion(version)) else ()
        return levels.of(self._homeserver.user, infinite)


def _with(levels: PowerLevels, user: UserId, level: int) -> PowerLevels:
    others = {one: held for one, held in levels.users.items() if one != user}
    return replace(levels, users={**others, user: level} if level > levels.users_default else others)


def record_of(view: RoomView) -> GroupRecord | None:
    """What a room says of its place in a community, if it says anything that can be read."""
    content = view.content(GROUP)
    if not content:
        return None
    try:
        return read_group(content)
    except Invalid:
        return None
