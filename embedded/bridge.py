"""Haven's bridge as an operator runs it: `python -m bridge run -c bridge.yaml`, from the project's own environment."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from embedded.places import ROOT, python
from embedded.ports import HOST, free_port
from embedded.processes import Child, Server


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command of the bridge ended: exit status, and what it said on the two channels."""

    status: int
    out: str
    err: str


class Bridge(Server):
    """The bridge on a free port of 127.0.0.1.

    `directory` holds all it keeps. `networks` is the part of the configuration of that name; `settings` is laid over the rest, one level deep
    (`{"log": "debug", "database": "postgres://..."}`). Order of things: make the `registration`, start the homeserver with it, start
    the bridge. `kill()` and `start()` keep port and data.
    """

    def __init__(
        self,
        directory: Path,
        homeserver_url: str,
        domain: str = "haven.test",
        networks: Mapping[str, Mapping[str, Any]] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.config = directory / "bridge.yaml"
        self.registration = directory / "registration.yaml"
        self.configuration: dict[str, Any] = {
            "homeserver": {"url": homeserver_url, "domain": domain},
            "appservice": {
                "host": HOST,
                "port": self.port,
                "url": self.url,
                "registration": str(self.registration),
                "key": str(directory / "haven.key"),
            },
            "database": f"sqlite:{directory}/bridge.db",
            "networks": {name: dict(options) for name, options in (networks or {}).items()},
            **(settings or {}),
        }
        self.process = Child("the bridge", self._words("run"), directory / "bridge.log", ROOT)

    def _words(self, *command: str) -> list[str]:
        return [str(python("dev")), "-m", "bridge", *command, "-c", str(self.config)]

    def write(self) -> None:
        """Writes `configuration` into the file; every command does so first."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps(self.configuration, indent=1))
        self.config.chmod(0o600)

    async def command(self, *command: str, timeout: float = 60) -> Outcome:
        """Runs `registration`, `check`, `plan` ... to its end."""
        self.write()
        process = await asyncio.create_subprocess_exec(
            *self._words(*command),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(timeout):
                out, err = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        return Outcome(await process.wait(), out.decode(), err.decode())

    async def start(self) -> None:
        """Starts it, or starts it again; returns when `/ready` says so."""
        self.write()
        await self.process.start(self.ready)

    async def ready(self) -> bool:
        """What `/ready` says; False when nobody answers."""
        return await self._asks("/ready")

    async def _asks(self, path: str) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url + path) as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def metrics(self) -> dict[str, float]:
        """The numbers of `/metrics`, by name with labels, as Prometheus writes them; none while it cannot say."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines() if answer.status == 200 else []
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def log(self, lines: int = 100_000) -> str:
        """What it has logged."""
        return self.process.tail(lines)
