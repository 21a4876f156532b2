"""A homeserver in memory that enforces power levels, join rules, bans and the shape of events as a real one does.

It passes the contract suite that the adapters pass against Synapse (tests/contracts/homeserver.py); where they differ,
this one is wrong. Rooms are looked into through `FakeHomeserver.rooms`, trouble is made through `FakeHomeserver.faults`.
"""

from collections.abc import Callable
from dataclasses import replace

from haven.errors import Invalid, Refused, Unreachable
from haven.ids import EventId, RoomId, UserId
from haven.ports import Content, NewRoom
from plugin.safety.server_reports import Reported
from tests.fakes.homeserver_auth import authorise
from tests.fakes.homeserver_client import FakeClient
from tests.fakes.homeserver_content import check, pruned
from tests.fakes.homeserver_creation import check_wanted, event_id, first_state, founding, room_id
from tests.fakes.homeserver_faults import Faults
from tests.fakes.homeserver_membership import invite
from tests.fakes.homeserver_room import Draft, Event, Room

FIRST_MILLISECOND = 1_700_000_000_000

Listener = Callable[[Event], None]
Transaction = tuple[RoomId, UserId, bool, str]


class FakeHomeserver:
    """All rooms, all users, one truth. Users may be of several servers: the federation is this one object.

    ``name``: the server of those made by `person`. ``clock``: milliseconds for ``origin_server_ts``; without one each
    event is a millisecond younger than the last. Ids are the same in every run.
    """

    def __init__(self, name: str = "haven.test", clock: Callable[[], int] | None = None) -> None:
        self.name = name
        self.rooms: dict[RoomId, Room] = {}
        self.faults = Faults()
        self.display_names: dict[UserId, str] = {}
        self.admins: set[UserId] = set()
        self.reports: list[Reported] = []
        self.media: dict[str, bytes] = {}
        self.aliases: dict[str, tuple[RoomId, UserId]] = {}
        self.directory: set[RoomId] = set()
        self._clock = clock
        self._made = 0
        self._transactions: dict[Transaction, EventId] = {}
        self._listeners: list[tuple[UserId | None, Listener]] = []

    def person(self, name: str) -> FakeClient:
        """A user of this server, by the local part of their id."""
        return self.client(UserId(f"@{name}:{self.name}"))

    def client(self, user: UserId) -> FakeClient:
        """A new client of a user: what a process has that has just started."""
        self.display_names.setdefault(user, user[1:].partition(":")[0])
        return FakeClient(self, user)

    def on_event(self, listener: Listener, user: UserId | None = None) -> None:
        """Call ``listener`` after each event: all of them, or those that reach a user's sync."""
        self._listeners.append((user, listener))

    def profile(self, user: UserId) -> Content:
        """What a member event says of a user beside the membership."""
        name = self.display_names.get(user)
        return {"displayname": name} if name else {}

    def is_joined(self, room: str, user: UserId) -> bool:
        """Whether the user is in the room; not in one that nobody knows."""
        found = self.rooms.get(RoomId(room))
        return found is not None and found.membership(user) == "join"

    def entered(self, room: RoomId) -> Room:
        """The room, if there is one; who asks for one that is not there is told no more than who may not enter."""
        if room not in self.rooms:
            raise Refused("homeserver_refused", code="M_FORBIDDEN")
        return self.rooms[room]

    def create(self, creator: UserId, wanted: NewRoom) -> RoomId:
        """Make a room in the three steps of Synapse, each whole or not at all: the founding, its state, each invite.

        What fails in a later step leaves a room behind that the creator is in.
        """
        check_wanted(creator, wanted)
        create, join = founding(creator, wanted)
        room = Room(room_id(self._seed(), creator, wanted.version), wanted.version)
        self._append(room, create)
        self._append(room, replace(join, content={**join.content, **self.profile(creator)}))
        self.rooms[room.id] = room
        built = replace(room, events=dict(room.events), state=dict(room.state))
        first = [self._accept(built, draft) for draft in first_state(creator, wanted)]
        for event in first:
            room.append(event)
        for event in room.timeline:
            self._tell(event)
        for user in wanted.invite:
            invite(self, room.id, creator, user)
        return room.id

    def put(self, room: Room, draft: Draft) -> Event:
        """Take an event into a room if the rules allow it; the same state from the same sender again is no new event."""
        same = room.find(draft.type, draft.key) if draft.key is not None else None
        if same is not None and (same.sender, same.content) == (draft.sender, draft.content):
            return same
        event = self._accept(room, draft)
        self._tell(event)
        return event

    def send(self, room: Room, draft: Draft, transaction: str) -> EventId:
        """Take a message event in, once for each transaction of its sender in the room, whatever else it says."""
        known = (room.id, draft.sender, bool(draft.redacts), transaction)
        if known not in self._transactions:
            self._transactions[known] = self.put(room, draft).id
        return self._transactions[known]

    def forget_transactions(self) -> None:
        """Lose the memory of transaction ids, as Synapse does when it restarts."""
        self._transactions.clear()

    def _accept(self, room: Room, draft: Draft) -> Event:
        if draft.type == "m.room.create":
            raise Unreachable  # What Synapse 1.163 says (500) to a second founding.
        check(draft)
        authorise(room, draft)
        _check_unique_reaction(room, draft)
        event = self._append(room, draft)
        target = room.events.get(draft.redacts)
        if target is not None:
            left = pruned(target.type, target.content, room.version)
            room.events[target.id] = replace(target, content=left)
        return event

    def _append(self, room: Room, draft: Draft) -> Event:
        number = self._seed()
        at = self._clock() if self._clock else FIRST_MILLISECOND + self._made
        event = Event(
            event_id(number), room.id, draft.type, draft.sender, draft.content, at, draft.key, draft.redacts
        )
        room.append(event)
        return event

    def _seed(self) -> str:
        self._made += 1
        return f"{self.name} {self._made}"

    def _tell(self, event: Event) -> None:
        room = self.rooms[event.room]
        for user, listener in tuple(self._listeners):
            about_them = event.type == "m.room.member" and event.key == user
            if user is None or about_them or room.membership(user) == "join":
                listener(event)


def _check_unique_reaction(room: Room, draft: Draft) -> None:
    """Nobody reacts twice to one event with one key (Synapse: ``M_DUPLICATE_ANNOTATION``)."""
    if draft.type == "m.reaction" and any(
        (event.type, event.sender, event.content) == (draft.type, draft.sender, draft.content)
        for event in room.events.values()
    ):
        raise Invalid("homeserver_invalid", code="M_DUPLICATE_ANNOTATION")
