"""A request to be let in: what a card keeps of it, and what people read of it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from haven.ids import RoomId, UserId
from haven.model import Community, Group, Kind
from haven.ports import Content
from haven.snapshot import Membership, World

from ..cards import Card
from ..wording import Line, Value, code, head, item, line, person
from .invite import without_codes

KIND = "knock"
"""The kind of the cards of requests."""

APPROVE = "approve"
REJECT = "reject"

REASON_SHOWN = 500
NAME_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody wants to come into ``room``, a space or a group. ``name`` and ``reason``: what they say, without codes.

    ``invite`` and ``invite_name``: of the invite they came by, "" where there is none. ``chat``: the direct chat in which they gave its
    code; "" where they knock. ``put_out``: "yes" where they were put out and came again without being let in.
    """

    who: UserId
    room: RoomId
    name: str = ""
    reason: str = ""
    invite: str = ""
    invite_name: str = ""
    chat: str = ""
    put_out: str = ""

    @property
    def knocks(self) -> bool:
        """Whether they ask by knocking, so that the request ends when they knock no more."""
        return not (self.chat or self.put_out)

    @property
    def key(self) -> str:
        """What its card is about."""
        return f"{self.room} {self.who}"

    @property
    def payload(self) -> dict[str, str]:
        """What its card keeps."""
        return asdict(self)


_TEXTS = ("name", "reason", "invite", "invite_name", "chat", "put_out")


def request_of(card: Card) -> Request:
    """The request that a card is about."""
    kept = card.payload
    texts = (kept.get(name, "") for name in _TEXTS)
    return Request(UserId(kept["who"]), RoomId(kept["room"]), *texts)


def knocked(room: RoomId, who: UserId, member: Content) -> Request:
    """The request that a knock is, by its membership event."""
    return Request(who, room, _text(member, "displayname", NAME_SHOWN), _text(member, "reason", REASON_SHOWN))


def _text(content: Content, name: str, limit: int) -> str:
    value = content.get(name)
    said = "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) else ""
    return without_codes(" ".join(said.split()))[:limit]


def knocking(community: Community, world: World) -> Iterator[tuple[RoomId, UserId]]:
    """Who knocks where, at the space and at its rooms but the admins' one, which lets nobody in.

    Who had knocked at a room before it was upgraded still waits for an answer.
    """
    groups = [group for group in community.groups if group.kind is not Kind.ADMINS]
    rooms = [(community.space, community.former), *((group.room, group.former) for group in groups)]
    for room, former in rooms:
        if room in world:
            now = world[room].with_membership(Membership.KNOCKING)
            yield from ((room, who) for who in sorted(now))
            for old in former:
                waiting = world[old.room].with_membership(Membership.KNOCKING) if old.room in world else ()
                yield from ((old.room, who) for who in sorted(waiting) if who not in world[room].members)


def today(community: Community, room: RoomId) -> RoomId:
    """Where a room that somebody knocked at is now, if it was upgraded since."""
    group = community.group(room)
    past = any(old.room == room for old in community.former)
    return group.room if group else community.space if past else room


def place(community: Community, group: Group | None) -> str:
    """What the room of a request is called."""
    return community.name if group is None else group.name


def asked(request: Request, community: Community) -> Iterator[Line]:
    """What is asked, without how to answer."""
    group = community.group(request.room)
    who, name = person(request.who), request.name or request.who
    if request.put_out:
        yield head("request.head_put_out", who=who, name=name, room=community.name)
        return
    yield (
        head("request.head", who=who, name=name, room=community.name)
        if group is None
        else head("request.head_group", who=who, name=name, room=group.name)
    )
    yield line("request.reason", text=request.reason) if request.reason else line("request.no_reason")
    if request.invite_name:
        yield line("request.by_invite", name=request.invite_name)


def listed(card: Card, community: Community) -> Line:
    """A request as one of many."""
    request = request_of(card)
    room = place(community, community.group(request.room))
    about: dict[str, Value] = {"id": code(card.id), "who": person(request.who), "room": room}
    if request.put_out:
        return item("request.one_put_out", name=request.name or request.who, **about)
    if request.reason:
        return item("request.one_because", name=request.name or request.who, text=request.reason, **about)
    return item("request.one", name=request.name or request.who, **about)


def answered_elsewhere(card: Card, community: Community, world: World) -> Line | None:
    """What became of a request that nobody answered by us; ``None`` while it waits."""
    request = request_of(card)
    rooms = (world.get(room) for room in (today(community, request.room), request.room))
    held = next((room.members[request.who] for room in rooms if room and request.who in room.members), None)
    if request.room not in world:
        held = Membership.LEFT
    waits = {Membership.KNOCKING} if request.knocks else set(Membership) - _ENDS | {None}
    if held in waits:
        return None
    who = person(request.who)
    if held in {Membership.JOINED, Membership.INVITED}:
        return line("request.let_in_by_hand", who=who)
    if held in {Membership.BANNED, Membership.REMOVED}:
        return line("request.turned_away_by_hand", who=who)
    return line("request.withdrawn", who=who)


_ENDS = frozenset({Membership.JOINED, Membership.INVITED, Membership.BANNED})
"""The memberships that end a request made without a knock."""
