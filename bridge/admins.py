"""The admins' room of a linked room: found among the rooms that the bridge is in, and told what admins must know.

The plugin lets the bridge into the admins' room of a community as long as one of its rooms is linked. Which community a room belongs to
stands in its state (CONTRACT, "Room state"), and is believed only where the same user has said it of both: else anybody
could call a room of their own somebody's admins' room, and have the bridge talk there.
"""

from haven.errors import GiveUp, Invalid
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.model import Kind, Role
from haven.permissions import LEVELS
from haven.ports import Content
from haven.power import PowerLevels, creators_are_infinite
from haven.stateevents import COMMUNITY, GROUP, read_group

from .homeserver import AppserviceHomeserver
from .rooms import Rooms, RoomView


class Admins:
    """Who rules the communities that have links, and where they are spoken to."""

    def __init__(self, homeserver: AppserviceHomeserver, rooms: Rooms) -> None:
        self._homeserver = homeserver
        self._rooms = rooms

    def room_of(self, room: RoomId) -> RoomId | None:
        """The admins' room of the community that ``room`` (a group, or the space itself) belongs to; ``None`` where the bridge is in none."""
        here = self._rooms.view(room)
        space, word = (room, COMMUNITY) if (COMMUNITY, "") in here.state else (_community(here), GROUP)
        if space is None:
            return None
        said_by = here.state[word, ""].sender
        for other in self._rooms:
            view = self._rooms.view(other)
            if _is_admins_room(view, space) and view.state[GROUP, ""].sender == said_by:
                return other
        return None

    def is_admins_room(self, room: RoomId) -> bool:
        """Whether a room says that it is some community's admins' room."""
        view = self._rooms.view(room)
        space = _community(view)
        return space is not None and _is_admins_room(view, space)

    def decides(self, room: RoomId, user: UserId) -> bool:
        """Whether ``user`` is in the admins' room ``room`` and at least a moderator there."""
        view = self._rooms.view(room)
        levels = PowerLevels.parse(view.content("m.room.power_levels"))
        return user in view.joined and levels.of(user, _infinite(view)) >= LEVELS[Role.MODERATOR]

    async def tell(
        self, room: RoomId, words: str, transaction: str, more: Content | None = None
    ) -> tuple[RoomId, EventId] | None:
        """Say ``words`` to the admins of ``room``'s community; where that was, or ``None`` where there is no such room or
        it refuses.

        Once per ``transaction``, however often it is tried. ``more`` is added to the content (relations, ``formatted_body``). Raises
        `TryLater`.
        """
        where = self.room_of(room)
        if where is None:
            return None
        content = {"msgtype": "m.notice", "body": words, "m.mentions": {}, **(more or {})}
        try:
            return where, await self._homeserver.send_message(where, "m.room.message", content, transaction)
        except GiveUp:
            return None


def _community(view: RoomView) -> RoomId | None:
    try:
        return read_group(view.content(GROUP)).community if (GROUP, "") in view.state else None
    except Invalid:
        return None


def _infinite(view: RoomView) -> frozenset[UserId]:
    """Who is almighty there: the creators, from room version 12 on."""
    create = view.state.get(("m.room.create", ""))
    if create is None or not creators_are_infinite(RoomVersion(view.text("m.room.create", "room_version"))):
        return frozenset()
    more = create.content.get("additional_creators")
    return frozenset(
        {create.sender, *(UserId(str(user)) for user in (more if isinstance(more, list) else ()))}
    )


def _is_admins_room(view: RoomView, space: RoomId) -> bool:
    try:
        record = read_group(view.content(GROUP)) if (GROUP, "") in view.state else None
    except Invalid:
        return False
    return record is not None and record.kind is Kind.ADMINS and record.community == space
