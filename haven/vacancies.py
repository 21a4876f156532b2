"""What is free in a community: the places for groups, the names for rooms."""

from collections.abc import Iterable

from haven.errors import Invalid
from haven.ids import RoomId, UserId
from haven.model import Community, Kind
from haven.permissions import knows_of


def refuse_full(community: Community) -> None:
    """Raise `Invalid` where the community has as many groups as it may."""
    limit = community.settings.group_limit
    if sum(group.kind is Kind.GROUP for group in community.groups) >= limit:
        raise Invalid("group_limit", limit=limit)


def refuse_taken(community: Community, name: str, by: UserId, but: RoomId | None = None) -> None:
    """Raise `Invalid` where another room than ``but`` has that name, as far as ``by`` may know of it.

    Whoever may not know of a hidden group learns nothing of it by trying names: they may give its name once more.
    """
    known = (group for group in community.groups if group.room != but and knows_of(community, by, group))
    refuse_twin(name, (group.name for group in known))


def refuse_twin(name: str, taken: Iterable[str]) -> None:
    """Raise `Invalid` where a name is taken; capitals make no other name."""
    if name.casefold() in {each.casefold() for each in taken}:
        raise Invalid("group_name_taken", name=name)
