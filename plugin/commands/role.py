"""`role add`, `role remove`, `roles`: who is what."""

from collections.abc import Iterator

from haven.errors import Invalid
from haven.ids import UserId
from haven.model import Community, Group, Role
from haven.permissions import COMMUNITY_ROLES, LEVELS, Right
from haven.reconcile import Outcome

from ..addresses import user_in
from ..outcomes import troubles
from ..rights import require
from ..service.groups import shown
from ..service.roles import Grant, check_grant, check_target, room_of
from ..wording import Answer, Line, Term, code, head, item, line, person
from .asked import Asked, Section, Within, noted_name
from .grammar import Argument, Command, Option

_GIVEN = tuple(role for role in Role if role is not Role.OWNER)
_WHAT = (Argument("WHO"), Argument("ROLE", choices=_GIVEN, understood=(Role.OWNER,)))
"""The role of owner is handed over, not given: who asks for that is told how."""
_WHERE = (Option("group", "GROUP"),)
ADD = Command("role add", _WHAT, _WHERE)
REMOVE = Command("role remove", _WHAT, _WHERE)
ROLES = Command("roles")


async def add(asked: Asked, community: Community) -> Answer:
    """Give somebody a role."""
    return await _changed(asked, community, _grant(asked, community, taken=False))


async def remove(asked: Asked, community: Community) -> Answer:
    """Take a role from somebody; everybody may lay down their own."""
    return await _changed(asked, community, _grant(asked, community, taken=True))


def _grant(asked: Asked, community: Community, *, taken: bool) -> Grant:
    request = asked.request
    role = Role(request.argument("ROLE"))
    named = request.option("group")
    group = asked.sight(community).named(named) if named else None
    return Grant(whom(asked), role, room_of(community, role, group), taken)


def whom(asked: Asked) -> UserId:
    """The person who is meant; where a client writes a mere name, the one person the message mentions."""
    word = asked.request.argument("WHO")
    mentioned = [user for user in asked.message.mentions if user != asked.services.homeserver.user]
    who = user_in(word) or (mentioned[0] if len(mentioned) == 1 else None)
    if who is None:
        raise Invalid("who_unknown", who=word[:100])
    return who


async def _changed(asked: Asked, community: Community, grant: Grant) -> Answer:
    def check(fresh: Community) -> None:
        own = grant.who == asked.who and grant.lays_down(fresh)
        require(asked.world, fresh, asked.who, Right.SEE if own else asked.right)
        actors = asked.services.communities.loop.actors
        check_target(grant, actors, asked.is_member(fresh, grant.who))
        check_grant(fresh, grant, asked.who)

    outcome = await asked.change(community, grant.carried_out, check=check)
    await _noted(asked, outcome.community, grant)
    group = outcome.community.group(grant.room) if grant.room else None
    place = asked.sight(outcome.community).place_for((group,)) if group else None
    return Answer((_told(asked, grant, outcome), *troubles(outcome)), place)


async def _noted(asked: Asked, community: Community, grant: Grant) -> None:
    group = community.group(grant.room) if grant.room else None
    verb, place = "role_removed" if grant.taken else "role_added", "" if group is None else "_in"
    where = {} if group is None else {"group": noted_name(group)}
    await asked.note(f"{verb}{place}", community, whom=grant.who, role=grant.role, **where)


def _told(asked: Asked, grant: Grant, outcome: Outcome) -> Line:
    who, role = person(grant.who), code(grant.role)
    group = outcome.community.group(grant.room) if grant.room else None
    verb = "removed" if grant.taken else "added"
    if group is None:
        rooms = Term("role.rooms", {"n": len({change.room for change in outcome.done})})
        return line(f"role.{verb}", who=who, role=role, rooms=rooms)
    return line(f"role.{verb}_in", who=who, role=role, group=shown(asked.world, outcome.community, group))


async def roles(asked: Asked, community: Community) -> Answer:
    """Everybody with a role."""
    sight = asked.sight(community)
    excepted = [group for group in sight.told if group.exceptions or group.lent]
    return Answer(tuple(_listed(asked, community, excepted)), sight.place_for(excepted))


def _listed(asked: Asked, community: Community, excepted: list[Group]) -> Iterator[Line]:
    yield head("role.head", name=community.name)
    yield item("role.holder", who=person(community.owner), role=code(Role.OWNER))
    if community.successor is not None:
        yield item("role.successor", who=person(community.successor))
    for role in COMMUNITY_ROLES:
        for user in sorted(user for user, held in community.roles.items() if held is role):
            yield item("role.holder", who=person(user), role=code(role))
    for group in excepted:
        name = shown(asked.world, community, group)
        for user, role in sorted({**group.lent, **group.exceptions}.items()):
            more = LEVELS[role] > LEVELS[community.role_of(user)]
            key = "role.holder_in" if more else "role.differs_in"
            yield item(key, who=person(user), role=code(role), group=name)


SECTION = Section(
    "noun.role",
    (
        Within(ADD, Right.CHANGE_ROLES, add, changes=True),
        Within(REMOVE, Right.CHANGE_ROLES, remove, changes=True),
        Within(ROLES, Right.SEE, roles),
    ),
)
