"""An IRC server on paper: one channel full of people who are only names, for one client, the bridge. What it cannot do it leaves unanswered."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from embedded.ports import HOST, free_port

SERVER = "irc.haven.test"
A_LINE = 20
"""Names in one line of a list (RFC 2812 allows what fits in 512 bytes)."""


class CrowdServer:
    """Everybody of `nicks` is in `channel`, the first of them its operator. Async context manager."""

    def __init__(self, channel: str, nicks: Sequence[str]) -> None:
        self.host = HOST
        self.port = free_port()
        self.channel = channel
        self._nicks = nicks
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.client = ""
        self.inside = asyncio.Event()

    async def say(self, nick: str, text: str) -> None:
        """One of them says something in the channel."""
        await self._send(f":{nick}!{nick}@{SERVER} PRIVMSG {self.channel} :{text}")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        async for raw in reader:
            command, _, rest = raw.decode(errors="replace").strip().partition(" ")
            await self._answer(command.upper(), rest)

    async def _answer(self, command: str, rest: str) -> None:
        match command:
            case "NICK":
                self.client = rest.lstrip(":")
            case "USER":
                for number, text in (
                    ("001", ":Welcome"),
                    ("005", "CHANTYPES=# PREFIX=(ov)@+ :are supported"),
                    ("376", ":End"),
                ):
                    await self._send(f":{SERVER} {number} {self.client} {text}")
            case "PING":
                await self._send(f":{SERVER} PONG {SERVER} {rest}")
            case "JOIN":
                await self._send(f":{self.client}!haven@{SERVER} JOIN {self.channel}")
                await self._names()
                self.inside.set()
            case "NAMES":
                await self._names()
            case "WHO":
                await self._send(f":{SERVER} 315 {self.client} {self.channel} :End")
            case _:
                pass

    async def _names(self) -> None:
        shown = [f"@{self._nicks[0]}", *self._nicks[1:], self.client]
        for start in range(0, len(shown), A_LINE):
            words = " ".join(shown[start : start + A_LINE])
            await self._send(f":{SERVER} 353 {self.client} = {self.channel} :{words}")
        await self._send(f":{SERVER} 366 {self.client} {self.channel} :End")

    async def _send(self, line: str) -> None:
        if self._writer is not None:
            self._writer.write(f"{line}\r\n".encode())
            await self._writer.drain()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
