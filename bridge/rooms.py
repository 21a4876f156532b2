"""What the bridge knows of its rooms, read from their state: who is there under which name, who may come in,
the topic.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from haven.ids import EventId, RoomId, RoomVersion, UserId, is_ghost
from haven.ports import NO_EVENT, Content, StateEvent
from haven.power import PowerLevels, creators_are_infinite

from .convert.likeness import likeness
from .convert.names import safe_name


@dataclass(frozen=True, slots=True)
class Face:
    """How a ghost is shown in a room: name, and the ``mxc:`` address of the picture ("" for none)."""

    name: str
    avatar: str = ""


@dataclass(slots=True)
class RoomView:
    """One room. ``state`` holds the state events that the keeper looks at, by type and key; members are kept
    apart.

    ``avatars``: the pictures of ghosts that have one. ``put_out``: ghosts that somebody else has put out, and by which event; not
    those whom ``ours``, the bridge's bot, let go.
    """

    ours: str = ""

    state: dict[tuple[str, str], StateEvent] = field(default_factory=dict)
    joined: dict[UserId, str] = field(default_factory=dict)
    banned: set[UserId] = field(default_factory=set)
    avatars: dict[UserId, str] = field(default_factory=dict)
    put_out: dict[UserId, EventId] = field(default_factory=dict)
    _looks: Counter[str] = field(default_factory=Counter)

    def content(self, event_type: str, key: str = "") -> Content:
        """The content of a state event; empty where there is none."""
        event = self.state.get((event_type, key))
        return {} if event is None else event.content

    def text(self, event_type: str, name: str) -> str:
        """A text in a state event with an empty key, "" where it has none."""
        value = self.content(event_type).get(name)
        return value if isinstance(value, str) else ""

    @property
    def public(self) -> bool:
        """Whether anybody may join without an invite."""
        return self.text("m.room.join_rules", "join_rule") == "public"

    @property
    def is_space(self) -> bool:
        """Whether this is a space."""
        return self.text("m.room.create", "type") == "m.space"

    @property
    def topic(self) -> str:
        """The topic."""
        return self.text("m.room.topic", "topic")

    @property
    def replaces(self) -> RoomId | None:
        """The room whose place this one has taken by an upgrade, as it says."""
        said = self.content("m.room.create").get("predecessor")
        named = said.get("room_id") if isinstance(said, Mapping) else None
        return RoomId(named) if isinstance(named, str) and named else None

    @property
    def replaced_by(self) -> RoomId | None:
        """The room that has taken the place of this one by an upgrade, as it says."""
        named = self.text("m.room.tombstone", "replacement_room")
        return RoomId(named) if named else None

    def power_of(self, user: UserId) -> float:
        """The power level of a user (``math.inf`` for creators from room version 12 on)."""
        create = self.state.get(("m.room.create", ""))
        infinite: set[UserId] = set()
        if create is not None and creators_are_infinite(RoomVersion(str(create.content.get("room_version")))):
            more = create.content.get("additional_creators")
            infinite = {create.sender, *(more if isinstance(more, list | tuple) else ())}
        return self.levels.of(user, infinite)

    @property
    def levels(self) -> PowerLevels:
        """Who may do what."""
        return PowerLevels.parse(self.content("m.room.power_levels"))

    def may_call_everybody(self, user: UserId) -> bool:
        """Whether a user may notify the whole room (spec: ``m.room.power_levels``, "notifications"; 50 where nothing is said)."""
        told = self.levels.extra.get("notifications")
        needed = told.get("room") if isinstance(told, Mapping) else None
        return self.power_of(user) >= (needed if isinstance(needed, int) else 50)

    def note(self, event_type: str, key: str, sender: UserId, content: Content, event: EventId) -> None:
        """Take note of a state event that we have just written ourselves."""
        self.state[event_type, key] = StateEvent(event_type, key, sender, content, event)

    def face(self, ghost: UserId) -> Face:
        """How a ghost that is in the room is shown there."""
        return Face(self.joined.get(ghost, ""), self.avatars.get(ghost, ""))

    def is_like_somebody(self, name: str) -> bool:
        """Whether somebody in the room, no ghost, is shown by a name that looks like this one."""
        return self._looks[likeness(name)] > 0

    def has_ghost_like(self, name: str) -> bool:
        """Whether a ghost in the room is shown by a name that looks like this one."""
        looks = likeness(name)
        return any(is_ghost(user) and likeness(shown) == looks for user, shown in self.joined.items())

    def member(self, user: UserId, content: Content, sender: str = "", event: EventId = NO_EVENT) -> None:
        """Take note of a member event, and of who sent it."""
        self._forget(user)
        membership, name = content.get("membership"), content.get("displayname")
        if membership == "join":
            shown = safe_name(name if isinstance(name, str) else "", _localpart(user))
            self.joined[user] = shown
            if is_ghost(user):
                avatar = content.get("avatar_url")
                self.avatars |= {user: avatar} if isinstance(avatar, str) and avatar else {}
            else:
                self._looks[likeness(shown)] += 1
        elif membership == "ban":
            self.banned.add(user)
        elif membership == "leave" and is_ghost(user) and sender not in {"", user, self.ours}:
            self.put_out[user] = event

    def _forget(self, user: UserId) -> None:
        before = self.joined.pop(user, None)
        if before is not None and not is_ghost(user):
            self._looks[likeness(before)] -= 1
        self.banned.discard(user)
        self.avatars.pop(user, None)
        self.put_out.pop(user, None)


class Rooms:
    """All rooms that the bridge's bot is in, as last read."""

    def __init__(self, ours: str = "") -> None:
        self._ours = ours
        self._views: dict[RoomId, RoomView] = {}

    def __iter__(self) -> Iterator[RoomId]:
        return iter(tuple(self._views))

    def read(self, room: RoomId, events: Iterable[StateEvent]) -> RoomView:
        """Take over the whole state of a room."""
        view = RoomView(self._ours)
        for event in events:
            if event.type == "m.room.member":
                view.member(UserId(event.key), event.content, event.sender, event.event)
            else:
                view.state[event.type, event.key] = event
        self._views[room] = view
        return view

    def forget(self, room: RoomId) -> None:
        """The bot is no longer in the room."""
        self._views.pop(room, None)

    def view(self, room: RoomId) -> RoomView:
        """What is known of a room; nothing, where it was not read yet."""
        return self._views.get(room) or RoomView()

    def member(
        self, room: RoomId, user: UserId, content: Content, sender: str = "", event: EventId = NO_EVENT
    ) -> None:
        """Take note of a member event in a room that was read."""
        if room in self._views:
            self._views[room].member(user, content, sender, event)

    def where(self, user: UserId) -> Iterator[RoomId]:
        """The rooms that somebody is in."""
        return (room for room, view in tuple(self._views.items()) if user in view.joined)

    def name_of(self, room: RoomId, user: UserId) -> str:
        """How a member is called in a room, safe to show anywhere."""
        return self.view(room).joined.get(user) or safe_name(_localpart(user), "?")


def _localpart(user: UserId) -> str:
    return user[1:].partition(":")[0]
