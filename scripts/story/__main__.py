"""Runs the demo: `python -m scripts.story [--once]`; exit status 0 only when every step was verified.

Nothing of it is left when it ends, Ctrl-C in the middle included, but for the logs of one that failed.
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from embedded.processes import ChildFailed
from embedded.waiting import NeverHappened
from scripts.story import bridging, keeping, scenes
from scripts.story.cast import FATHERS, PASSWORD
from scripts.story.stage import CHANNEL, Stage, stage
from scripts.story.story import COMMUNITY, Story, gather_cast
from scripts.story.telling import NotSo, Teller

SCENES: tuple[Callable[[Story], Awaitable[None]], ...] = (
    scenes.founding,
    scenes.joining,
    scenes.announcing,
    bridging.linking,
    bridging.talking,
    keeping.promoting,
    keeping.refusing,
    keeping.planning,
)


async def perform(directory: Path, *, once: bool) -> None:
    """Plays the story; then, unless ``once``, stays until Ctrl-C."""
    _end_by(signal.SIGTERM, signal.SIGHUP)
    teller, started = Teller(), time.monotonic()
    teller.line(f"Haven demo: «{COMMUNITY}», on real servers, on this machine only.")
    teller.line("Starting Synapse, maubot with the plugin, the bridge and an IRC server ...")
    async with stage(directory) as servers:
        story = await gather_cast(servers, teller)
        async with story.paco:
            for scene in SCENES:
                await scene(story)
            teller.line()
            teller.line(
                f"{teller.verified} things verified by asking the servers, in {time.monotonic() - started:.0f} s."
            )
            _say_where(servers, teller, directory, once=once)
            if not once:
                await _until_interrupted(teller)


def _end_by(*signals: signal.Signals) -> None:
    """Ends the story cleanly by these signals as by Ctrl-C, which asyncio sees to."""
    story = asyncio.current_task()
    if story is not None:
        for number in signals:
            asyncio.get_running_loop().add_signal_handler(number, story.cancel)


def _say_where(servers: Stage, teller: Teller, directory: Path, *, once: bool) -> None:
    teller.line()
    if once:
        teller.line(
            "All of it ends now (ONCE=1). While it stays up, this is where to look with any Matrix client:"
        )
    else:
        teller.line("Where to look, with any Matrix client on this machine:")
    rows = [("homeserver", servers.synapse.url), ("password of all", PASSWORD)]
    rows += [(f"user {localpart}", f"{name}, {country}") for localpart, (name, country) in FATHERS.items()]
    rows += [("IRC", f"{servers.irc.host}:{servers.irc.port}, {CHANNEL}"), ("logs", str(directory))]
    teller.table(rows)


async def _until_interrupted(teller: Teller) -> None:
    teller.line()
    teller.line("All of it stays up until Ctrl-C.")
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    await interrupted.wait()
    teller.line("\nGoodbye.")


def main() -> int:
    """Runs the demo as the command line says."""
    parser = argparse.ArgumentParser(prog="make demo", description="A community on Matrix, in step with IRC.")
    parser.add_argument("--once", action="store_true", help="end when the story is told")
    once = parser.parse_args().once
    memory = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it, readable by us only
    directory = Path(
        tempfile.mkdtemp(prefix="haven-demo-", dir=memory if os.access(memory, os.W_OK) else None)
    )
    status = 0
    try:
        asyncio.run(perform(directory, once=once))
    except (KeyboardInterrupt, asyncio.CancelledError):
        status = 130
    except BaseException as problem:
        print(f"\nThe demo failed: {problem}\nThe logs are in {directory}", file=sys.stderr)
        if not isinstance(problem, NotSo | NeverHappened | ChildFailed):
            raise
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
