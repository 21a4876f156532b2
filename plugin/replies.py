"""Says things in rooms: answers to commands, how jobs go, and what admins must hear. The words come from the catalogues."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from haven.errors import HavenError, TryLater
from haven.ids import EventId, RoomId, server_of
from haven.model import Community, Group, Kind
from haven.phrases import Phrases
from haven.reconcile import Outcome
from haven.succession import KEPT_FOR

from .addresses import room_link
from .concerns import Concern
from .durations import DAY
from .events import Incoming
from .homeserver_messages import Messenger, Words
from .outcomes import troubles
from .service.work import FoundingJob, GroupJob, Job, UpgradeJob
from .wording import Answer, Line, Shown, Wording, head, item, line, link, of_error, pages

KEPT_DAYS = KEPT_FOR // DAY
TRIES = 5
BACK_OFF = 2.0
"""Seconds before the second try where nobody said how long; doubled each time."""

Sent = TypeVar("Sent")
Wait = Callable[[float], Awaitable[None]]


def room_shown(community: Community, group: Group) -> Shown:
    """A room's name as a link. The owner's server helps to find it: the bot keeps the room open for everybody there."""
    return link(group.name, room_link(group.room, (server_of(community.owner),)))


@dataclass(slots=True)
class Replies:
    """Implements `plugin.service.jobs.Tells` and `plugin.concerns.Warns`, and answers commands.

    ``wait``: lets seconds pass when the homeserver asks for it.
    """

    messages: Messenger
    phrases: Phrases
    wait: Wait = asyncio.sleep

    def wording(self, language: str) -> Wording:
        """Words in a language."""
        return Wording(self.phrases, language)

    async def answer(self, message: Incoming, language: str, given: Answer) -> EventId:
        """Answer a command where it was asked; what is long goes on in the thread of the command. Gives the answer's event.

        The same command twice is answered once.
        """
        wording = self.wording(given.language or language)
        shown, *rest = pages(given.lines, wording)
        thread = message.thread or None
        told = await self._say(
            message.room,
            wording.words(shown, (message.sender,)),
            reply_to=message.event,
            thread=thread,
            transaction=f"answer.{message.event}",
        )
        await self._thread(message.room, thread or message.event, wording, rest, f"answer.{message.event}")
        return told

    async def progress(self, message: Incoming, said: EventId, language: str, told: Line) -> EventId:
        """Say how far a command is, in the message ``said`` of it before, if any; gives the message."""
        words = self.wording(language).words((told,), () if said else (message.sender,))
        if said:
            await self.patiently(lambda: self.messages.edit(message.room, said, words))
            return said
        about, transaction = message.thread or None, f"progress.{message.event}"
        return await self._say(
            message.room, words, reply_to=message.event, thread=about, transaction=transaction
        )

    async def conclude(self, message: Incoming, said: EventId, language: str, given: Answer) -> None:
        """Let what was said of a command on its way become its answer; what is long goes on in a thread."""
        wording = self.wording(given.language or language)
        shown, *rest = pages(given.lines, wording)
        await self.patiently(lambda: self.messages.edit(message.room, said, wording.words(shown)))
        await self._thread(
            message.room, message.thread or message.event, wording, rest, f"answer.{message.event}"
        )

    async def elsewhere(self, room: RoomId, message: Incoming, language: str, given: Answer) -> None:
        """Answer a command in another room than it was asked in."""
        wording = self.wording(given.language or language)
        shown, *rest = pages(given.lines, wording)
        transaction = f"elsewhere.{message.event}"
        words = wording.words(shown, (message.sender,))
        told = await self._say(room, words, reply_to=None, thread=None, transaction=transaction)
        await self._thread(room, told, wording, rest, transaction)

    async def change(self, room: RoomId, event: EventId, language: str, lines: Sequence[Line]) -> None:
        """Let an earlier message say something else."""
        words = self.wording(language).words(pages(lines, self.wording(language))[0])
        await self.patiently(lambda: self.messages.edit(room, event, words))

    async def tell(self, room: RoomId, language: str, lines: Sequence[Line], transaction: str) -> EventId:
        """Say something that nobody asked for. The same ``transaction`` again is the same message."""
        words = self.wording(language).words(lines)
        return await self._say(room, words, reply_to=None, thread=None, transaction=transaction)

    async def patiently(self, send: Callable[[], Awaitable[Sent]]) -> Sent:
        """Send, and again when the homeserver wants us to wait. Raises what is left after that."""
        for attempt in range(1, TRIES):
            try:
                return await send()
            except TryLater as later:
                await self.wait(later.after if later.after is not None else BACK_OFF * 2**attempt)
        return await send()

    async def job_started(self, job: Job) -> EventId:
        """See `plugin.service.jobs.Tells`."""
        words = self.wording(job.report.language).words([_started(job)])
        return await self.messages.say(
            job.report.room, words, reply_to=_asked(job), transaction=f"{job.id}.started"
        )

    async def job_progress(self, job: Job, done: int, total: int) -> None:
        """See `plugin.service.jobs.Tells`."""
        lines = (_started(job), line("job.progress", done=done, total=total))
        await self.patiently(lambda: self._edit(job, lines, f"{done}.{total}"))

    async def job_finished(self, job: Job, outcome: Outcome) -> None:
        """See `plugin.service.jobs.Tells`."""
        await self._edit(job, (*_ended(job, outcome), *troubles(outcome)), "finished")

    async def job_failed(self, job: Job, error: HavenError | None, reference: str) -> None:
        """See `plugin.service.jobs.Tells`."""
        why = line("answer.bug", reference=reference) if error is None else of_error(error)
        upgrades = isinstance(job.work, UpgradeJob)
        said = line("job.upgrade_failed" if upgrades else "job.failed", name=_name(job))
        await self._edit(job, (said, why), "failed")

    async def warn(
        self, room: RoomId, language: str, concerns: tuple[Concern, ...], transaction: str
    ) -> None:
        """See `plugin.concerns.Warns`."""
        about = [item(concern.key, **concern.values) for concern in concerns]
        wording = self.wording(language)
        shown, *rest = pages((head("concern.head", n=len(concerns)), *about), wording)
        told = await self.messages.say(room, wording.words(shown), transaction=transaction)
        await self._thread(room, told, wording, rest, transaction)

    async def _thread(
        self, room: RoomId, root: EventId, wording: Wording, rest: Sequence[Sequence[Line]], transaction: str
    ) -> None:
        for number, page in enumerate(rest, 1):
            words = wording.words(page)
            await self._say(room, words, reply_to=None, thread=root, transaction=f"{transaction}.{number}")

    async def _say(
        self,
        room: RoomId,
        words: Words,
        *,
        reply_to: EventId | None,
        thread: EventId | None,
        transaction: str,
    ) -> EventId:
        return await self.patiently(
            lambda: self.messages.say(room, words, reply_to=reply_to, thread=thread, transaction=transaction)
        )

    async def _edit(self, job: Job, lines: Sequence[Line], step: str) -> None:
        room, wording, transaction = job.report.room, self.wording(job.report.language), f"{job.id}.{step}"
        words = wording.words(pages(lines, wording)[0])
        if job.message:
            await self.messages.edit(room, job.message, words, transaction=transaction)
        else:
            await self.messages.say(room, words, reply_to=_asked(job), transaction=transaction)


def _asked(job: Job) -> EventId | None:
    """The command that a job is an answer to, where it was given in the same room."""
    return None if isinstance(job.work, UpgradeJob) and job.work.elsewhere else job.report.event


def _name(job: Job) -> str:
    match job.work:
        case FoundingJob(founding):
            return founding.name
        case UpgradeJob(name=name):
            return name
        case GroupJob(wished=wished):
            return wished.name


def _ended(job: Job, outcome: Outcome) -> tuple[Line, ...]:
    match job.work:
        case FoundingJob():
            return _founded(outcome.community)
        case UpgradeJob():
            return _upgraded(job.work, outcome.community)
        case GroupJob():
            return _added(job, outcome)


def _upgraded(work: UpgradeJob, community: Community) -> tuple[Line, ...]:
    group = community.group(work.room)
    space = link(community.name, room_link(community.space, (server_of(community.owner),)))
    name = room_shown(community, group) if group else space
    key = "job.upgrade_done" if group else "job.upgrade_space_done"
    return (line(key, name=name, version=work.version), line("job.upgrade_kept", n=KEPT_DAYS))


def _started(job: Job) -> Line:
    if isinstance(job.work, UpgradeJob):
        return line("job.upgrade_started", name=_name(job), version=job.work.version)
    key = "job.community_started" if isinstance(job.work, FoundingJob) else "job.group_started"
    return line(key, name=_name(job))


def _founded(community: Community) -> tuple[Line, ...]:
    space = link(community.name, room_link(community.space, (server_of(community.owner),)))
    rooms = (item("job.room", room=room_shown(community, group)) for group in community.groups)
    return (
        line("job.community_done", name=space),
        *rooms,
        head("job.next"),
        item("job.next_join"),
        item("job.next_group"),
        item("job.next_role"),
        item("job.next_announce"),
    )


def _added(job: Job, outcome: Outcome) -> tuple[Line, ...]:
    community, name = outcome.community, _name(job)
    groups = (g for g in community.groups if g.kind is Kind.GROUP and g.name.casefold() == name.casefold())
    group = next(groups, None)
    return (line("job.group_done", name=room_shown(community, group) if group else name),)
