"""What is kept of those who report something: a digest, by which each counts once and nobody is found out by trying names."""

import asyncio
import hmac
import secrets
from dataclasses import dataclass, field

from haven.ids import RoomId, UserId

from ..catchup import RemembersPlaces

KEY = "reporters"
"""Under what name the key is remembered."""


@dataclass(slots=True)
class Reporters:
    """Makes digests (HMAC-SHA256) by a key of chance that is made once, for as long as the plugin's database lives."""

    memory: RemembersPlaces
    _key: bytes = b""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def digest(self, room: RoomId, who: UserId) -> str:
        """What stands for somebody who reports something in a room: the same in that room each time, another elsewhere."""
        async with self._lock:
            if not self._key:
                self._key = await self._kept()
        return hmac.digest(self._key, f"{room} {who}".encode(), "sha256").hex()[:16]

    async def _kept(self) -> bytes:
        kept = await self.memory.recall(KEY)
        if not kept:
            kept = secrets.token_hex(32)
            await self.memory.keep(KEY, kept)
        return bytes.fromhex(kept)
