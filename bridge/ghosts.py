"""Ghosts: the Matrix users in whose names people from other networks speak.

A ghost's id is a keyed hash, so that it tells nobody a number or an address. It is registered and joins a
room when its person first speaks there: registered, invited by the bot, joined under its name, and then the
message: four requests for somebody new, one for anybody else.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from weakref import WeakValueDictionary

from haven.errors import GiveUp, HavenError, Refused, TryLater
from haven.ids import GHOSTS, Network, RemoteUserId, RoomId, UserId

from .convert.names import safe_name, without_numbers
from .faces import Faces
from .homeserver import AppserviceHomeserver
from .networks.events import Person
from .pictures import Pictures
from .rooms import Rooms
from .store import Known, Store

log = logging.getLogger(__name__)


class Ghosts:
    """All ghosts of the bridge. ``load`` first."""

    def __init__(
        self,
        homeserver: AppserviceHomeserver,
        store: Store,
        rooms: Rooms,
        *,
        key: bytes,
        domain: str,
        name: str,
        pictures: Pictures,
    ) -> None:
        self._homeserver = homeserver
        self._store = store
        self._rooms = rooms
        self._key = key
        self._domain = domain
        self._faces = Faces(name)
        self._pictures = pictures
        self._people: dict[tuple[Network, RemoteUserId], Known] = {}
        self._ids: dict[UserId, Known] = {}
        self._turns: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    async def load(self) -> None:
        """Read who has a ghost."""
        for known in await self._store.people():
            self._note(known)

    def owns(self, user: UserId) -> bool:
        """Whether a user is a ghost of ours."""
        return user.startswith(f"@{GHOSTS}") and user.endswith(f":{self._domain}")

    def person(self, ghost: UserId) -> Known | None:
        """Who is behind a ghost."""
        return self._ids.get(ghost)

    def ghost(self, network: Network, remote: RemoteUserId) -> UserId | None:
        """The ghost of a person, where they have one."""
        known = self._people.get((network, remote))
        return known.ghost if known else None

    def of_network(self, network: Network, users: Iterable[UserId]) -> dict[RemoteUserId, UserId]:
        """Those of ``users`` who are ghosts of people of a network, by the person."""
        known = (self._ids[user] for user in users if user in self._ids)
        return {one.remote: one.ghost for one in known if one.network == network}

    def called(self, ghost: UserId) -> str:
        """The name of a ghost's person, safe to show; "" for who is no ghost."""
        known = self._ids.get(ghost)
        return safe_name(without_numbers(known.name), "?") if known else ""

    async def speaker(self, network: Network, person: Person, room: RoomId) -> AppserviceHomeserver:
        """The ghost of ``person``, in ``room`` and with their face: registered, invited and joined only
        where it must be.
        """
        known = await self._named(network, person)
        ghost = self._homeserver.as_user(known.ghost)
        view = self._rooms.view(room)
        if known.ghost in view.banned:
            raise Refused("homeserver_refused")
        if known.ghost not in view.joined and not view.public:
            await self._invite(room, known.ghost)
        await self._in_step(known, room, join=True)
        return ghost

    async def rename(self, network: Network, before: RemoteUserId, person: Person) -> None:
        """Give a ghost its person's new name and picture in all rooms it is in, where there is a ghost. Where
        names are ids, the ghost goes with the person.
        """
        known = self._people.get((network, before))
        taken = before != person.id and (network, person.id) in self._people
        if known is None or taken:
            return
        try:
            await self._keep(replace(known, remote=person.id), person)
        except BaseException:
            self._people.pop((network, person.id), None)
            self._note(known)
            raise
        if before != person.id:
            del self._people[network, before]

    async def _show_everywhere(self, known: Known) -> None:
        for room in self._rooms.where(known.ghost):
            try:
                await self._in_step(known, room)
            except GiveUp as error:  # one room that refuses must not keep the others
                log.info("A ghost could not be renamed in a room: %s", error)

    async def in_step(self, network: Network, room: RoomId) -> None:
        """Show every ghost of a network that is in the room as it is to be shown; those that are stay as they are."""
        for ghost in tuple(self._rooms.view(room).joined):
            known = self._ids.get(ghost)
            if known is not None and known.network == network:
                with suppress(GiveUp):
                    await self._in_step(known, room)

    async def _in_step(self, known: Known, room: RoomId, *, join: bool = False) -> None:
        """Show the ghost as it is to be shown where it is, or ``join``. One at a time: else two would send the same event."""
        async with self._turns.setdefault(known.ghost, asyncio.Lock()):
            view, known = self._rooms.view(room), self._ids.get(known.ghost, known)
            if known.ghost not in view.joined and not join:
                return
            if known.ghost not in view.joined or view.face(known.ghost) != self._faces.of(known, view):
                await self._show(known, room)

    async def leave(self, network: Network, remote: RemoteUserId, room: RoomId) -> None:
        """The ghost leaves the room, where it is there."""
        ghost = self.ghost(network, remote)
        if ghost is not None and ghost in self._rooms.view(room).joined:
            await self._homeserver.as_user(ghost).leave(room)
            self._rooms.member(room, ghost, {"membership": "leave"})

    async def leave_all(self, network: Network, room: RoomId) -> None:
        """All ghosts of a network leave the room."""
        for ghost in [user for user in self._rooms.view(room).joined if self.owns(user)]:
            known = self._ids.get(ghost)
            if known is not None and known.network == network:
                with suppress(GiveUp):  # one that may not leave must not keep the others
                    await self.leave(network, known.remote, room)

    def lost(self, room: RoomId, ghost: UserId) -> None:
        """The homeserver does not let the ghost speak: it is not in the room after all."""
        self._rooms.member(room, ghost, {"membership": "leave"})

    async def _named(self, network: Network, person: Person) -> Known:
        known = self._people.get((network, person.id))
        if known is None:
            ghost = self._new_id(network, person.id)
            await self._homeserver.as_user(ghost).register()
            known = Known(ghost, network, person.id, "")
        elif (known.name, known.picture) == (person.name, person.picture):
            return known
        return await self._keep(known, person)

    async def _keep(self, before: Known, person: Person) -> Known:
        """Take over a person's name and picture: shown wherever the ghost is, and only then remembered, so that a crash in between is
        made good when they are next heard of.
        """
        known = await self._painted(replace(before, name=person.name), person)
        if known == self._ids.get(known.ghost):
            return known
        self._note(known)
        try:
            await self._show_everywhere(known)
            await self._store.keep_person(known)
        except BaseException:
            self._note(before)  # so that whoever tries again does it all
            raise
        return known

    async def _painted(self, known: Known, person: Person) -> Known:
        if person.picture == known.picture:
            return known
        avatar = await self._pictures.brought(known.network, person)
        return known if avatar is None else replace(known, picture=person.picture, avatar=avatar)

    def _note(self, known: Known) -> None:
        self._people[known.network, known.remote] = known
        self._ids[known.ghost] = known

    def _new_id(self, network: Network, remote: RemoteUserId) -> UserId:
        """120 bits of HMAC-SHA256. Where a ghost went with a renamed person, whoever has the old name now
        gets another.
        """
        again = 0
        while True:
            words = f"{network}\0{remote}\0{again}" if again else f"{network}\0{remote}"
            digest = hmac.digest(self._key, words.encode(), hashlib.sha256)[:15]
            short = base64.b32encode(digest).decode().lower()
            ghost = UserId(f"@{GHOSTS}{network}_{short}:{self._domain}")
            if ghost not in self._ids:
                return ghost
            again += 1

    async def _invite(self, room: RoomId, ghost: UserId) -> None:
        try:
            await self._homeserver.invite(room, ghost)
        except TryLater:
            raise
        except HavenError as error:
            # Invited before, or joined after all: the join will tell. A real refusal comes out of it as well.
            log.info("A ghost could not be invited: %s", error)

    async def _show(self, known: Known, room: RoomId) -> None:
        """Join with a face, or change it, by one request: the ghost's own member event (spec:
        ``m.room.member``).
        """
        face = self._faces.of(known, self._rooms.view(room))
        avatar = {"avatar_url": face.avatar} if face.avatar else {}
        content = {"membership": "join", "displayname": face.name, **avatar}
        await self._homeserver.as_user(known.ghost).send_state(room, "m.room.member", known.ghost, content)
        self._rooms.member(room, known.ghost, content)
