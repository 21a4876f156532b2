"""Whether somebody may do something in a community, judged by what was last seen of its space."""

from haven import succession
from haven.errors import NotAllowed
from haven.ids import UserId
from haven.model import Community, Group, Role
from haven.permissions import Right, has_right, holders
from haven.snapshot import World


def is_member(world: World, community: Community, user: UserId) -> bool:
    """Whether somebody is joined to the space of a community, or to the one before it and not yet gone over."""
    return succession.is_member(world, community, user)


def require(
    world: World, community: Community, user: UserId, right: Right, group: Group | None = None
) -> None:
    """Raise `NotAllowed` unless ``user`` is a member of the community who has the right, in ``group`` if one is given."""
    if not is_member(world, community, user):
        raise NotAllowed("not_member", community=community.name)
    if not has_right(community, user, right, group):
        able = ", ".join(role for role in Role if role in holders(right, community.settings))
        raise NotAllowed("right_missing", role=community.role_of(user), holders=able)


def require_somewhere(world: World, community: Community, user: UserId, right: Right) -> None:
    """Raise `NotAllowed` unless ``user`` has the right in the whole community or in one of its groups."""
    if not any(has_right(community, user, right, group) for group in community.groups):
        require(world, community, user, right)
    elif not is_member(world, community, user):
        raise NotAllowed("not_member", community=community.name)
