"""Free ports on loopback, each given to one process of ours only, tests running side by side included."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

HOST = "127.0.0.1"
"""All that we start listens here and nowhere else."""

FIRST, LAST = 20_000, 32_000
"""Below the range from which the kernel takes ports for outgoing connections (32768 and up), so that a server can be
killed and started again on its port."""

_TRIES = 1_000


def _reserved(port: int) -> bool:
    """Takes the lock of a port until this process ends; false when another process has it."""
    directory = Path(tempfile.gettempdir()) / f"haven-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(directory / str(port), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    return True  # the handle stays open on purpose: the kernel drops the lock when we end


def _unused(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that no other process of ours is given while this one lives."""
    for _ in range(_TRIES):
        port = random.randint(FIRST, LAST)
        if _unused(port) and _reserved(port):
            return port
    raise OSError(f"no free port between {FIRST} and {LAST}")
