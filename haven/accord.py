"""What a community and its counterpart on a network have to do so that they agree again: facts in, steps out. Pure.

Each side is read whole and compared with what both were last seen to be (`Agreed`). A group that only one side has is new there, or was
taken away on the other, and only what was agreed before tells which. Of a name or topic the side that changed it since is
followed; where both did nobody is overwritten, and people are told. Two ends that differ from the start may go on doing so in peace.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from haven.errors import Guarded
from haven.ids import ChatId, RoomId
from haven.merge import Ends, Verdict, verdict_of_ends

WHOLE = ""
"""The scope of what is said of the whole community; that of a group is its chat."""

AT_ONCE = 3
"""How many groups may be let go at once; more is taken for a mistake of the other side, and left to people."""

MOST = 100
"""How many groups a community may have in common with a network (that of WhatsApp; FEATURES C3)."""


class Part(StrEnum):
    """What a group is for in its community. Of the first two there is one each."""

    ANNOUNCEMENTS = "announcements"
    GENERAL = "general"
    GROUP = "group"


class Trait(StrEnum):
    """What a side shows of itself."""

    NAME = "name"
    TOPIC = "topic"


Face: TypeAlias = Mapping[Trait, str]
"""What a side shows of itself; a trait that it cannot have, or that is not known, is absent and left alone."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One group on one side. ``chat``: on ours, the chat that its room is linked to already. ``slot``: the same on both sides where ours
    was made because the network's was there.
    """

    part: Part
    face: Face
    chat: ChatId | None = None
    slot: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.face.get(Trait.NAME, "")


@dataclass(frozen=True, slots=True)
class Here:
    """Our side: the community, and its groups that people of networks may know of."""

    face: Face
    rooms: Mapping[RoomId, Branch]


@dataclass(frozen=True, slots=True)
class There:
    """The network's side. ``founds``: groups can be added and let go there."""

    face: Face
    chats: Mapping[ChatId, Branch]
    founds: bool = True

    @property
    def announcements(self) -> ChatId | None:
        """The announcement group."""
        found = (chat for chat, branch in self.chats.items() if branch.part is Part.ANNOUNCEMENTS)
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was last agreed: which room is which chat, and by scope how each trait was seen at both ends, ours first."""

    pairs: Mapping[ChatId, RoomId] = field(default_factory=dict)
    faces: Mapping[str, Mapping[Trait, Ends]] = field(default_factory=dict)


Line: TypeAlias = tuple[str, Mapping[str, str]]
"""The key of a phrase (``accord.<key>``) and the values that fill it."""


@dataclass(frozen=True, slots=True)
class _About:
    """A step about one group. ``name``: what it is called."""

    phrase: ClassVar[str]
    room: RoomId
    chat: ChatId
    name: str

    def line(self) -> Line:
        """One line for people."""
        return self.phrase, {"name": self.name, "chat": self.chat}


class Join(_About):
    """Link the room to the chat: they are the same group."""

    phrase = "join"


class LetGoHere(_About):
    """The network's side let the group go: end its link, and have it archived."""

    phrase = "let_go_here"


class LetGoThere(_About):
    """Our side let the group go: end its link, and take it out of the community there."""

    phrase = "let_go_there"


class Forget(_About):
    """Both sides let it go."""

    phrase = "forget"


@dataclass(frozen=True, slots=True)
class FoundThere:
    """Add a group to the community on the network."""

    room: RoomId
    branch: Branch

    def line(self) -> Line:
        """One line for people."""
        return "found_there", {"name": self.branch.name}


@dataclass(frozen=True, slots=True)
class FoundHere:
    """Have a group made here."""

    chat: ChatId
    branch: Branch

    def line(self) -> Line:
        """One line for people."""
        return "found_here", {"name": self.branch.name, "chat": self.chat}


