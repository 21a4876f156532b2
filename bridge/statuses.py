"""What became of each link, said in the room's state: ``m.bridge`` with ``chat.haven.status``, which every
client and the plugin can read.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

from haven.errors import GiveUp
from haven.ids import ChatId, Network, RoomId, UserId
from haven.ports import Content
from haven.stateevents import (
    BRIDGE,
    BRIDGE_UNSTABLE,
    LinkState,
    LinkStatus,
    bridge_content,
    bridge_key,
    read_status,
)

from .homeserver import AppserviceHomeserver
from .i18n import Voice
from .rooms import Rooms

log = logging.getLogger(__name__)


class Statuses:
    """Writes the states of links, each only where it changed. ``refused``: the rooms that do not let us."""

    def __init__(
        self, homeserver: AppserviceHomeserver, rooms: Rooms, voice: Voice, clock: Callable[[], int]
    ) -> None:
        self._homeserver = homeserver
        self._rooms = rooms
        self._voice = voice
        self._clock = clock
        self._latest: dict[tuple[RoomId, str], LinkState] = {}
        self.refused: set[RoomId] = set()
        self._turns: defaultdict[RoomId, asyncio.Lock] = defaultdict(asyncio.Lock)

    def known(self, room: RoomId) -> tuple[LinkStatus, ...]:
        """The states that stand in a room and are ours."""
        view = self._rooms.view(room)
        found = (
            read_status(event.content)
            for (kind, _), event in view.state.items()
            if kind == BRIDGE and event.sender == self._homeserver.user
        )
        return tuple(status for status in found if status is not None)

    def counts(self) -> dict[LinkState, int]:
        """How many links are in which state, as we mean it, also where the room does not let us say so."""
        states = list(self._latest.values())
        return {state: states.count(state) for state in LinkState}

    async def say(
        self,
        room: RoomId,
        network: Network,
        chat: ChatId,
        *,
        by: UserId,
        state: LinkState,
        reason: str = "",
        code: str = "",
    ) -> None:
        """Have the room say it. Raises ``TryLater``; a refusal is remembered in ``refused`` and logged.

        One after the other: two events stand for one state, and must end with the same.
        """
        async with self._turns[room]:
            self._latest[room, bridge_key(network, chat)] = state
            await self._say(
                room, network, chat, by, LinkStatus(network, chat, state, self._clock(), reason, code)
            )

    async def _say(
        self, room: RoomId, network: Network, chat: ChatId, by: UserId, status: LinkStatus
    ) -> None:
        content = bridge_content(status, self._homeserver.user, by, str(network), str(chat))
        try:
            # The plugin reads `m.bridge`, and takes our power away once it says "unlinked": so it comes last.
            for kind in (BRIDGE_UNSTABLE, BRIDGE):
                await self._write(room, kind, bridge_key(network, chat), status, content)
        except GiveUp as error:
            if room not in self.refused:
                self.refused.add(room)
                log.warning("The state of a link cannot be said in its room: %s", error)
                await self._complain(room, chat)
        else:
            self.refused.discard(room)

    async def _complain(self, room: RoomId, chat: ChatId) -> None:
        """Say in words what cannot be said in state; where that is refused too, the log and the figures have
        it.
        """
        words = self._voice.say("said.powerless", chat=str(chat))
        content = {"msgtype": "m.notice", "body": words, "m.mentions": {}}
        transaction = f"powerless {self._clock()}"
        with suppress(GiveUp):
            await self._homeserver.send_message(room, "m.room.message", content, transaction)

    async def _write(self, room: RoomId, kind: str, key: str, status: LinkStatus, content: Content) -> None:
        view = self._rooms.view(room)
        there = read_status(view.content(kind, key))
        if there is not None and (there.state, there.reason, there.code) == (
            status.state,
            status.reason,
            status.code,
        ):
            return
        content = {**view.content(kind, key), **content}
        event = await self._homeserver.send_state(room, kind, key, content)
        view.note(kind, key, self._homeserver.user, content, event)
