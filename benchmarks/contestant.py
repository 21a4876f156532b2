"""A bridge in a benchmark: a room joined to a channel by a process, perhaps with a counting proxy before its homeserver."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from embedded.processes import Child
from embedded.proxy import Proxy

OURS, PEER, FLOOR, AS_GHOST = "haven", "heisenbridge", "floor", "floor, as a ghost"
"""The names in tables. As a ghost: the same raw requests in the bridged room and in the names of Haven's ghosts, so that the homeserver does all
that it does for the bridge (it pushes every event to it, and keeps transaction ids by device)."""


class CannotMeasure(Exception):
    """What is missing, in a sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One bridge at work. `token` is its appservice's, `device` that of its ghosts; `proxy` is there where requests are counted."""

    name: str
    room: str
    channel: str
    process: Child
    token: str
    device: str = ""
    proxy: Proxy | None = None

    def cpu(self) -> float:
        """Seconds of processor time that the process has used so far, user and system, in steps of 10 ms (proc(5), stat)."""
        raw = Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = raw.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def requests(self) -> Counter[str]:
        """How often each method and route was asked for since the proxy last forgot."""
        if self.proxy is None:
            return Counter()
        return Counter({f"{method} {route}": count for (method, route), count in self.proxy.counts.items()})
