"""What a community is made of: values that check themselves and cannot change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from haven.errors import Invalid
from haven.ids import ChatId, Network, RoomId, UserId
from haven.measures import Lockdown, Mute
from haven.texts import checked_description, checked_name

Held = TypeVar("Held")


class Role(StrEnum):
    """What a person is in a community, from most to least."""

    OWNER = "owner"
    ADMIN = "admin"
    ANNOUNCER = "announcer"
    GROUP_ADMIN = "group-admin"
    MODERATOR = "moderator"
    GREETER = "greeter"
    MEMBER = "member"


class Kind(StrEnum):
    """What a room is for."""

    ANNOUNCEMENTS = "announcements"
    GENERAL = "general"
    GROUP = "group"
    ADMINS = "admins"


class Visibility(StrEnum):
    """Who may see and join a group: every member; every member may ask; only who is invited."""

    OPEN = "open"
    REQUEST = "request"
    HIDDEN = "hidden"


class History(StrEnum):
    """What newcomers can read of a room: from their joining on, or all that was said before."""

    JOINED = "joined"
    SHARED = "shared"


class Release(StrEnum):
    """How a group leaves its community: as it is, or together with those who are in no other group of it."""

    KEEP = "keep"
    REMOVE_MEMBERS = "remove_members"


RETENTIONS: Mapping[str, int | None] = {
    "24h": 24 * 3_600_000,
    "7d": 7 * 24 * 3_600_000,
    "90d": 90 * 24 * 3_600_000,
    "off": None,
}
"""After how long messages can be made to disappear, in ms."""


class WhoAddsGroups(StrEnum):
    """Who may add a group without asking."""

    EVERYONE = "everyone"
    ADMINS = "admins"


class Replies(StrEnum):
    """How members may answer announcements (reactions are always allowed)."""

    OFF = "off"
    THREADS = "threads"
    OPEN = "open"


class JoinPolicy(StrEnum):
    """How one comes into the community."""

    OPEN = "open"
    REQUEST = "request"
    INVITE = "invite"


class CodePolicy(StrEnum):
    """What an invite code opens: the door, or, while this is ``approval``, only the way to the admins."""

    DIRECT = "direct"
    APPROVAL = "approval"


class FirstSteps(StrEnum):
    """Whether those who have come are told what there is for them."""

    ON = "on"
    OFF = "off"


_RANGES: Mapping[str, tuple[int, int]] = {
    "group_limit": (1, 1_000),
    "admin_limit": (1, 1_000),
    "request_days": (0, 365),
    "wave_limit": (0, 100_000),
    "wave_minutes": (1, 1_440),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What an admin can set for a community. ``language`` is a code of the catalogues; the limits count.

    ``request_days``: after how many days a request that nobody answered ends, 0 for never. More than ``wave_limit`` people (0 for any
    number) who come within ``wave_minutes`` are a wave.
    """

    who_adds_groups: WhoAddsGroups = WhoAddsGroups.ADMINS
    replies: Replies = Replies.OFF
    join: JoinPolicy = JoinPolicy.REQUEST
    language: str = "en"
    group_limit: int = 100
    admin_limit: int = 20
    codes: CodePolicy = CodePolicy.DIRECT
    request_days: int = 14
    first_steps: FirstSteps = FirstSteps.ON
    wave_limit: int = 50
    wave_minutes: int = 10

    def __post_init__(self) -> None:
        for setting, (low, high) in _RANGES.items():
            if not low <= getattr(self, setting) <= high:
                raise _impossible(setting)


def setting_choices(name: str) -> tuple[str, ...]:
    """The values a setting can have, for showing; empty where it is a number or free text. Raises `Invalid` if unknown."""
    if name not in _SETTINGS:
        raise Invalid("setting_unknown", setting=name, known=", ".join(_SETTINGS))
    kind = type(getattr(Settings(), name))
    return tuple(str(choice) for choice in kind) if issubclass(kind, StrEnum) else ()


def with_setting(settings: Settings, name: str, text: str) -> Settings:
    """The settings with one changed as a person wrote it. Raises `Invalid` for an unknown setting or a value it cannot have."""
    setting_choices(name)
    kind = type(getattr(settings, name))
    try:
        value: Any = kind(text.strip().lower())
    except ValueError:
        raise _impossible(name) from None
    return replace(settings, **{name: value})


def _impossible(name: str) -> Invalid:
    """What is wrong with a value that a setting cannot have."""
    if name in _RANGES:
        low, high = _RANGES[name]
        return Invalid("setting_range", setting=name, low=low, high=high)
    return Invalid("setting_value", setting=name, choices=", ".join(setting_choices(name)))


