"""The ports of the mind as one user of the fake homeserver."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from haven.errors import Invalid, Missing, Refused
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.ports import Content, NewRoom, StateEvent
from plugin.events import Posted, Reaction, posted, reaction
from plugin.homeserver_files import File, shown
from plugin.homeserver_messages import Page
from plugin.safety.server_reports import Reported
from tests.fakes import homeserver_aliases as aliases
from tests.fakes import homeserver_membership as membership
from tests.fakes.homeserver_creation import VERSIONS
from tests.fakes.homeserver_faults import Killed, Request
from tests.fakes.homeserver_hierarchy import hierarchy
from tests.fakes.homeserver_room import Draft, Event, Room, State, copied

if TYPE_CHECKING:
    from tests.fakes.homeserver import FakeHomeserver


class FakeClient:
    """One user's eyes and hands, for one life of a process: once killed it stays dead (see `Faults.kill`)."""

    def __init__(self, server: "FakeHomeserver", user: UserId) -> None:
        self._server = server
        self._user = user
        self._dead = False

    @property
    def user(self) -> UserId:
        """The user whose eyes and hands this is."""
        return self._user

    async def joined_rooms(self) -> tuple[RoomId, ...]:
        """See `haven.ports.ListsRooms`."""
        async with self._asking("joined_rooms"):
            rooms = self._server.rooms.values()
            return tuple(room.id for room in rooms if room.membership(self._user) == "join")

    async def room_state(self, room: RoomId) -> tuple[StateEvent, ...]:
        """See `haven.ports.ReadsRoom`."""
        async with self._asking("room_state", room):
            seen, state = self._seen(room)
            return tuple(seen.events[event].as_state() for event in state.values())

    async def state_content(self, room: RoomId, event_type: str, key: str = "") -> Content:
        """See `haven.ports.ReadsState`."""
        async with self._asking("state_content", room, event_type):
            seen, state = self._seen(room)
            event = state.get((event_type, key))
            if event is None:
                raise Missing("homeserver_missing", code="M_NOT_FOUND")
            return copied(seen.events[event].content)

    async def create_room(self, room: NewRoom) -> RoomId:
        """See `haven.ports.CreatesRoom`."""
        async with self._asking("create_room", about=room.name):
            return self._server.create(self._user, room)

    async def send_state(self, room: RoomId, event_type: str, key: str, content: Content) -> EventId:
        """See `haven.ports.SendsState`."""
        async with self._asking("send_state", room, event_type):
            draft = Draft(self._user, event_type, copied(content), key)
            return self._server.put(self._server.entered(room), draft).id

    async def send_message(
        self, room: RoomId, event_type: str, content: Content, transaction: str
    ) -> EventId:
        """See `haven.ports.SendsMessage`."""
        async with self._asking("send_message", room, event_type):
            draft = Draft(self._user, event_type, copied(content))
            return self._server.send(self._server.entered(room), draft, transaction)

    async def send_file(self, room: RoomId, file: File, transaction: str) -> EventId:
        """See `plugin.homeserver_files.SendsFiles`: two requests, as it is."""
        async with self._asking("upload"):
            url = f"mxc://{self._server.name}/{len(self._server.media)}"
            self._server.media[url] = file.data
        return await self.send_message(room, "m.room.message", shown(file, url, None), transaction)

    async def redact(self, room: RoomId, event: EventId, reason: str, transaction: str) -> EventId:
        """See `haven.ports.Redacts`."""
        async with self._asking("redact", room, event):
            if room not in self._server.rooms:
                raise Missing("homeserver_missing", code="M_NOT_FOUND")
            content = {"reason": reason} if reason else {}
            draft = Draft(self._user, "m.room.redaction", content, redacts=event)
            return self._server.send(self._server.rooms[room], draft, transaction)

    async def invite(self, room: RoomId, user: UserId) -> None:
        """See `haven.ports.Invites`."""
        async with self._asking("invite", room, user):
            membership.invite(self._server, room, self._user, user)

    async def kick(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """See `haven.ports.Kicks`."""
        async with self._asking("kick", room, user):
            membership.kick(self._server, room, self._user, user, reason)

    async def ban(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """See `haven.ports.Bans`."""
        async with self._asking("ban", room, user):
            membership.ban(self._server, room, self._user, user, reason)

    async def unban(self, room: RoomId, user: UserId) -> None:
        """See `haven.ports.Unbans`."""
        async with self._asking("unban", room, user):
            membership.unban(self._server, room, self._user, user)

    async def join(self, room: RoomId, via: Sequence[str] = ()) -> None:
        """See `haven.ports.Joins`."""
        async with self._asking("join", room):
            membership.join(self._server, room, self._user, via)

    async def join_for(self, room: RoomId, user: UserId) -> None:
        """See `plugin.entrance.everybody.JoinsOthers`: as Synapse does it, by an invitation where the room is not public."""
        async with self._asking("join_for", room, user):
            if self._user not in self._server.admins:
                raise Refused("homeserver_refused", code="M_FORBIDDEN")
            membership.invite(self._server, room, self._user, user)
            membership.join(self._server, room, user, ())

    async def knock(self, room: RoomId, via: Sequence[str] = (), reason: str = "") -> None:
        """See `haven.ports.Knocks`."""
        async with self._asking("knock", room):
            membership.knock(self._server, room, self._user, via, reason)

    async def resolve(self, alias: str) -> tuple[RoomId, tuple[str, ...]]:
        """See `plugin.safety.lists.ResolvesAliases`: every canonical alias is one here."""
        async with self._asking("resolve", about=alias):
            if alias in self._server.aliases:
                return self._server.aliases[alias][0], (self._server.name,)
            for room in self._server.rooms.values():
                if room.content("m.room.canonical_alias").get("alias") == alias:
                    return room.id, (self._server.name,)
            raise Missing("homeserver_missing", code="M_NOT_FOUND")

    async def aliases(self, room: RoomId) -> tuple[str, ...]:
        """See `plugin.service.alias_moves.NamesRooms`."""
        async with self._asking("aliases", room):
            self._seen(room)
            return aliases.of_room(self._server, room)

    async def add_alias(self, alias: str, room: RoomId) -> None:
        """See `plugin.service.alias_moves.NamesRooms`."""
        async with self._asking("add_alias", room, alias):
            aliases.add(self._server, self._user, alias, room)

    async def drop_alias(self, alias: str) -> None:
        """See `plugin.service.alias_moves.NamesRooms`."""
        async with self._asking("drop_alias", about=alias):
            aliases.drop(self._server, self._user, alias)

    async def is_listed(self, room: RoomId) -> bool:
        """See `plugin.service.adoptions.ListsNowhere`."""
        async with self._asking("is_listed", room):
            return room in self._server.directory

    async def unlist(self, room: RoomId) -> None:
        """See `plugin.service.adoptions.ListsNowhere`."""
        async with self._asking("unlist", room):
            aliases.unlist(self._server, self._user, room)

    async def event_reports(self, start: int) -> tuple[tuple[Reported, ...], int]:
        """See `plugin.safety.server_reports.TellsReports`: pages of two."""
        async with self._asking("event_reports"):
            if self._user not in self._server.admins:
                raise Refused("homeserver_refused", code="M_FORBIDDEN")
            newest = self._server.reports[::-1]
            return tuple(newest[start : start + 2]), start + 2 if start + 2 < len(newest) else 0

    async def state_before(self, room: RoomId, event: EventId) -> StateEvent | None:
        """See `plugin.safety.mending.ReadsBefore`."""
        async with self._asking("state_before", room, event):
            seen, _ = self._seen(room)
            after = seen.events[event]
            same = [e for e in seen.timeline if (e.type, e.key) == (after.type, after.key)]
            place = [e.id for e in same].index(event)
            return same[place - 1].as_state() if place else None

    async def leave(self, room: RoomId) -> None:
        """See `haven.ports.Leaves`."""
        async with self._asking("leave", room):
            membership.leave(self._server, room, self._user)

    async def hierarchy(self, space: RoomId) -> tuple[RoomId, ...]:
        """See `haven.ports.ReadsHierarchy`."""
        async with self._asking("hierarchy", space):
            return hierarchy(self._server, space, self._user)

    async def room_versions(self) -> frozenset[RoomVersion]:
        """See `plugin.service.upgrades.Upgrading`."""
        async with self._asking("room_versions"):
            return frozenset(RoomVersion(version) for version in VERSIONS)

    async def reactions(self, room: RoomId, event: EventId) -> tuple[Reaction, ...]:
        """See `plugin.homeserver_messages.ReadsReactions`."""
        async with self._asking("reactions", room, event):
            seen, _ = self._seen(room)
            reactions = (each for each in seen.timeline if each.type == "m.reaction")
            raw = ({"event_id": e.id, "sender": e.sender, "content": e.content} for e in reactions)
            read = [each for each in (reaction(one, room, self._user) for one in raw) if each is not None]
            return tuple(each for each in read if each.target == event)

    async def posted(self, room: RoomId, event: EventId) -> Posted | None:
        """See `plugin.homeserver_messages.ReadsPosts`."""
        async with self._asking("posted", room, event):
            seen, _ = self._seen(room)
            if event not in seen.events:
                raise Missing("homeserver_missing", code="M_NOT_FOUND")
            return posted(_raw(seen.events[event]), room)

    async def recent(self, room: RoomId, most: int) -> tuple[Posted, ...]:
        """See `plugin.homeserver_messages.ReadsPosts`."""
        async with self._asking("recent", room):
            seen, _ = self._seen(room)
            messages = [each for each in seen.timeline if each.type == "m.room.message"][-most:]
            return tuple(each for each in (posted(_raw(one), room) for one in messages) if each is not None)

    async def history(self, room: RoomId, place: str, most: int) -> Page:
        """See `plugin.homeserver_messages.ReadsHistory`. As Synapse does, it gives a place to go on from as long as there was anything."""
        async with self._asking("history", room, place):
            seen, _ = self._seen(room)
            if place and not place.startswith("t"):
                raise Invalid("homeserver_invalid", code="M_UNKNOWN")
            begin = int(place[1:]) if place else 0
            events = seen.timeline[begin : begin + most]
            said = [each for each in events if each.type not in {"m.room.redaction", "m.room.member"}]
            read = (posted(_raw(one), room) for one in said)
            end = f"t{begin + len(events)}" if events else ""
            return Page(tuple(each for each in read if each is not None), end)

    @asynccontextmanager
    async def _asking(self, port: str, room: str = "", about: str = "") -> AsyncIterator[None]:
        """One request: logged, subject to the faults, and never made by the dead."""
        if self._dead:
            raise Killed
        try:
            async with self._server.faults.around(Request(self._user, port, room, about)):
                if self._dead:
                    raise Killed
                yield
        except Killed:
            self._dead = True
            raise

    def _seen(self, room_id: RoomId) -> tuple[Room, State]:
        """A room and the state of it that the user may see: of now, or of when they left."""
        room = self._server.entered(room_id)
        public = room.content("m.room.history_visibility").get("history_visibility") == "world_readable"
        if public or room.membership(self._user) == "join":
            return room, room.state
        if self._user not in room.departed:
            raise Refused("homeserver_refused", code="M_FORBIDDEN")
        return room, room.departed[self._user]


def _raw(event: Event) -> dict[str, object]:
    """An event as it is told to clients."""
    state = {} if event.key is None else {"state_key": event.key}
    told = {"event_id": event.id, "sender": event.sender, "content": event.content, "type": event.type}
    return {**told, "origin_server_ts": event.at, **state}
