"""What arrives from the homeserver, as values: messages for commands, and nudges for everything else."""

from dataclasses import dataclass

from haven.ids import EventId, RoomId, UserId


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text message that somebody else has said. ``mentions``: who it means (``m.mentions``); ``at``: ms since the epoch.

    ``html``: its rich form, "" where there is none. ``thread``: the root of the thread it was said in, "" outside of threads.
    ``reply_to``: the event it answers, "" where there is none. Edits and notices never come here.
    """

    room: RoomId
    event: EventId
    sender: UserId
    body: str
    html: str = ""
    mentions: tuple[UserId, ...] = ()
    reply_to: EventId = EventId("")
    thread: EventId = EventId("")
    at: int = 0
