"""What ban lists mean to a community: which it watches, who of its people is on one, and whose ban is lifted again.

``chat.haven.banlists`` in the space says which lists are watched, who is left alone although a list names them, and where the
community publishes its own. A ban that follows a list is told from others by its reason, which begins with `MARK` and the list:
so it survives every database, and only such a ban is ever lifted because a list says so.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from haven.desired import Actors
from haven.errors import Invalid
from haven.ids import RoomId, UserId, is_user_id, server_of
from haven.model import Community, Role
from haven.policies import PATTERNS_LIMIT, Rule, Rulebook, patterns_of, rulebook, rules_of
from haven.ports import Content
from haven.snapshot import PRESENT, Membership, Room, World, called
from haven.stateevents import GROUP
from haven.succession import latest

BANLISTS = "chat.haven.banlists"
VERSION = 1

LISTS_LIMIT = 20
"""How many lists one community watches."""

SPARED_LIMIT = 500
"""How many people are left alone by name: they have to fit into one event (65,536 bytes)."""

MARK = "📜"
"""How the reason of a ban begins that follows a list."""

_MARKED = re.compile(rf"{MARK}([0-9a-f]{{8}})(?: |$)")
AROUND = (*PRESENT, Membership.KNOCKING)


@dataclass(frozen=True, slots=True)
class Watched:
    """A list that is watched. ``by``: who asked for it; ``via``: servers to find its room by."""

    room: RoomId
    by: UserId
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BanLists:
    """What a community has to do with ban lists. ``spared``: left alone whatever lists say; ``own``: the list it publishes its bans in,
    as long as it ``publishes``.
    """

    watched: tuple[Watched, ...] = ()
    spared: frozenset[UserId] = frozenset()
    own: RoomId | None = None
    publishes: bool = False

    def watching(self, room: RoomId) -> Watched | None:
        """How a list is watched, if it is."""
        return next((each for each in self.watched if each.room == room), None)


def read_banlists(content: Content) -> BanLists:
    """Read ``chat.haven.banlists``; nothing where it is empty, and not more lists than one may watch. Raises `Invalid` where it is damaged or newer than we are."""
    if not content:
        return BanLists()
    version, watched, spared = content.get("version"), content.get("watched", {}), content.get("spared", [])
    if not isinstance(version, int) or not isinstance(watched, Mapping) or not isinstance(spared, list):
        raise Invalid("state_damaged", field="version" if not isinstance(version, int) else "watched")
    if version > VERSION:
        raise Invalid("state_newer", version=version)
    own = content.get("own")
    return BanLists(
        tuple(_watched(RoomId(room), how) for room, how in sorted(watched.items())[:LISTS_LIMIT]),
        frozenset(UserId(user) for user in spared if isinstance(user, str) and is_user_id(user)),
        RoomId(own) if isinstance(own, str) and own else None,
        content.get("publishes") is True,
    )


def _watched(room: RoomId, how: object) -> Watched:
    """A list that somebody wrote down by hand may lack all but its room: it is watched, since they said so."""
    said = how if isinstance(how, Mapping) else {}
    by, via = said.get("by"), said.get("via")
    servers = via if isinstance(via, list) else []
    return Watched(
        room, UserId(by if isinstance(by, str) else ""), tuple(s for s in servers if isinstance(s, str))
    )


def banlists_content(lists: BanLists, before: Content) -> Content:
    """``chat.haven.banlists``, on top of the content ``before``, whose unknown fields stay."""
    kept = {name: value for name, value in before.items() if name not in {"own", "publishes"}}
    old = before.get("watched")
    held = old if isinstance(old, Mapping) else {}
    return {
        **kept,
        "version": VERSION,
        "watched": {each.room: {**_held(held, each.room), **_how(each)} for each in lists.watched},
        "spared": sorted(lists.spared),
        **({"own": lists.own} if lists.own else {}),
        **({"publishes": True} if lists.publishes else {}),
    }


def _held(held: Mapping[str, object], room: RoomId) -> Mapping[str, object]:
    how = held.get(room)
    return how if isinstance(how, Mapping) else {}


def _how(watched: Watched) -> Content:
    return {"by": watched.by, "via": list(watched.via)}


_OWN = "/banlist"


def own_slot(space: RoomId) -> str:
    """What the room is recognised by in which a community publishes its bans."""
    return f"{space}{_OWN}"


def own_list(lists: BanLists, space: RoomId, world: World, bot: UserId) -> Room | None:
    """The room in which a community publishes its bans.

    Every admin can write by hand which one it is, so it counts only where the bot has made it for this community: else they would have
    us write into rooms of others.
    """
    room = world.get(lists.own) if lists.own else None
    if room is None or room.maker != bot or not room.slot.endswith(_OWN):
        return None
    first = RoomId(room.slot.removesuffix(_OWN))
    return room if first not in world or latest(world, first, bot) == space else None


def mark_of(room: RoomId) -> str:
    """What stands for a list in the reason of a ban."""
    return hashlib.sha256(room.encode()).hexdigest()[:8]


def marked(reason: str) -> str:
    """The mark of the list that a ban follows; "" where it follows none."""
    found = _MARKED.match(reason)
    return found[1] if found else ""


def plain_reason(reason: str) -> str:
    """A reason without its mark."""
    return _MARKED.sub("", reason, count=1)


@dataclass(frozen=True, slots=True)
class Law:
    """What the lists say that a community watches. Made by `law_of`.

    ``readable``: the lists that we can read; ``too_wide``: rules that name the bot or the bridge, which never count for people who have
    their accounts where these have theirs; ``crowded``: lists with more patterns than are followed.
    """

    lists: BanLists
    readable: Mapping[RoomId, str]
    home: str
    everywhere: Rulebook
    at_home: Rulebook
    too_wide: tuple[Rule, ...] = ()
    crowded: tuple[RoomId, ...] = ()
    _judged: dict[UserId, Rule | None] = field(default_factory=dict)

    def on(self, user: UserId) -> Rule | None:
        """The rule by which somebody is to be banned, if there is one and nobody has said to leave them alone."""
        return None if user in self.lists.spared else self.names(user)

    def names(self, user: UserId) -> Rule | None:
        """The rule that names somebody, if there is one, whether they are left alone or not."""
        if user not in self._judged:
            book = self.at_home if server_of(user) == self.home else self.everywhere
            self._judged[user] = book.on(user)
        return self._judged[user]

    def reason(self, rule: Rule) -> str:
        """The reason of a ban that follows a rule."""
        name = self.readable.get(rule.list, "")
        why = f"{name}: {rule.reason}" if rule.reason and name else name or rule.reason
        return f"{MARK}{mark_of(rule.list)} {why}".strip()


def law_of(lists: BanLists, world: World, actors: Actors) -> Law:
    """What the lists say, read out of their rooms: whatever hands have put among them, no room of a community is one.

    Takes time in proportion to the rules.
    """
    seen = (world[each.room] for each in lists.watched if each.room in world)
    rooms = [room for room in seen if not room.is_space and (GROUP, "") not in room.state]
    everywhere = rulebook(rule for room in rooms for rule in rules_of(room))
    ours = tuple(user for user in (actors.bot, actors.bridge) if user is not None)
    too_wide = everywhere.all_on(ours)
    names = {room.id: called(room) for room in rooms}
    counts = patterns_of(everywhere.rules)
    crowded = tuple(room for room in counts if len(counts[room]) > PATTERNS_LIMIT)
    at_home = everywhere.without(too_wide)
    return Law(lists, names, server_of(actors.bot), everywhere, at_home, too_wide, crowded)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the lists ask for. ``banned``: by which rule; ``staff``: people with a role whom a rule names, left to the admins;
    ``lifted``: bans that have followed a list and follow none any more.
    """

    banned: Mapping[UserId, Rule] = field(default_factory=dict)
    staff: Mapping[UserId, Rule] = field(default_factory=dict)
    lifted: frozenset[UserId] = frozenset()


