"""Says in the admins' room what is the matter with a community: each thing once, and again only after it had been mended."""

import asyncio
import json
import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from haven.absence import rooms_lost
from haven.desired import Actors
from haven.errors import HavenError
from haven.ids import RoomId, UserId
from haven.intent import Intent, Notice
from haven.model import Community, Kind, Role
from haven.snapshot import Membership, Room, World, called
from haven.stateevents import CHILD, COMMUNITY, GROUP
from haven.succession import is_prepared, latest

from .addresses import room_link
from .concerns import Concern, Warns
from .service.communities import Communities

log = logging.getLogger("haven.notices")

WORDED = frozenset(
    {
        "foreign",
        "unknown_community",
        "second_of_its_kind",
        "state_damaged",
        "state_newer",
        "owner_left",
        "replaced_by_hand",
    }
)
"""The notices that have a sentence of their own."""


class RemembersSaid(Protocol):
    """Keeps what admins were told."""

    async def said(self, space: RoomId) -> frozenset[str]:
        """What the admins of a community have been told."""

    async def set_said(self, space: RoomId, said: Iterable[str]) -> None:
        """Replace what the admins have been told by what is still so."""


@dataclass(slots=True)
class Notices:
    """Tells admins. ``language``: for communities of which we cannot read their own."""

    communities: Communities
    warns: Warns
    store: RemembersSaid
    language: str
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def report(self, space: RoomId, source: str, concerns: Iterable[Concern]) -> None:
        """Say what is new among these; what ``source`` said before and is not among them any more is mended."""
        now = {f"{source} {_identity(concern)}": concern for concern in concerns}
        async with self._turn:
            before = await self.store.said(space)
            others = {said for said in before if not said.startswith(f"{source} ")}
            new = tuple(concern for identity, concern in sorted(now.items()) if identity not in before)
            if (not new or await self._told(space, new)) and others | now.keys() != before:
                await self.store.set_said(space, others | now.keys())

    async def _told(self, space: RoomId, concerns: tuple[Concern, ...]) -> bool:
        for concern in concerns:
            log.warning("community %s: %s", space, concern.key)
        world = self.communities.rooms.world
        room = admins_room(space, world, self.communities.loop.actors.bot)
        if room is None:
            return True
        community = self.communities.one_of(world, space)
        language = community.settings.language if community else self.language
        try:
            await self.warns.warn(room, language, concerns, uuid.uuid4().hex)
        except HavenError as error:
            log.warning("the admins of %s could not be told: %s", space, error)
            return False
        return True


def admins_room(space: RoomId, world: World, bot: UserId) -> RoomId | None:
    """The admins' room of a community, also where the record of its space cannot be read any more."""
    for room in world.values():
        record = room.content(GROUP)
        ours = (record.get("community"), record.get("kind")) == (space, Kind.ADMINS) and bot in room.creators
        if ours and latest(world, room.id, bot) == room.id and not is_prepared(world, room, bot):
            return room.id
    return None


def concerns_by_space(intent: Intent, world: World, actors: Actors) -> Mapping[RoomId, tuple[Concern, ...]]:
    """The notices of an intent, the rooms that the bot was put out of, and the roles given by hand that no command would have
    given, as concerns of the communities they are about.
    """
    bot = actors.bot
    found: dict[RoomId, list[Concern]] = defaultdict(list, {space: [] for space in intent.communities})
    for notice in intent.notices:
        found[_about(notice, world[notice.room])].append(_concern(notice, world[notice.room]))
    for space, community in intent.communities.items():
        found[space] += [_lost(room, space, world, bot) for room in rooms_lost(community, world, bot)]
        found[space] += _roles_by_hand(community, world, actors) if community.deactivated is None else ()
    return {space: tuple(concerns) for space, concerns in found.items()}


def _lost(room: RoomId, space: RoomId, world: World, bot: UserId) -> Concern:
    via = world[space].content(CHILD, room).get("via")
    servers = tuple(str(server) for server in via) if isinstance(via, list) else ()
    return Concern("concern.room_lost", {"room": room_link(room, servers), "bot": bot})


def _roles_by_hand(community: Community, world: World, actors: Actors) -> Iterator[Concern]:
    """More admins than there may be, and roles of people who have never been in the community. Nothing of that is taken away."""
    admins = sum(role is Role.ADMIN for role in community.roles.values())
    limit = community.settings.admin_limit
    if admins > limit:
        yield Concern("concern.admins_too_many", {"n": admins, "limit": limit})
    spaces = (community.space, *(old.room for old in community.former))
    around = {user for space in spaces if space in world for user in world[space].members}
    around -= world[community.space].with_membership(Membership.KNOCKING)
    for user in sorted(community.roles.keys() - around - {actors.bot, actors.bridge}):
        yield Concern("concern.role_of_stranger", {"who": user, "role": community.roles[user]})


def _about(notice: Notice, room: Room) -> RoomId:
    """The community that a notice is about: the one the room claims to belong to, or the room itself where it is a space."""
    claimed = room.content(GROUP).get("community")
    if notice.event_type == COMMUNITY or not isinstance(claimed, str):
        return room.id
    return RoomId(claimed)


def _concern(notice: Notice, room: Room) -> Concern:
    key = f"concern.{notice.key if notice.key in WORDED else 'notice'}"
    return Concern(key, {"room": called(room), "type": notice.event_type})


def _identity(concern: Concern) -> str:
    """What makes a concern the same one: numbers may change meanwhile."""
    texts = {name: value for name, value in concern.values.items() if isinstance(value, str)}
    return json.dumps([concern.key, texts], sort_keys=True)
