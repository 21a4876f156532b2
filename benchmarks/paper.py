"""Rooms that exist on paper only: a proxy answers for the homeserver, so that a plugin sees more rooms and people than can be made in time.

Copies are those of one real community: the same state with other ids of rooms and events. People are members of every room that is read.
What is written to a room on paper is refused; a community that is in step has nothing to write.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from embedded.matrix import Json, path
from embedded.person import Person
from embedded.proxy import Answered, Asked

_ID = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
"""What follows the sigil in the id of a room of version 12 or of an event (spec: event ids of room version 4), and stands in a slot."""
RECORD = "chat.haven.group"
_DIGITS = 5


def renumbered(text: str, number: int) -> str:
    """A text in which every id of a room or an event, and every slot, has become the one of a copy."""
    end = f"{number:0{_DIGITS}d}"
    return _ID.sub(lambda found: found[0][:-_DIGITS] + end, text)


def member(number: int, server: str) -> Json:
    """The event by which somebody is a member, as a homeserver tells it."""
    user = f"@somebody{number}:{server}"
    return {
        "type": "m.room.member",
        "state_key": user,
        "sender": user,
        "content": {"membership": "join", "displayname": f"Somebody {number}"},
        "event_id": f"${number:043d}",
        "origin_server_ts": 1_700_000_000_000 + number,
        "unsigned": {"age": 1_000_000 + number},
    }


@dataclass(slots=True)
class Paper:
    """What is on paper now: so many `copies` of a community, so many more `members` in each room, real ones included.

    `alone`: nothing but the copies can be seen.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    copies: int = 0
    members: int = 0
    alone: bool = False
    server: str = ""

    def before(self, asked: Asked) -> Answered | None:
        """Answers what is asked about rooms on paper; a hook for a proxy."""
        if asked.route == "/joined_rooms" and self.alone:
            return _json({"joined_rooms": self._rooms()})
        if asked.route == "/rooms/{room}/state" and (text := self._state(_room(asked))):
            return self._crowded(Answered(200, text.encode()))
        return None

    def after(self, asked: Asked, answered: Answered) -> Answered | None:
        """Adds what is on paper to what the homeserver tells of a real room; a hook for a proxy."""
        if asked.route == "/rooms/{room}/state" and self.members and answered.status == 200:
            return self._crowded(answered)
        return None

    def _crowd(self, state: Sequence[Json]) -> list[Json]:
        """The people who are on paper in a room of that state: in all but the one of the admins, where they must not be."""
        kinds = {event["content"].get("kind") for event in state if event["type"] == RECORD}
        return [] if "admins" in kinds else [member(number, self.server) for number in range(self.members)]

    def _rooms(self) -> list[str]:
        return [renumbered(room, number) for number in range(self.copies) for room in self.states]

    def _state(self, room: str) -> str:
        number = room[-_DIGITS:]
        if not self.alone or not number.isdecimal():
            return ""
        real = {renumbered(each, int(number)): text for each, text in self.states.items()}
        return renumbered(real[room], int(number)) if room in real else ""

    def _crowded(self, answered: Answered) -> Answered:
        events = json.loads(answered.body)
        return _json(events + self._crowd(events))


def _json(content: Json | list[Json]) -> Answered:
    return Answered(200, json.dumps(content).encode(), {"Content-Type": "application/json"})


def _room(asked: Asked) -> str:
    return unquote(asked.path.split("/")[5])


async def states(bot: Person, rooms: Sequence[str]) -> dict[str, str]:
    """The whole state of rooms as the homeserver tells it."""
    told = {room: await bot.account.request("GET", path("rooms", room, "state")) for room in rooms}
    return {room: json.dumps(answer["events"]) for room, answer in told.items()}
