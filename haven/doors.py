"""How one comes into a space and its rooms: the join rules, with the doors from rooms that were upgraded.

Source: client-server API, ``m.room.join_rules``; ``knock_restricted`` takes version 10 or later.
"""

from collections.abc import Iterable

from haven.ids import RoomId
from haven.model import Community, Former, Group, JoinPolicy, Kind, Visibility
from haven.ports import Content


def space_join_rule(community: Community) -> Content:
    """The join rule of the space. Who was in a space before its upgrade comes into the new one by themselves."""
    rules = {JoinPolicy.OPEN: "public", JoinPolicy.REQUEST: "knock", JoinPolicy.INVITE: "invite"}
    locked = community.lockdown is not None
    return _opened_to("invite" if locked else rules[community.settings.join], _rooms(community.former))


def _rooms(former: Iterable[Former]) -> tuple[RoomId, ...]:
    return tuple(old.room for old in former)


def _opened_to(rule: str, rooms: Iterable[RoomId]) -> Content:
    """A join rule by which those who are in certain rooms come in as well."""
    allow = [{"type": "m.room_membership", "room_id": room} for room in rooms]
    more = {"invite": "restricted", "knock": "knock_restricted"}
    return {"join_rule": more[rule], "allow": allow} if allow and rule in more else {"join_rule": rule}


def group_join_rule(community: Community, group: Group) -> Content:
    """Who was in a room before its upgrade comes into the new one, however closed it is to others."""
    shut = group.kind is Kind.ADMINS or group.archived or community.lockdown is not None
    own = _rooms(group.former)
    if shut or group.visibility is Visibility.HIDDEN:
        return _opened_to("invite", own)
    if group.visibility is Visibility.REQUEST:
        return _opened_to("knock", own)
    return _opened_to("invite", (community.space, *_rooms(community.former), *own))
