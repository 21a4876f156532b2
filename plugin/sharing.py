"""Equal values made one: the rooms of a community say much the same, and each would keep a copy of its own."""

import json
from dataclasses import dataclass, field, replace
from sys import intern

from haven.ids import UserId
from haven.ports import Content, StateEvent
from haven.snapshot import Room

OWN = frozenset({"m.room.create", "m.room.name", "m.room.topic", "m.room.avatar", "m.room.member"})
"""What hardly any two rooms say alike: to look for its like would cost more than it saves."""

Place = tuple[str, str]


@dataclass(slots=True)
class Sharing:
    """Remembers what it was given, so that what is equal to it later becomes the very same.

    It lets go of nothing: begin a new one now and then, such as when everything is read anew.
    """

    _contents: dict[str, Content] = field(default_factory=dict)
    _places: dict[Place, Place] = field(default_factory=dict)

    def room(self, room: Room) -> Room:
        """The same room, made of what other rooms are made of as well."""
        return replace(
            room,
            state={self._place(place): self.event(event) for place, event in room.state.items()},
            members={UserId(_shared(user)): held for user, held in room.members.items()},
        )

    def event(self, event: StateEvent) -> StateEvent:
        """The same event, made of what others are made of as well."""
        return replace(
            event,
            type=_shared(event.type),
            key=_shared(event.key),
            sender=UserId(_shared(event.sender)),
            content=_own(event.content) if event.type in OWN else self._content(event.content),
        )

    def _place(self, place: Place) -> Place:
        return self._places.setdefault(place, place)

    def _content(self, content: Content) -> Content:
        return self._contents.setdefault(json.dumps(dict(content), sort_keys=True), content)


def _own(content: Content) -> Content:
    """The content with its names shared, though hardly its values are."""
    return {_shared(name): value for name, value in content.items()}


def _shared(text: str) -> str:
    """The text as a plain string, the very same for all who say it; it goes when nobody says it any more."""
    return intern(str(text))
