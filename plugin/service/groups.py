"""Which rooms of a community somebody may know of, and which one they mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haven.errors import Invalid, Missing
from haven.ids import RoomId, UserId, server_of
from haven.model import Community, Group, Kind, Role
from haven.permissions import is_secret, knows_of
from haven.snapshot import Membership, World

from ..addresses import alias_in, room_in, room_link
from ..wording import Shown, link

VIA_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Sight:
    """What one person may be told of a community, by what they are and where they ask."""

    community: Community
    world: World
    user: UserId
    here: RoomId

    @property
    def groups(self) -> tuple[Group, ...]:
        """The rooms they may know of: hidden ones only when they are in them, or an admin."""
        return tuple(group for group in self.community.groups if self.may_know(group))

    def may_know(self, group: Group) -> bool:
        """Whether they may be told that the room exists."""
        if knows_of(self.community, self.user, group):
            return True
        room = self.world.get(group.room)
        return room is not None and room.members.get(self.user) is Membership.JOINED

    @property
    def is_admin(self) -> bool:
        """Whether they are told everything."""
        return self.community.role_of(self.user) in {Role.OWNER, Role.ADMIN}

    @property
    def told(self) -> tuple[Group, ...]:
        """The rooms they are told of in answer: hidden ones to admins, or where nobody else reads it."""
        free = self.is_admin or is_alone(self.world, self.here)
        return tuple(
            group for group in self.groups if free or not is_secret(group) or group.room == self.here
        )

    def place_for(self, groups: Iterable[Group]) -> RoomId | None:
        """Where an answer that names these rooms belongs, if not where it was asked: see `plugin.wording.Answer`.

        In the admins' room, or, for who is no admin, in the hidden group itself, where everybody knows of it.
        """
        named = {group.room for group in groups if is_secret(group) and group.room != self.here}
        if not named or (self.here == self.desk and not self.is_admin):
            return None
        if self.is_admin or len(named) > 1:
            return self.desk
        return None if is_alone(self.world, self.here) else named.pop()

    @property
    def desk(self) -> RoomId | None:
        """The admins' room: where that is told which is for the staff alone."""
        admins = self.community.only(Kind.ADMINS)
        return admins.room if admins else None

    def named(self, word: str) -> Group:
        """The room that a word means: an id, an alias, a link, a name, or its kind where that is plain.

        Raises `Missing` where there is none that they may know of, `Invalid` where there are several.
        """
        found = tuple(self._matching(word))
        if not found:
            raise Missing("group_unknown", group=word[:100], known=_listed(self.groups))
        if len(found) > 1:
            raise Invalid("group_ambiguous", group=word[:100], ids=", ".join(group.room for group in found))
        return found[0]

    def _matching(self, word: str) -> Sequence[Group]:
        room, alias, name = room_in(word), alias_in(word), word.strip().casefold()
        known = self.community.group(room) if room is not None else None
        if room is not None or alias:
            return [
                group for group in self.groups if group is known or (alias and alias in self._aliases(group))
            ]
        called = [group for group in self.groups if group.name.casefold() == name]
        return called or [
            group for group in self.groups if group.kind is not Kind.GROUP and group.kind == name
        ]

    def _aliases(self, group: Group) -> set[object]:
        content = self.world[group.room].content("m.room.canonical_alias") if group.room in self.world else {}
        more = content.get("alt_aliases")
        return {content.get("alias"), *(more if isinstance(more, list) else ())}


def _listed(groups: Iterable[Group]) -> str:
    names = [group.name for group in groups if not is_secret(group)]
    return ", ".join(names[:10]) + (" …" if len(names) > 10 else "")


def is_alone(world: World, room: RoomId) -> bool:
    """Whether nobody reads along in a room: the bot and one person at most."""
    return room in world and len(world[room].with_membership(Membership.JOINED)) <= 2


def servers(world: World, room: RoomId, community: Community) -> tuple[str, ...]:
    """Servers to find a room by; where we have not seen it yet, the owner's."""
    known = world[room].servers()[:VIA_LIMIT] if room in world else ()
    return known or (server_of(community.owner),)


def shown(world: World, community: Community, group: Group) -> Shown:
    """A room's name as a link to it."""
    return link(group.name, room_link(group.room, servers(world, group.room, community)))


def shown_space(world: World, community: Community) -> Shown:
    """A community's name as a link to its space."""
    return link(community.name, room_link(community.space, servers(world, community.space, community)))
