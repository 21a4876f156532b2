"""What the bridge asks of the house in the admins' room, and what it is answered (`haven.wishes`)."""

import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping

from haven.errors import GiveUp
from haven.ids import RoomId
from haven.wishes import ANSWER, ASKED, Answered, Asking, asked_content, read_answer

from .admins import Admins
from .homeserver import AppserviceHomeserver
from .rooms import Rooms

log = logging.getLogger(__name__)

AT_ONCE = 50
"""How much is asked at the same time; the rest waits its turn."""


class Asks:
    """Keeps in room state what is asked now, and reads what was answered."""

    def __init__(self, homeserver: AppserviceHomeserver, rooms: Rooms, admins: Admins, key: bytes) -> None:
        self._homeserver = homeserver
        self._rooms = rooms
        self._admins = admins
        self._key = key

    def name(self, about: str) -> str:
        """The state key of a question: the same for the same thing, and telling nobody what it is about."""
        digest = hmac.digest(self._key, f"asked\0{about}".encode(), hashlib.sha256)[:10]
        return base64.b32encode(digest).decode().lower()

    async def settle(self, space: RoomId, scope: str, wanted: Mapping[str, Asking]) -> None:
        """Have the room ask just what is ``wanted`` by this ``scope``, by `name`. Raises `TryLater`; a refusal is logged."""
        room = self._admins.room_of(space)
        if room is None:
            return
        first = dict(list(wanted.items())[:AT_ONCE])
        contents = {f"{scope}:{name}": asked_content(one) for name, one in first.items()}
        there = {key: content for key, content in self._asked(room).items() if key.startswith(f"{scope}:")}
        for key in sorted({*contents, *there}):
            content = contents.get(key, {})
            if there.get(key, {}) != content:
                await self._write(room, key, content)

    def answer(self, space: RoomId, scope: str, name: str) -> Answered | None:
        """What was answered to what is asked now."""
        room = self._admins.room_of(space)
        if room is None:
            return None
        view, key = self._rooms.view(room), f"{scope}:{name}"
        asked, answered = view.state.get((ASKED, key)), read_answer(view.content(ANSWER, key))
        fits = asked is not None and answered is not None and answered.to == asked.event
        return answered if fits else None

    def _asked(self, room: RoomId) -> dict[str, Mapping[str, object]]:
        bot, state = self._homeserver.user, self._rooms.view(room).state
        return {
            key: event.content
            for (kind, key), event in state.items()
            if kind == ASKED and event.sender == bot
        }

    async def _write(self, room: RoomId, key: str, content: Mapping[str, object]) -> None:
        try:
            event = await self._homeserver.send_state(room, ASKED, key, content)
        except GiveUp as error:
            log.warning("Something could not be asked in an admins' room: %s", error)
            return
        self._rooms.view(room).note(ASKED, key, self._homeserver.user, content, event)
