"""One message that says how far a command is, where it takes long, and becomes its answer in the end."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from haven.errors import HavenError
from haven.ids import EventId

from ..events import Incoming
from ..pace import Pace
from ..replies import Replies
from ..wording import Answer, Line, line

log = logging.getLogger("haven.commands")

SLOW = 5.0
"""Seconds after which a command that is still at work says so."""


@dataclass(slots=True)
class Progress:
    """What is said of one command on its way. ``said``: the message; "" until there is one. ``language``: as soon as it is known."""

    replies: Replies
    message: Incoming
    now: Callable[[], float]
    busy: Callable[[], bool]
    language: str = ""
    said: EventId = EventId("")
    concluded: bool = False
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.now, self.busy)
        self.pace.put_off(SLOW)

    async def told(self, done: int, total: int) -> None:
        """See `haven.reconcile.Progress`. Not every step is worth a message; one that is has its turn, or a busy homeserver hears none."""
        if done == total or not self.pace.next():
            return
        try:
            self.said = await self.replies.progress(
                self.message, self.said, self.language, line("job.progress", done=done, total=total)
            )
        except HavenError as error:
            log.info("progress of a command was not told: %s", error)

    async def begin(self, *lines: Line) -> None:
        """Say at once that it is being worked on."""
        self.said = await self.replies.answer(self.message, self.language, Answer(lines))

    async def conclude(self, *lines: Line) -> None:
        """Say how it ended, before the answer, which then is none for this room."""
        await self.answer(self.language, Answer(lines))
        self.concluded = True

    async def answer(self, language: str, given: Answer) -> None:
        """Answer the command: by what was said of it, if anything was."""
        if self.concluded:
            return
        if self.said:
            await self.replies.conclude(self.message, self.said, language, given)
        else:
            await self.replies.answer(self.message, language, given)
