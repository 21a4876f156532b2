"""What the mind needs from the world: one-method Protocols, implemented by each face and by the fake homeserver.

Every method raises the errors of `haven.errors` and nothing else that was foreseen: `RateLimited` on 429 (with the time
the server told), `Unreachable` on 5xx, 401 and lost connections, `Refused` on 403, `Missing` on 404, `Invalid` on other 4xx.
None of them retries by itself. Endpoints are those of the Matrix client-server API v1.19.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from haven.ids import EventId, RoomId, RoomVersion, UserId

Content: TypeAlias = Mapping[str, object]
"""The content of an event: JSON as the server gave it."""


NO_EVENT = EventId("")
"""The id of what has none, such as stripped state."""


@dataclass(frozen=True, slots=True)
class StateEvent:
    """One state event as the homeserver tells it. ``event`` is "" for stripped state, which has no ids."""

    type: str
    key: str
    sender: UserId
    content: Content
    event: EventId = NO_EVENT
    at: int = 0
    """``origin_server_ts`` in milliseconds; 0 where the server does not say."""


@dataclass(frozen=True, slots=True)
class NewRoom:
    """A room to be made. No preset is ever used (``trusted_private_chat`` makes invitees creators in version 12).

    ``creation``: extra content of ``m.room.create``. ``state``: initial state, in order. ``power``: overrides for the
    first power levels event; in version 12 it must not list the creator.
    """

    name: str
    version: RoomVersion
    topic: str = ""
    creation: Content = field(default_factory=dict)
    state: Sequence[StateEvent] = ()
    power: Content = field(default_factory=dict)
    invite: Sequence[UserId] = ()

    def request(self) -> Content:
        """The body of ``POST /createRoom`` (client-server API v1.19): private, and what is empty left out."""
        body: dict[str, object] = {
            "room_version": self.version,
            "visibility": "private",
            "name": self.name,
            "topic": self.topic,
            "creation_content": dict(self.creation),
            "initial_state": [
                {"type": event.type, "state_key": event.key, "content": dict(event.content)}
                for event in self.state
            ],
            "power_level_content_override": dict(self.power),
            "invite": list(self.invite),
        }
        return {name: value for name, value in body.items() if value}


class KnowsItself(Protocol):
    """Knows who it is."""

    @property
    def user(self) -> UserId:
        """The user whose eyes and hands this is."""


class ListsRooms(Protocol):
    """``GET /joined_rooms``."""

    async def joined_rooms(self) -> tuple[RoomId, ...]:
        """The rooms that the user is joined to, in no order."""


class ReadsRoom(Protocol):
    """``GET /rooms/{room}/state``."""

    async def room_state(self, room: RoomId) -> tuple[StateEvent, ...]:
        """The whole current state of a room the user is joined to. Raises `Refused` where it is not."""


class ReadsState(Protocol):
    """``GET /rooms/{room}/state/{type}/{key}``."""

    async def state_content(self, room: RoomId, event_type: str, key: str = "") -> Content:
        """The content of one state event. Raises `Missing` where there is none."""


class CreatesRoom(Protocol):
    """``POST /createRoom``."""

    async def create_room(self, room: NewRoom) -> RoomId:
        """Make a room and give its id. Not repeatable: the caller looks for what an earlier try left behind."""


class SendsState(Protocol):
    """``PUT /rooms/{room}/state/{type}/{key}``."""

    async def send_state(self, room: RoomId, event_type: str, key: str, content: Content) -> EventId:
        """Replace one state event whole."""


class SendsMessage(Protocol):
    """``PUT /rooms/{room}/send/{type}/{transaction}``."""

    async def send_message(
        self, room: RoomId, event_type: str, content: Content, transaction: str
    ) -> EventId:
        """Send a message event; the same transaction id again is the same event (for as long as the server remembers)."""


class Redacts(Protocol):
    """``PUT /rooms/{room}/redact/{event}/{transaction}``."""

    async def redact(self, room: RoomId, event: EventId, reason: str, transaction: str) -> EventId:
        """Redact an event."""


class Invites(Protocol):
    """``POST /rooms/{room}/invite``."""

    async def invite(self, room: RoomId, user: UserId) -> None:
        """Invite a user. Raises `Refused` where they are joined or banned already."""


class Kicks(Protocol):
    """``POST /rooms/{room}/kick``."""

    async def kick(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """Remove a user, take back an invite, or refuse a knock."""


class Bans(Protocol):
    """``POST /rooms/{room}/ban``."""

    async def ban(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """Ban a user, also one who never joined."""


class Unbans(Protocol):
    """``POST /rooms/{room}/unban``."""

    async def unban(self, room: RoomId, user: UserId) -> None:
        """Lift a ban."""


class Joins(Protocol):
    """``POST /join/{room}``, with ``via`` (version 12 ids name no server)."""

    async def join(self, room: RoomId, via: Sequence[str] = ()) -> None:
        """Join a room by invite, public or restricted rule."""


class Knocks(Protocol):
    """``POST /knock/{room}``, with ``via``."""

    async def knock(self, room: RoomId, via: Sequence[str] = (), reason: str = "") -> None:
        """Ask to be let in."""


class Leaves(Protocol):
    """``POST /rooms/{room}/leave``."""

    async def leave(self, room: RoomId) -> None:
        """Leave a room, refuse an invite, or take back a knock."""


class ReadsHierarchy(Protocol):
    """``GET /rooms/{space}/hierarchy`` (one level)."""

    async def hierarchy(self, space: RoomId) -> tuple[RoomId, ...]:
        """The rooms of a space that this user may see, without the space itself. A child counts only with a ``via``."""


class Homeserver(
    KnowsItself,
    ListsRooms,
    ReadsRoom,
    ReadsState,
    CreatesRoom,
    SendsState,
    SendsMessage,
    Redacts,
    Invites,
    Kicks,
    Bans,
    Unbans,
    Joins,
    Knocks,
    Leaves,
    ReadsHierarchy,
    Protocol,
):
    """All of it: what the contract suite holds the fake, the mautrix adapter and the nio adapter to."""
