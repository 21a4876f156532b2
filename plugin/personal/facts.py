"""What the rooms of communities say of one person: read there, and kept nowhere else."""

from collections.abc import Iterable
from dataclasses import dataclass

from haven.ids import RoomId, UserId
from haven.model import Community, Group, Role
from haven.permissions import is_secret
from haven.snapshot import PRESENT, Membership, World
from haven.succession import is_member


@dataclass(frozen=True, slots=True)
class Facts:
    """What one community says of somebody. ``held``: what they are in its space, ``None`` where they never were in it;
    ``member``: they belong to it, were it by the space before this one.
    """

    community: Community
    who: UserId
    held: Membership | None
    rooms: tuple[tuple[Group, Membership], ...]
    member: bool

    @property
    def role(self) -> Role:
        """Their role in all of it."""
        return self.community.role_of(self.who)

    @property
    def exceptions(self) -> dict[RoomId, Role]:
        """Their roles in single rooms."""
        groups = self.community.groups
        return {group.room: group.exceptions[self.who] for group in groups if self.who in group.exceptions}

    @property
    def present(self) -> bool:
        """Whether they are in it, or invited."""
        return self.member or self.held in PRESENT

    @property
    def has_role(self) -> bool:
        """Whether anything says more of them than that they are a member."""
        return self.role is not Role.MEMBER or bool(self.exceptions) or self.community.successor == self.who

    @property
    def muted(self) -> bool:
        """Whether they are muted."""
        return self.who in self.community.muted

    @property
    def banned(self) -> bool:
        """Whether they are banned."""
        return self.who in self.community.banned

    @property
    def links(self) -> tuple[str, ...]:
        """The links to other networks that they asked for and that stand."""
        groups = self.community.groups
        return tuple(link.key for group in groups for link in group.links if link.by == self.who)

    @property
    def closed(self) -> bool:
        """Whether they have closed everything."""
        return self.community.lockdown is not None and self.community.lockdown.by == self.who

    @property
    def stands(self) -> bool:
        """Whether anything stands there of who need not be in it."""
        return self.muted or self.banned or self.closed or bool(self.links)

    def told(self) -> dict[str, object]:
        """All of it, as JSON for the person: rooms that are hidden from them are not named."""
        mute = self.community.muted.get(self.who)
        rooms = {group.name: str(held) for group, held in self.rooms}
        exceptions = {self._named(room): str(role) for room, role in self.exceptions.items()}
        found: dict[str, object] = {
            "community": self.community.name,
            "space": self.community.space,
            "membership": str(self.held or ""),
            "role": str(self.role),
            "roles_in_rooms": exceptions,
            "rooms": rooms,
            "muted": None if mute is None else {"until": mute.until, "everywhere": not mute.rooms},
            "banned": self.banned,
            "removed": self.who in self.community.removed,
            "reason": self.community.banned.get(self.who) or self.community.removed.get(self.who),
            "successor": self.community.successor == self.who,
            "links": list(self.links),
            "lockdown": self.closed,
        }
        return {name: value for name, value in found.items() if value not in (None, "", {}, [], False)}

    def _named(self, room: RoomId) -> str:
        group = self.community.group(room)
        inside = any(each.room == room for each, _ in self.rooms)
        return group.name if group is not None and inside else room


def facts_of(communities: Iterable[Community], world: World, who: UserId) -> tuple[Facts, ...]:
    """The communities that say anything of somebody, by name."""
    found = (_read(community, world, who) for community in communities)
    told = [one for one in found if one.held or one.member or one.rooms or one.has_role or one.stands]
    return tuple(sorted(told, key=lambda one: (one.community.name.casefold(), one.community.space)))


def _read(community: Community, world: World, who: UserId) -> Facts:
    def held(room: RoomId) -> Membership | None:
        return world[room].members.get(who) if room in world else None

    rooms = ((group, held(group.room)) for group in community.groups)
    known = ((g, m) for g, m in rooms if m is not None and (m in PRESENT or not is_secret(g)))
    return Facts(community, who, held(community.space), tuple(known), is_member(world, community, who))
