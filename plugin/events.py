"""What arrives from the homeserver, as values: messages for commands, and nudges for everything else."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from haven.ids import EventId, RoomId, UserId
from haven.ports import StateEvent

Raw: TypeAlias = Mapping[str, Any]

COMMAND = re.compile(r"!c(?:ommunity)?(?:\s|$)", re.IGNORECASE)
"""How commands begin (CONTRACT, "Commands"): only these are kept until they are answered."""

FLAG = "\N{TRIANGULAR FLAG ON POST}"
"""The reaction that reports a message."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text message that somebody else has said. ``mentions``: who it means (``m.mentions``); ``at``: ms since the epoch.

    ``html``: its rich form, "" where there is none. ``thread``: the root of the thread it was said in, "" outside of threads.
    ``reply_to``: the event it answers, "" where there is none. Edits and notices never come here. ``again``: an earlier life of
    ours had begun with it.
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
    again: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Reaction:
    """Somebody else has reacted to an event (spec: ``m.annotation``). ``emoji``: what with, as it was sent."""

    room: RoomId
    event: EventId
    sender: UserId
    target: EventId
    emoji: str


@dataclass(frozen=True, slots=True)
class Posted:
    """Something stands in a room, of whatever kind; not what it says. ``thread``, ``reply_to``: as in `Incoming`; ``edits``: the
    event it replaces, "" where there is none. ``command``: it is said to us; ``at``: ms since the epoch.
    """

    room: RoomId
    event: EventId
    sender: UserId
    at: int
    thread: EventId = EventId("")
    reply_to: EventId = EventId("")
    edits: EventId = EventId("")
    command: bool = False


@dataclass(frozen=True, slots=True)
class Nudge:
    """A state event has come in a room we are in. ``before``: the membership that it changed, where the homeserver tells it."""

    room: RoomId
    event: StateEvent
    before: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """The homeserver has left out events of a room (spec: a ``limited`` timeline)."""

    room: RoomId


@dataclass(frozen=True, slots=True)
class Left:
    """We are not in a room any more."""

    room: RoomId


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody invites us. ``direct``: to a chat of two."""

    room: RoomId
    sender: UserId
    direct: bool


News: TypeAlias = Nudge | Gap | Left | Invited | Posted | Incoming | Reaction


def message(raw: Raw, room: RoomId, bot: UserId) -> Incoming | None:
    """A message out of its event; ``None`` for what is nobody's text to us: our own, notices, edits, and what is damaged."""
    content = _mapping(raw.get("content"))
    relation = _mapping(content.get("m.relates_to"))
    sender, body = UserId(_text(raw, "sender")), _text(content, "body")
    if sender == bot or content.get("msgtype") != "m.text" or not body:
        return None
    if relation.get("rel_type") == "m.replace":
        return None
    threaded = relation.get("rel_type") == "m.thread"
    falls_back = threaded and relation.get("is_falling_back") is True
    rich = content.get("format") == "org.matrix.custom.html"
    return Incoming(
        room=room,
        event=EventId(_text(raw, "event_id")),
        sender=sender,
        body=body,
        html=_text(content, "formatted_body") if rich else "",
        mentions=_mentions(content),
        reply_to=EventId("" if falls_back else _text(_mapping(relation.get("m.in_reply_to")), "event_id")),
        thread=EventId(_text(relation, "event_id") if threaded else ""),
        at=raw["origin_server_ts"] if isinstance(raw.get("origin_server_ts"), int) else 0,
    )


def reaction(raw: Raw, room: RoomId, bot: UserId) -> Reaction | None:
    """A reaction out of its event; ``None`` for our own and for what is damaged."""
    relation = _mapping(_mapping(raw.get("content")).get("m.relates_to"))
    sender, target, emoji = UserId(_text(raw, "sender")), _text(relation, "event_id"), _text(relation, "key")
    if sender == bot or relation.get("rel_type") != "m.annotation" or not target or not emoji:
        return None
    return Reaction(room, EventId(_text(raw, "event_id")), sender, EventId(target), emoji)


