"""A scripted IRC server, one script for each connection, and a network that meets it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from bridge.networks.events import Connection, ConnectionState
from bridge.networks.irc import IrcNetwork, build
from bridge.section import Section
from haven.ids import ChatId
from tests.contracts.network import Log

CHAT = ChatId("#fathers")
GREETING = (":s 001 haven :Welcome", ":s 422 haven :No MOTD")
ENTERED = (
    ":haven!~haven@h JOIN #fathers",
    ":s 353 haven = #fathers :haven @ada ben",
    ":s 366 haven #fathers :End",
)


class Server:
    """One connection of a scripted server: ``got`` is all that the bridge wrote."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.got: list[str] = []

    async def expect(self, start: str) -> str:
        """The next line that begins so."""
        while True:
            line = (await self._reader.readuntil(b"\r\n")).decode(errors="replace").rstrip("\r\n")
            self.got.append(line)
            if line.startswith(start):
                return line
            if line == "QUIT":
                raise ConnectionResetError

    def say(self, *lines: str) -> None:
        """Write lines."""
        for line in lines:
            self.writer.write(f"{line}\r\n".encode())

    async def pongs(self) -> None:
        """Answer every PING from now on, without its token."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self.expect("PING")
                self.say(":s PONG s")


Script = Callable[[Server], Awaitable[None]]


@asynccontextmanager
async def network_on(*scripts: Script, **settings: object) -> AsyncIterator[IrcNetwork]:
    """A network whose first connection meets the first script, and so on; the last one again and again."""
    left = list(scripts)
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await (left.pop(0) if len(left) > 1 else left[0])(Server(reader, writer))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hurry = {"tls": False, "rate": 1000, "burst": 1000, "retry_least": 0.01, "retry_most": 0.02}
    yield build(Section("networks.irc", {"host": "127.0.0.1", "port": port, **hurry, **settings}))
    server.close()
    await asyncio.gather(*talks)


@asynccontextmanager
async def running(network: IrcNetwork) -> AsyncIterator[Log]:
    log = Log()
    task = asyncio.create_task(network.run(log))
    yield log
    task.cancel()
    await asyncio.wait([task])


async def until(log: Log, state: ConnectionState, after: int = 0) -> Connection:
    return await log.wait(Connection, lambda event: event.state is state, after=after)


def states(log: Log) -> list[ConnectionState]:
    """What became of the connection, in order."""
    return [event.state for event in log.events if isinstance(event, Connection)]


async def friendly(server: Server) -> None:
    """Greets, lets in, has ada say something, stays."""
    await server.expect("USER")
    server.say(*GREETING)
    await server.expect("JOIN")
    server.say(*ENTERED, ":ada!a@h PRIVMSG #fathers :hello")
    await server.pongs()
