"""A community, or a group, that is wished for but not there yet, as values that can be kept until it is.

The identity of a wish goes into the slots of its rooms, and these into ``m.room.create``: however often a founding is
interrupted and taken up again, each room is recognised and made once.
"""

from dataclasses import dataclass, field, replace

from haven.desired import placeholder
from haven.errors import Invalid
from haven.ids import RoomId, UserId
from haven.model import Community, Group, Kind, Settings, Visibility
from haven.texts import checked_description, checked_name
from haven.vacancies import refuse_full, refuse_taken, refuse_twin

GROUPS_AT_ONCE = 10
"""WhatsApp's limit for the groups of a new community (FEATURES C1)."""


@dataclass(frozen=True, slots=True)
class WishedGroup:
    """A group to be made."""

    name: str
    visibility: Visibility = Visibility.OPEN
    topic: str = ""
    suggested: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", checked_name(self.name))
        object.__setattr__(self, "topic", checked_description(self.topic))


@dataclass(frozen=True, slots=True)
class Founding:
    """A community to be made. ``id``: random, unique among all wishes; ``titles``: what the fixed rooms are called.

    Raises `Invalid` when a name breaks a rule, two rooms share a name, or there are more than ten groups.
    """

    id: str
    name: str
    owner: UserId
    titles: "Titles"
    description: str = ""
    groups: tuple[WishedGroup, ...] = ()
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", checked_name(self.name))
        object.__setattr__(self, "description", checked_description(self.description))
        if len(self.groups) > GROUPS_AT_ONCE:
            raise Invalid("groups_at_once", n=len(self.groups), limit=GROUPS_AT_ONCE)
        names = [*self.titles.all, *(group.name for group in self.groups)]
        for place, group in enumerate(self.groups, len(self.titles.all)):
            refuse_twin(group.name, names[:place])


@dataclass(frozen=True, slots=True)
class Titles:
    """Names of the fixed rooms, in the language of the community."""

    announcements: str
    general: str
    admins: str

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return self.announcements, self.general, self.admins


def founded(wish: Founding) -> Community:
    """The community that is wished for; its rooms are placeholders until they are made."""
    fixed = (
        (Kind.ANNOUNCEMENTS, wish.titles.announcements),
        (Kind.GENERAL, wish.titles.general),
        (Kind.ADMINS, wish.titles.admins),
    )
    rooms = [
        Group(
            room=_place(wish.id, kind),
            kind=kind,
            name=title,
            slot=_slot(wish.id, kind),
            suggested=kind is not Kind.ADMINS,
        )
        for kind, title in fixed
    ]
    wished = [
        added_group(f"{wish.id}/{number}", group, wish.owner) for number, group in enumerate(wish.groups)
    ]
    return Community(
        space=_place(wish.id, "space"),
        name=wish.name,
        owner=wish.owner,
        slot=_slot(wish.id, "space"),
        description=wish.description,
        groups=(*rooms[:2], *wished, *rooms[2:]),
        settings=wish.settings,
    )


def _slot(wish: str, part: str) -> str:
    return f"{wish}/{part}"


def _place(wish: str, part: str) -> RoomId:
    return placeholder(_slot(wish, part))


def added_group(slot: str, wish: WishedGroup, by: UserId) -> Group:
    """The group that is wished for. ``slot``: unique, kept with the wish; ``by``: invited if the group is hidden."""
    return Group(
        room=placeholder(slot),
        kind=Kind.GROUP,
        name=wish.name,
        slot=slot,
        topic=wish.topic,
        visibility=wish.visibility,
        suggested=wish.suggested,
        made_for=by,
    )


def with_added_group(community: Community, slot: str, wish: WishedGroup, by: UserId) -> Community:
    """The community with a group added, if it is not there yet.

    Raises `Invalid` as `refuse_taken` and `refuse_full`.
    """
    if any(group.slot == slot for group in community.groups):
        return community
    refuse_taken(community, wish.name, by)
    refuse_full(community)
    return replace(community, groups=(*community.groups, added_group(slot, wish, by)))