@dataclass(frozen=True, slots=True)
class _Show:
    """Carry a trait over. ``scope``: `WHOLE`, or the chat; ``room`` is the space for the whole; ``ends``: how both were seen."""

    phrase: ClassVar[str]
    scope: str
    room: RoomId
    name: str
    trait: Trait
    ends: Ends

    def line(self) -> Line:
        """One line for people."""
        return f"{self.phrase}_{self.trait}", {"name": self.name}


class ShowHere(_Show):
    """Have our side show what the network's shows."""

    phrase = "show_here"


class ShowThere(_Show):
    """Have the network's side show what ours shows."""

    phrase = "show_there"


Step: TypeAlias = Join | FoundThere | FoundHere | ShowHere | ShowThere | LetGoHere | LetGoThere | Forget


@dataclass(frozen=True, slots=True)
class Conflict:
    """A trait that both sides changed since they last agreed, to different things."""

    scope: str
    name: str
    trait: Trait
    ends: Ends


@dataclass(frozen=True, slots=True)
class Accord:
    """What is to be done, in this order; removals come last. ``agreed``: what holds already; each step adds to it once done.

    ``withheld``: how many groups should have been let go, and were not because they are too many at once; ``beyond``: how many
    groups would be more than a community may have.
    """

    steps: tuple[Step, ...]
    agreed: Agreed
    conflicts: tuple[Conflict, ...] = ()
    withheld: int = 0
    beyond: int = 0


def accord(space: RoomId, here: Here, there: There, agreed: Agreed) -> Accord:
    """What brings both sides together. Raises `Guarded` (``accord_empty``) where a side suddenly shows nothing: that is no fact."""
    _refuse_empty(here, there, agreed)
    pairs, joins = _paired(here, there, agreed)
    found, beyond = _bounded(_foundings(here, there, agreed, pairs), len(pairs))
    faces = _Faces(space, here, there, agreed)
    faces.compare(pairs)
    endings = tuple(_endings(here, there, agreed))
    removals = tuple(step for step in endings if not isinstance(step, Forget))
    withheld = len(removals) if len(removals) > AT_ONCE else 0
    last = tuple(step for step in endings if not withheld or isinstance(step, Forget))
    kept = {chat: room for chat, room in agreed.pairs.items() if chat not in pairs}
    known = {chat: room for chat, room in pairs.items() if agreed.pairs.get(chat) == room}
    return Accord(
        (*joins, *faces.steps, *found, *last),
        Agreed({**kept, **known}, faces.seen),
        tuple(faces.conflicts),
        withheld,
        beyond,
    )


def _refuse_empty(here: Here, there: There, agreed: Agreed) -> None:
    if there.announcements is None or (agreed.pairs and not here.rooms):
        raise Guarded("accord_empty")


def _paired(here: Here, there: There, agreed: Agreed) -> tuple[dict[ChatId, RoomId], tuple[Join, ...]]:
    """Which room is which chat: as agreed, as linked already, by what it is for, by its name. And the links to be made for it."""
    pairs = {c: r for c, r in agreed.pairs.items() if c in there.chats and r in here.rooms}
    spoken_for = {*agreed.pairs, *agreed.pairs.values()}
    for alike in (_is_linked, _was_made_for, _is_same_part, _has_same_name):
        for chat, branch in there.chats.items():
            if chat in spoken_for:
                continue
            free = (room for room in here.rooms if room not in spoken_for)
            room = next((room for room in free if alike(here.rooms[room], chat, branch)), None)
            if room is not None:
                pairs[chat] = room
                spoken_for |= {chat, room}
    new = tuple(
        Join(room, chat, here.rooms[room].name)
        for chat, room in pairs.items()
        if here.rooms[room].chat != chat or agreed.pairs.get(chat) != room
    )
    return pairs, new


def _is_linked(ours: Branch, chat: ChatId, _theirs: Branch) -> bool:
    return ours.chat == chat


def _was_made_for(ours: Branch, _chat: ChatId, theirs: Branch) -> bool:
    return bool(ours.slot) and ours.slot == theirs.slot and ours.chat is None


