"""A TCP proxy on loopback, for protocols that are not HTTP: it can be slow, cut, refuse, or fall silent."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from embedded.ports import HOST, free_port

PIECE = 16 * 1024
"""Bytes that are passed on at once, at most."""

Hook = Callable[[bytes], Awaitable[None]]
"""Called with each piece that a client sent, before it is passed on; may wait, or kill somebody."""


class Wire:
    """A proxy on a free port of 127.0.0.1. All may be set at any time. Usable as an async context manager.

    ``delay``: seconds that each piece waits, drawn between nothing and this. ``refusing``: new connections are reset at
    once. ``passing``: while it is clear, nothing is passed on and nobody is told. ``sent``: hook for what clients send.
    ``connections`` counts those that were ever accepted.
    """

    def __init__(self, host: str, port: int, chance: random.Random | None = None) -> None:
        self.port = free_port()
        self.delay = 0.0
        self.refusing = False
        self.passing = asyncio.Event()
        self.passing.set()
        self.sent: Hook | None = None
        self.connections = 0
        self._upstream = (host, port)
        self._chance = chance or random.Random()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Opens the port."""
        self._server = await asyncio.start_server(self._accept, HOST, self.port)

    async def cut(self) -> None:
        """Resets all connections, on both sides, whatever is on its way."""
        for writer in list(self._open):
            _reset(writer)
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def aclose(self) -> None:
        """Closes the port and all connections."""
        if self._server is not None:
            self._server.close()
        self.passing.set()
        await self.cut()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.connections += 1
        self._open.add(writer)
        try:
            if self.refusing:
                _reset(writer)
                return
            with contextlib.suppress(OSError):
                await self._join(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._upstream)
        self._open.add(far_writer)
        try:
            await asyncio.gather(
                self._pass(reader, far_writer, from_client=True),
                self._pass(far_reader, writer, from_client=False),
            )
        finally:
            self._open.discard(far_writer)
            far_writer.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_client: bool
    ) -> None:
        """One direction until its end, which is passed on as what it was: an end, after which the other direction may still
        speak, or a reset.
        """
        try:
            while piece := await reader.read(PIECE):
                if from_client and self.sent is not None:
                    await self.sent(piece)
                await asyncio.sleep(self._chance.uniform(0, self.delay))
                await self.passing.wait()
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except OSError:
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST instead of FIN, as a network that fails does (socket(7), SO_LINGER)."""
    found: socket.socket | None = writer.get_extra_info("socket")
    if found is not None and found.fileno() >= 0:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
