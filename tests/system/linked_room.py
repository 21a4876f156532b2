"""A room on a real homeserver that asks for a link to a chat, as the tests of each network look at it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from embedded.matrix import Event
from embedded.person import Person

DOMAIN = "haven.test"
BOT = f"@haven-bridge:{DOMAIN}"


class LinkedRoom:
    """``alice`` made ``room``, which is to be linked to ``chat`` on ``network``."""

    alice: Person
    room: str
    network: str
    chat: str

    async def ask_for_link(self, room: str = "", channel: str = "") -> None:
        """What the plugin does: the bot invited, with power, and the link asked for in the room's state."""
        where, chat = room or self.room, channel or self.chat
        await self.alice.invite(where, BOT)
        levels = await self.alice.state(where, "m.room.power_levels") or {}
        levels.setdefault("users", {})[BOT] = 90
        await self.alice.send_state(where, "m.room.power_levels", levels)
        link = {
            "version": 1,
            "network": self.network,
            "chat": chat,
            "by": self.alice.user_id,
            "proven": False,
            "chat.haven.test": "kept",
        }
        await self.alice.send_state(where, "chat.haven.link", link, f"{self.network}:{chat}")

    async def status(self, state: str, channel: str = "", timeout: float = 30) -> Mapping[str, Any]:
        """The status of the link in the room, once it is ``state``."""
        key = f"haven://{self.network}/{channel or self.chat}"
        async with asyncio.timeout(timeout):
            while True:
                content = await self.alice.state(self.room, "m.bridge", key) or {}
                status: Mapping[str, Any] = content.get("chat.haven.status", {})
                if status.get("state") == state:
                    return status
                await asyncio.sleep(0.1)

    async def texts(self, number: int, fits: Callable[[Event], bool], timeout: float = 60) -> list[Event]:
        """The messages of the room that fit, oldest first, once there are at least so many."""
        async with asyncio.timeout(timeout):
            while True:
                found = [event for event in await self.history() if fits(event)]
                if len(found) >= number:
                    return found
                await asyncio.sleep(0.2)

    async def history(self) -> list[Event]:
        """Every message in the room, oldest first."""
        events = await self.alice.messages(self.room, limit=1000)
        messages = [event for event in events if event.type == "m.room.message"]
        return sorted(messages, key=lambda event: event.timestamp)