def _is_same_part(ours: Branch, _chat: ChatId, theirs: Branch) -> bool:
    return ours.part is theirs.part is not Part.GROUP and ours.chat is None


def _has_same_name(ours: Branch, _chat: ChatId, theirs: Branch) -> bool:
    groups = ours.part is theirs.part is Part.GROUP
    return groups and ours.name.casefold() == theirs.name.casefold() and ours.chat is None


def _foundings(
    here: Here, there: There, agreed: Agreed, pairs: Mapping[ChatId, RoomId]
) -> Iterator[FoundThere | FoundHere]:
    paired = {*pairs.values(), *agreed.pairs.values()}
    for chat, branch in there.chats.items():
        if chat not in pairs and chat not in agreed.pairs and branch.part is Part.GROUP:
            yield FoundHere(chat, branch)
    for room, branch in here.rooms.items():
        wanted = branch.part is not Part.ANNOUNCEMENTS and branch.chat is None
        if there.founds and wanted and room not in paired:
            yield FoundThere(room, branch)


def _bounded(
    steps: Iterable[FoundThere | FoundHere], there_are: int
) -> tuple[tuple[FoundThere | FoundHere, ...], int]:
    wanted = tuple(steps)
    room = max(0, MOST - there_are)
    return wanted[:room], len(wanted[room:])


def _endings(here: Here, there: There, agreed: Agreed) -> Iterator[LetGoHere | LetGoThere | Forget]:
    for chat, room in agreed.pairs.items():
        ours, theirs = here.rooms.get(room), there.chats.get(chat)
        if ours is None and theirs is None:
            yield Forget(room, chat, "")
        elif ours is None and theirs is not None and there.founds:
            yield LetGoThere(room, chat, theirs.name)
        elif ours is not None and theirs is None:
            yield LetGoHere(room, chat, ours.name)


_UNBORN: Mapping[Trait, Ends] = {}


class _Faces:
    """Compares what the sides show of themselves."""

    def __init__(self, space: RoomId, here: Here, there: There, agreed: Agreed) -> None:
        self._space, self._here, self._there, self._agreed = space, here, there, agreed
        self.steps: list[ShowHere | ShowThere] = []
        self.conflicts: list[Conflict] = []
        self.seen: dict[str, dict[Trait, Ends]] = {}

    def compare(self, pairs: Mapping[ChatId, RoomId]) -> None:
        """Compare the whole, and each group that both have."""
        self._scope(WHOLE, self._space, self._here.face, self._there.face)
        for chat, room in pairs.items():
            ours, theirs = self._here.rooms[room], self._there.chats[chat]
            # What was made for a chat has the name that this had then: it may have another by now.
            born = {Trait.NAME: (ours.name, ours.name)} if _was_made_for(ours, chat, theirs) else {}
            self._scope(chat, room, ours.face, theirs.face, born)

    def _scope(
        self, scope: str, room: RoomId, ours: Face, theirs: Face, born: Mapping[Trait, Ends] = _UNBORN
    ) -> None:
        self.seen[scope] = dict(self._agreed.faces.get(scope, born))
        for trait in Trait:
            if trait in ours and trait in theirs:
                name = ours.get(Trait.NAME, "")
                self._judge(ShowHere(scope, room, name, trait, (ours[trait], theirs[trait])))

    def _judge(self, one: "ShowHere") -> None:
        seen = self.seen[one.scope]
        match verdict_of_ends(*one.ends, seen.get(one.trait)):
            case Verdict.AGREE:
                seen[one.trait] = one.ends
            case Verdict.BRING_HERE:
                self.steps.append(one)
            case Verdict.BRING_THERE:
                self.steps.append(ShowThere(one.scope, one.room, one.name, one.trait, one.ends))
            case Verdict.CONFLICT:
                self.conflicts.append(Conflict(one.scope, one.name, one.trait, one.ends))