def posted(raw: Raw, room: RoomId) -> Posted | None:
    """What stands in a room, out of its event; ``None`` for state and for what has been redacted."""
    content = _mapping(raw.get("content"))
    relation = _mapping(content.get("m.relates_to"))
    kind, target = relation.get("rel_type"), EventId(_text(relation, "event_id"))
    if "state_key" in raw or not content:
        return None
    return Posted(
        room=room,
        event=EventId(_text(raw, "event_id")),
        sender=UserId(_text(raw, "sender")),
        at=raw["origin_server_ts"] if isinstance(raw.get("origin_server_ts"), int) else 0,
        thread=EventId(target if kind == "m.thread" else ""),
        reply_to=EventId(_text(_mapping(relation.get("m.in_reply_to")), "event_id")),
        edits=EventId(target if kind == "m.replace" else ""),
        command=COMMAND.match(_text(content, "body")) is not None,
    )


def _heard(raw: Raw, room: RoomId, bot: UserId) -> Iterator[News]:
    """What somebody else has said, or reacted with: read here, since mautrix passes over the first answer after a start."""
    if raw.get("sender") == bot:
        return
    if raw.get("type") == "m.room.message":
        found: tuple[News | None, ...] = (posted(raw, room), message(raw, room, bot))
    elif raw.get("type") == "m.reaction":
        found = (reaction(raw, room, bot),)
    else:
        return
    yield from (each for each in found if each is not None)


def is_flag(done: Reaction) -> bool:
    """Whether a reaction reports what it stands under."""
    return done.emoji.replace("\ufe0f", "") == FLAG


def news(sync: Raw, bot: UserId) -> Iterator[News]:
    """What the answer to ``/sync`` says of rooms: changes, and what was said and reacted."""
    rooms = _mapping(sync.get("rooms"))
    for room, said in _mapping(rooms.get("join")).items():
        if _mapping(_mapping(said).get("timeline")).get("limited") is True:
            yield Gap(RoomId(room))
        for part in ("state", "timeline"):
            for raw in _events(said, part):
                if "state_key" in raw:
                    yield Nudge(RoomId(room), _state_event(raw), _before(raw))
                else:
                    yield from _heard(raw, RoomId(room), bot)
    for room in _mapping(rooms.get("leave")):
        yield Left(RoomId(room))
    for room, said in _mapping(rooms.get("invite")).items():
        yield from _invitation(RoomId(room), _events(said, "invite_state"), bot)


def _invitation(room: RoomId, state: list[Raw], bot: UserId) -> Iterator[Invited]:
    for raw in state:
        content = _mapping(raw.get("content"))
        if raw.get("type") == "m.room.member" and raw.get("state_key") == bot:
            yield Invited(room, UserId(_text(raw, "sender")), content.get("is_direct") is True)


def _before(raw: Raw) -> str:
    return _text(_mapping(_mapping(raw.get("unsigned")).get("prev_content")), "membership")


def _state_event(raw: Raw) -> StateEvent:
    return StateEvent(
        type=_text(raw, "type"),
        key=_text(raw, "state_key"),
        sender=UserId(_text(raw, "sender")),
        content=_mapping(raw.get("content")),
        event=EventId(_text(raw, "event_id")),
        at=raw["origin_server_ts"] if isinstance(raw.get("origin_server_ts"), int) else 0,
    )


def _mentions(content: Raw) -> tuple[UserId, ...]:
    users = _mapping(content.get("m.mentions")).get("user_ids")
    listed = users if isinstance(users, list) else []
    return tuple(UserId(user) for user in listed if isinstance(user, str))


def _events(said: object, part: str) -> list[Raw]:
    events = _mapping(_mapping(said).get(part)).get("events")
    return [raw for raw in events if isinstance(raw, Mapping)] if isinstance(events, list) else []


def _mapping(value: object) -> Raw:
    return value if isinstance(value, Mapping) else {}


def _text(raw: Raw, name: str) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) else ""
