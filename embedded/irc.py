"""IRC servers: the pure-Python one of the `irc` package, which runs everywhere, and ngIRCd, which people really run."""

import shutil
import sys
from pathlib import Path
from typing import Protocol

from embedded.places import ROOT
from embedded.ports import HOST, free_port
from embedded.processes import Child, Server, listening


class IrcServer(Protocol):
    """An IRC server on a free port of 127.0.0.1: `kill()` and `start()` keep the port; channels live as long as the process."""

    host: str
    port: int
    process: Child

    async def start(self) -> None:
        """Starts it, or starts it again; returns when it accepts connections."""

    async def kill(self) -> None:
        """Ends it as a crash would."""

    async def aclose(self) -> None:
        """Ends it for good."""


class LocalServer(Server):
    """What these servers have in common: a process that is ready when its port accepts."""

    _grace = 3

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.host = HOST
        self.port = free_port()

    async def start(self) -> None:
        """Starts it, or starts it again; returns when it accepts connections."""
        self.directory.mkdir(parents=True, exist_ok=True)
        await self.process.start(lambda: listening(self.port))


class PythonIrc(LocalServer):
    """The server of the `irc` package, improved by embedded/ircd.py, and with `version3` by embedded/ircd_v3.py."""

    def __init__(self, directory: Path, *, version3: bool = False) -> None:
        super().__init__(directory)
        program = "embedded.ircd_v3" if version3 else "embedded.ircd"
        command = [sys.executable, "-m", program, str(self.port)]
        self.process = Child("the Python IRC server", command, directory / "ircd.log", ROOT)


class Ngircd(LocalServer):
    """ngIRCd from Debian, without root, without flood penalties, nicks of up to 30 characters."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._config = directory / "ngircd.conf"
        program = ngircd_program() or "ngircd"
        command: list[str | Path] = [program, "--nodaemon", "--config", self._config]
        self.process = Child("ngIRCd", command, directory / "ngircd.log", directory)

    async def start(self) -> None:
        """Starts it, or starts it again; returns when it accepts connections."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._config.write_text(
            _NGIRCD.format(host=self.host, port=self.port, pid=self.directory / "ngircd.pid")
        )
        await super().start()


def ngircd_program() -> str | None:
    """Where ngIRCd is, None when it is not installed; Debian puts it into sbin, which people's PATH leaves out."""
    return shutil.which("ngircd") or shutil.which("ngircd", path="/usr/sbin:/usr/local/sbin")


_NGIRCD = """\
[Global]
Name = irc.haven.test
Info = Haven, for tests
Listen = {host}
Ports = {port}
MotdPhrase = Hello
Network = Haven
PidFile = {pid}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = 0
MaxListSize = 0
PingTimeout = 60
PongTimeout = 20
[Options]
DNS = no
Ident = no
PAM = no
ConnectIPv6 = no
"""
