"""Ties a child process to its parent: when the parent dies, however it dies, the child is killed by the kernel.

Run as a program between the two (`python tether.py PARENT-PID COMMAND...`), so that nothing has to happen between fork and exec of the parent.
Standard library only and isolated, since it starts before every server. On anything but Linux it only starts the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h; the setting survives exec (prctl(2))."""


def main() -> None:
    """Asks the kernel for the signal, then becomes the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(sys.argv[1]):  # the parent died before we could ask
            sys.exit(1)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - becoming another program is what this is for


if __name__ == "__main__":
    main()
