"""A server as a child process: started, ready by condition, killed or stopped, started again, never left behind."""

import asyncio
import contextlib
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from embedded.ports import HOST

_TETHER = Path(__file__).with_name("tether.py")
_TAIL = 30


class ChildFailed(Exception):
    """A child process ended before it was ready, or was not ready in time; the message ends with its log."""


class Child:
    """One child process, with what it prints in a log file.

    `command` is started without a shell, in a session of its own (a Ctrl-C is for us, we stop the children), and dies with us.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = [str(word) for word in command]
        self._directory = directory
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process id; raises ChildFailed when nothing runs."""
        if self._process is None or self._process.returncode is not None:
            raise ChildFailed(f"{self.name} does not run")
        return self._process.pid

    def tail(self, lines: int = _TAIL) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    async def start(self, ready: Callable[[], Awaitable[bool]], timeout: float = 60) -> None:
        """Starts the process and returns when `ready` says yes. Raises ChildFailed, leaving nothing behind."""
        if self.running:
            raise ChildFailed(f"{self.name} runs already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_TETHER), str(os.getpid())),
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self._directory,
                env=self._environment,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(timeout):
                await self._until(ready)
        except TimeoutError:
            await self.kill()
            raise ChildFailed(f"{self.name} was not ready after {timeout:.0f} s:\n{self.tail()}") from None
        except BaseException:
            await self.kill()
            raise

    async def _until(self, ready: Callable[[], Awaitable[bool]]) -> None:
        while not await ready():
            if not self.running:
                status = self._process.returncode if self._process else None
                raise ChildFailed(
                    f"{self.name} ended with status {status} before it was ready:\n{self.tail()}"
                )
            await asyncio.sleep(0.02)

    async def wait(self) -> int:
        """Waits until the process ends by itself; its exit status (negative: the signal that ended it)."""
        if self._process is None:
            raise ChildFailed(f"{self.name} was never started")
        return await self._process.wait()

    async def stop(self, grace: float = 10) -> int | None:
        """Asks the process to end (SIGTERM), and kills it when it has not after `grace` seconds; its exit status."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                return await self.wait() if self._process else None
        except TimeoutError:
            await self.kill()
            return -signal.SIGKILL

    async def kill(self) -> None:
        """Ends the process at once, as a crash would (SIGKILL), and waits until it is gone."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process and its own children; nothing when it is gone."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


class Server(ABC):
    """A server that is one child process, usable as an async context manager. Killed or stopped it can be started again."""

    process: Child
    _grace: float = 5
    """Seconds that it has to end by itself."""

    @abstractmethod
    async def start(self) -> None:
        """Starts it, or starts it again; returns when it answers."""

    async def stop(self) -> None:
        """Ends it cleanly."""
        await self.process.stop()

    async def kill(self) -> None:
        """Ends it as a crash would."""
        await self.process.kill()

    async def aclose(self) -> None:
        """Ends it for good."""
        await self.process.stop(grace=self._grace)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class HttpServer(Server):
    """A server that is spoken to over HTTP, by one session that lives as long as it does. `_timeout`: seconds that a request may take."""

    _session: aiohttp.ClientSession | None = None
    _timeout: float = 120

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened when it is first wanted; as many requests side by side as are asked for."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=self._timeout)
            )
        return self._session

    async def _says(self, url: str, *statuses: int) -> bool:
        """Whether a GET is answered with one of the statuses."""
        try:
            async with self.session.get(url) as answer:
                return answer.status in statuses
        except aiohttp.ClientConnectionError:
            return False

    async def aclose(self) -> None:
        """Ends it for good."""
        await super().aclose()
        if self._session is not None:
            await self._session.close()


async def listening(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