def findings(community: Community, law: Law, world: World, actors: Actors) -> Findings:
    """What there is to do."""
    if not law.lists.watched and not any(map(marked, community.banned.values())):
        return Findings()
    around = people_around(community, world, actors) - community.banned.keys()
    named = {who: rule for who in sorted(around) if (rule := law.on(who)) is not None}
    return Findings(
        {who: rule for who, rule in named.items() if not is_staff(community, who)},
        {who: rule for who, rule in named.items() if is_staff(community, who)},
        frozenset(who for who in community.banned if is_lifted(community, who, law, world, actors)),
    )


def people_around(community: Community, world: World, actors: Actors) -> frozenset[UserId]:
    """Who is in the community or one of its rooms, was asked in, or asks to be let in; without the accounts of ours."""
    rooms = (community.space, *(group.room for group in community.groups))
    around = (world[room].with_membership(*AROUND) for room in rooms if room in world)
    return frozenset[UserId]().union(*around) - {actors.bot, actors.bridge}


def is_staff(community: Community, user: UserId) -> bool:
    """Whether somebody has a role, in all of the community or in one room of it: lists do not put them out."""
    exceptions = (group.exceptions.get(user, Role.MEMBER) for group in community.groups)
    return community.role_of(user) is not Role.MEMBER or any(role is not Role.MEMBER for role in exceptions)


def is_lifted(community: Community, who: UserId, law: Law, world: World, actors: Actors) -> bool:
    """Whether somebody is banned because of a list, by us, and no list asks for it any more. A list that has gone out of sight, as long
    as it is watched, lifts nothing.
    """
    how = world[community.space].expulsions.get(who)
    if how is None or how.by != actors.bot or who not in community.banned:
        return False
    followed, unseen = (
        marked(how.reason),
        {mark_of(each.room) for each in law.lists.watched} - {mark_of(room) for room in law.readable},
    )
    return followed not in {"", *unseen} and law.on(who) is None