_SETTINGS = tuple(setting.name for setting in fields(Settings))


@dataclass(frozen=True, slots=True)
class Link:
    """A wanted link of a room to a chat on a network. ``proven``: an operator of the chat has confirmed it."""

    network: Network
    chat: ChatId
    by: UserId
    whole: bool = False
    proven: bool = False

    @property
    def key(self) -> str:
        """The state key of its ``chat.haven.link`` event."""
        return f"{self.network}:{self.chat}"


LONGEST_KEPT = 23 * 24 * 3_600_000
"""How much longer, in ms, an old room stays where somebody still needs it to find the new one."""


@dataclass(frozen=True, slots=True)
class Former:
    """A room that another took the place of by an upgrade, and that is still in the list, ``until`` a time (ms since the epoch).

    ``over``: that time has come; ``overdue``: long ago, so that it waits for nobody any more.
    """

    room: RoomId
    until: int
    over: bool = False
    overdue: bool = False

    def at(self, now: int) -> "Former":
        """The same as of a time, in ms since the epoch."""
        over, overdue = self.until <= now, self.until + LONGEST_KEPT <= now
        return (
            self
            if (over, overdue) == (self.over, self.overdue)
            else replace(self, over=over, overdue=overdue)
        )


@dataclass(frozen=True, slots=True)
class Group:
    """One room of a community as it is meant.

    ``room`` is a placeholder (`haven.desired.placeholder`) until the room exists. ``slot`` tells the rooms of one community
    apart from before they exist: it is written into ``m.room.create``, so that a room is never made twice.
    ``exceptions``: roles that hold in this room only, or differ in it on purpose. ``lent``: those of people of other networks here.
    ``bridged``: the bridge has work here: a link is wanted, or one that was has not been undone yet.
    ``made_for``: who is invited at the moment the room is made.
    ``archived``: read only, out of the list and closed to joins. ``released``: on its way out of the community, to live on by itself.
    ``retention``: after how many ms messages disappear. ``encrypted``: once it is, it stays so.
    ``former``: the rooms whose place this one has taken and which are still kept, the last one first.
    """

    room: RoomId
    kind: Kind
    name: str
    slot: str = ""
    topic: str = ""
    visibility: Visibility = Visibility.OPEN
    suggested: bool = False
    exceptions: Mapping[UserId, Role] = field(default_factory=dict)
    lent: Mapping[UserId, Role] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    bridged: bool = False
    made_for: UserId | None = None
    archived: bool = False
    released: Release | None = None
    history: History = History.JOINED
    retention: int | None = None
    encrypted: bool = False
    former: tuple[Former, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", checked_name(self.name))
        object.__setattr__(self, "topic", checked_description(self.topic))


def _group_at(group: Group, now: int) -> Group:
    """A group as of a time; itself where nothing of it has a time."""
    return replace(group, former=tuple(old.at(now) for old in group.former)) if group.former else group


def _without(held: Mapping[UserId, Held], *others: Collection[UserId]) -> Mapping[UserId, Held]:
    """What is held, but for some people; the very same where none of them holds anything."""
    if not any(user in each for user in held for each in others):
        return held
    return {user: value for user, value in held.items() if not any(user in each for each in others)}


def _but(held: Mapping[UserId, Held], user: UserId) -> Mapping[UserId, Held]:
    """What is held, but for one person."""
    return {person: value for person, value in held.items() if person != user} if user in held else held


@dataclass(frozen=True, slots=True)
class Community:
    """A community as it is meant: its space, its rooms, and who is what in it.

    ``roles`` holds the roles of the whole community (never `Role.MEMBER`, `Role.ANNOUNCER` or `Role.GROUP_ADMIN`, which
    are exceptions of a room). ``deactivated``: when, in ms since the epoch, or ``None``.

    ``muted``: who must not speak; it does not bind the owner and admins. ``lockdown``: whether all is closed.
    ``successor``: who becomes owner when the owner leaves the space.
    ``banned``, ``removed``: who was banned, or put out by somebody, with the reason; they have no role and no exception any
    more. ``left``: who went by themselves; their role waits for them. The owner is in none of these.
    ``former``: the spaces whose place this one has taken and which are still kept, the last one first.
    ``links``: to whole communities on networks. ``bridged``: the bridge has work with one, in all groups that are no secret.
    """

    space: RoomId
    name: str
    owner: UserId
    slot: str = ""
    description: str = ""
    roles: Mapping[UserId, Role] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    settings: Settings = field(default_factory=Settings)
    deactivated: int | None = None
    muted: Mapping[UserId, Mute] = field(default_factory=dict)
    lockdown: Lockdown | None = None
    successor: UserId | None = None
    banned: Mapping[UserId, str] = field(default_factory=dict)
    removed: Mapping[UserId, str] = field(default_factory=dict)
    left: frozenset[UserId] = frozenset()
    former: tuple[Former, ...] = ()
    links: tuple[Link, ...] = ()
    bridged: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", checked_name(self.name))
        object.__setattr__(self, "description", checked_description(self.description))
        object.__setattr__(self, "banned", _but(self.banned, self.owner))
        object.__setattr__(self, "removed", _but(self.removed, self.owner))
        if self.owner in self.left:
            object.__setattr__(self, "left", self.left - {self.owner})
        heir = self.successor
        if heir is not None and (heir == self.owner or heir in self.banned or heir in self.removed):
            object.__setattr__(self, "successor", None)
        object.__setattr__(self, "roles", _without(self.roles, self.banned, self.removed))
        object.__setattr__(self, "groups", tuple(self._with_members_only(group) for group in self.groups))

    def _with_members_only(self, group: Group) -> Group:
        exceptions = _without(group.exceptions, self.banned, self.removed)
        return group if exceptions is group.exceptions else replace(group, exceptions=exceptions)

    def with_ban(self, user: UserId, reason: str = "") -> "Community":
        """The same community with somebody banned from all of it."""
        return replace(self, banned={**self.banned, user: reason}, removed=_but(self.removed, user))

    def without_ban(self, user: UserId) -> "Community":
        """The same community with a ban lifted, in its rooms as well where it had come from the space."""
        return replace(self, banned=_but(self.banned, user))

    def without_member(self, user: UserId, reason: str = "") -> "Community":
        """The same community with somebody put out of all of it, who may come again as anybody may."""
        return replace(self, removed={**self.removed, user: reason})

    def without_group(self, room: RoomId, how: Release = Release.KEEP) -> "Community":
        """The same community with a group on its way out of it. The fixed rooms stay."""
        group = self.group(room)
        if group is None or group.kind is not Kind.GROUP or group.released:
            return self
        return self.with_group(replace(group, released=how))

    def with_mute(self, user: UserId, mute: Mute) -> "Community":
        """The same community with somebody muted, beside what they were muted for already."""
        before = self.muted.get(user)
        return replace(self, muted={**self.muted, user: mute if before is None else before.and_also(mute)})

    def without_mute(self, user: UserId) -> "Community":
        """The same community with somebody who may speak again."""
        return replace(self, muted=_but(self.muted, user))

    def at(self, now: int) -> "Community":
        """The same community without what has ended by then, in ms since the epoch."""
        olds = self.all_former
        if not olds and not any(mute.ended(now) for mute in self.muted.values()):
            return self
        return replace(
            self,
            muted={user: mute for user, mute in self.muted.items() if not mute.ended(now)},
            former=tuple(old.at(now) for old in self.former),
            groups=tuple(_group_at(group, now) for group in self.groups) if olds else self.groups,
        )

    @property
    def all_former(self) -> tuple[Former, ...]:
        """Every old room that is kept, those of the space first."""
        return (*self.former, *(old for group in self.groups for old in group.former))

    def only(self, kind: Kind) -> Group | None:
        """The one room of a kind there is at most one of (announcements, general, admins)."""
        return next((group for group in self.groups if group.kind is kind), None)

    def group(self, room: RoomId) -> Group | None:
        """The group that lives in ``room``, or did before that was upgraded."""
        living = next((group for group in self.groups if group.room == room), None)
        past = (group for group in self.groups if any(old.room == room for old in group.former))
        return living or next(past, None)

    def role_of(self, user: UserId) -> Role:
        """The role of a person in the whole community."""
        if user == self.owner:
            return Role.OWNER
        return self.roles.get(user, Role.MEMBER)

    def with_role(self, user: UserId, role: Role) -> "Community":
        """The same community with ``user`` as ``role``; `Role.MEMBER` takes a role away."""
        roles = {person: held for person, held in self.roles.items() if person != user}
        if role is not Role.MEMBER:
            roles[user] = role
        return replace(self, roles=roles)

    def with_owner(self, user: UserId) -> "Community":
        """The same community handed over; who owned it is an admin from then on."""
        if user == self.owner:
            return self
        others = {person: role for person, role in self.roles.items() if person != user}
        return replace(self, owner=user, roles={**others, self.owner: Role.ADMIN})

    def with_group(self, changed: Group) -> "Community":
        """The same community with one group added, or replaced where one of its room is there already."""
        others = tuple(group for group in self.groups if group.room != changed.room)
        if len(others) == len(self.groups):
            return replace(self, groups=(*self.groups, changed))
        return replace(self, groups=tuple(changed if g.room == changed.room else g for g in self.groups))
