"""`banlist watch`, `unwatch`, `list`, `publish`: the ban lists of others, and the community's own."""

from collections import Counter
from collections.abc import Iterator

from haven.banlists import BanLists, Law, mark_of, marked, own_list
from haven.errors import Missing, TryLater
from haven.ids import RoomId
from haven.model import Community
from haven.permissions import Right
from haven.policies import Subject
from haven.snapshot import called

from ..addresses import room_link
from ..safety.list_watch import LISTED, people_on
from ..service.groups import VIA_LIMIT
from ..wording import Answer, Line, Shown, answer, code, head, item, line, link, person
from .asked import Asked, Within
from .grammar import SHORT, Argument, Command

WATCH = Command("banlist watch", (Argument("ROOM"),))
UNWATCH = Command("banlist unwatch", (Argument("ROOM"),))
LIST = Command("banlist list")
PUBLISH = Command("banlist publish", (Argument("ON_OFF", choices=("on", "off")),))


async def watch(asked: Asked, community: Community) -> Answer:
    """Follow a list from now on."""
    safety, space = asked.services.safety, community.space
    room = await safety.lists.watch(community, asked.request.argument("ROOM"), asked.who)
    await asked.note("list_watched", community, name=called(room))
    await _followed(asked, space)
    law = await safety.lists.law(space, asked.world)
    banned, waiting = _banned(asked, space, room.id), await _waiting(asked, space, law, room.id)
    told = [line("banlist.watched", name=called(room)), _counted(law, room.id)]
    told += [line("banlist.banned", n=banned)] if banned else []
    told += [line(f"banlist.{why}", n=n) for why, n in waiting.items() if n]
    return answer(*told)


async def _followed(asked: Asked, space: RoomId) -> None:
    """Follow the lists at once; where the homeserver lets us wait it is done later."""
    watch = asked.services.safety.list_watch
    try:
        await watch.look(space)
    except TryLater:
        await watch.noticed(space)


def _banned(asked: Asked, space: RoomId, room: RoomId) -> int:
    """How many people are banned because of a list."""
    community = asked.services.communities.must(asked.world, space)
    return sum(marked(reason) == mark_of(room) for reason in community.banned.values())


async def _waiting(asked: Asked, space: RoomId, law: Law, room: RoomId) -> dict[str, int]:
    """How many people of a list wait for a word of the admins, by why."""
    cards = await asked.services.desk.cards.open(LISTED, space)
    waiting = Counter[str]()
    for card in cards:
        rules = (law.on(who) for who in people_on(card))
        waiting[card.payload["why"]] += sum(rule is not None and rule.list == room for rule in rules)
    return waiting


def _counted(law: Law, room: RoomId) -> Line:
    rules = [rule for rule in law.everywhere.rules if rule.list == room]
    counts = {subject: sum(rule.subject is subject for rule in rules) for subject in Subject}
    return line(
        "banlist.rules",
        users=counts[Subject.USER],
        servers=counts[Subject.SERVER],
        rooms=counts[Subject.ROOM],
    )


async def unwatch(asked: Asked, community: Community) -> Answer:
    """Follow a list no more; whoever was banned because of it alone may come again."""
    word, space = asked.request.argument("ROOM"), community.space
    known = await asked.services.safety.lists.named(community, word, asked.who)
    before = _banned(asked, space, known.room)
    name = await asked.services.safety.lists.unwatch(community, known.room)
    if not known.watched and not asked.message.again:
        raise Missing("list_unwatched", room=word[:100])
    await asked.note("list_unwatched", community, name=name)
    await _followed(asked, space)
    lifted = before - _banned(asked, space, known.room)
    told = (line("banlist.lifted", n=lifted),) if lifted else ()
    return answer(line("banlist.unwatched", name=name), *told)


async def show(asked: Asked, community: Community) -> Answer:
    """The lists that are watched, and the community's own."""
    services, space = asked.services.safety, community.space
    law = await services.lists.law(space, asked.world)
    return Answer(tuple(_shown(asked, community, law)), asked.sight(community).desk)


def _shown(asked: Asked, community: Community, law: Law) -> Iterator[Line]:
    lists = law.lists
    if not lists.watched:
        yield line("banlist.none", usage=code(WATCH.usage))
    else:
        yield head("banlist.head", n=len(lists.watched))
    for each in lists.watched:
        name = link(law.readable.get(each.room, each.room), room_link(each.room, each.via[:VIA_LIMIT]))
        yield _listed(asked, community.space, law, each.room, name)
    if lists.spared:
        yield head("banlist.spared", n=len(lists.spared))
        yield from (item("people.one", who=person(who)) for who in sorted(lists.spared))
    yield _own(asked, community.space, lists)


def _listed(asked: Asked, space: RoomId, law: Law, room: RoomId, name: Shown) -> Line:
    if room not in law.readable:
        return item("banlist.unseen", name=name)
    rules = sum(rule.list == room for rule in law.everywhere.rules)
    return item("banlist.one", name=name, rules=rules, people=_banned(asked, space, room))


def _own(asked: Asked, space: RoomId, lists: BanLists) -> Line:
    room = own_list(lists, space, asked.world, asked.services.homeserver.user)
    if not lists.publishes:
        return line("banlist.not_published", usage=code(f"{SHORT} {PUBLISH.name} on"))
    if room is None:
        return line("banlist.soon")
    return line("banlist.published", name=link(called(room), room_link(room.id, room.servers()[:VIA_LIMIT])))


async def publish(asked: Asked, community: Community) -> Answer:
    """Have the bans of the community stand in a list that others can watch, or not any more."""
    on = asked.request.argument("ON_OFF") == "on"
    await asked.services.safety.list_watch.own.publish(community.space, on=on)
    await asked.note("list_published" if on else "list_taken_back", community)
    await _followed(asked, community.space)
    if not on:
        return answer(line("banlist.taken_back"))
    lists = asked.services.safety.lists.of(asked.world, community.space)
    return answer(line("banlist.publishing"), _own(asked, community.space, lists))


ENTRIES = (
    Within(WATCH, Right.BAN_LISTS, watch),
    Within(UNWATCH, Right.BAN_LISTS, unwatch),
    Within(LIST, Right.BAN_LISTS, show),
    Within(PUBLISH, Right.BAN_LISTS, publish),
)
