"""`bridge chats`, `bridge link`, `bridge unlink`, `bridge status`: groups, or whole communities, and what they are on other networks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from haven.errors import Invalid, Missing
from haven.model import Community, Group, Kind, Link
from haven.permissions import Right
from haven.reconcile import Outcome
from haven.stateevents import LinkState

from ..outcomes import troubles
from ..service.groups import Sight, shown, shown_space
from ..service.links import (
    Standing,
    ask_for_chats,
    check_link,
    check_whole,
    links_to,
    network_called,
    reason_of,
    refuse_part,
    standings,
    unwrite_link,
    wanted_link,
    whole_standings,
    write_link,
)
from ..wording import Answer, Line, Term, Value, answer, code, head, item, line
from .asked import Asked, Section, Within, noted_name
from .grammar import Argument, Command, Option

_GROUP = (Option("group", "GROUP"),)
CHATS = Command("bridge chats", (Argument("NETWORK"),))
LINK = Command("bridge link", (Argument("NETWORK"), Argument("CHAT")), (*_GROUP, Option("whole")))
UNLINK = Command("bridge unlink", (Argument("NETWORK"),), _GROUP)
STATUS = Command("bridge status")


def _require_bridge(asked: Asked) -> None:
    if asked.services.communities.loop.actors.bridge is None:
        raise Invalid("bridge_none")


async def chats(asked: Asked, community: Community) -> Answer:
    """Ask the bridge which chats of a network can be linked; it answers in the admins' room."""
    _require_bridge(asked)
    network = network_called(asked.request.argument("NETWORK"))
    admins = community.only(Kind.ADMINS)
    if admins is None:
        raise Missing("community_missing")
    await ask_for_chats(asked.services.communities, admins.room, network, asked.who)
    outcome = await _in_step(asked, community)
    return answer(line("bridge.looking", network=network), *troubles(outcome))


async def link(asked: Asked, community: Community) -> Answer:
    """Ask the bridge to link a group to a chat, or the whole community to one of the network."""
    _require_bridge(asked)
    request = asked.request
    wanted = wanted_link(request.argument("NETWORK"), request.argument("CHAT"), asked.who)
    if request.switched("whole"):
        return await _link_whole(asked, community, replace(wanted, whole=True))
    group = _group(asked, community)
    check_link(community, group, wanted)
    await write_link(asked.services.communities, group.room, wanted)
    outcome = await _in_step(asked, community)
    await asked.note("linked", community, group=noted_name(group), network=wanted.network, chat=wanted.chat)
    return _told(asked, "bridge.asked", group, wanted, outcome)


async def _link_whole(asked: Asked, community: Community, wanted: Link) -> Answer:
    if asked.request.option("group"):
        raise Invalid("link_group_or_whole")
    check_whole(community, wanted)
    await write_link(asked.services.communities, community.space, wanted)
    outcome = await _in_step(asked, community)
    await asked.note("linked", community, group=community.name, network=wanted.network, chat=wanted.chat)
    told = line(
        "bridge.asked_whole",
        name=shown_space(asked.world, outcome.community),
        network=wanted.network,
        chat=code(wanted.chat),
    )
    return answer(told, *troubles(outcome))


def _group(asked: Asked, community: Community) -> Group:
    """The group that is named, or the room that the command was given in."""
    named = asked.request.option("group")
    if named:
        return asked.sight(community).named(named)
    here = community.group(asked.message.room)
    if here is None:
        raise Invalid("link_which_group")
    return here


async def _in_step(asked: Asked, community: Community) -> Outcome:
    return await asked.change(community, lambda meant: meant)


def _told(asked: Asked, key: str, group: Group, which: Link, outcome: Outcome) -> Answer:
    room = shown(asked.world, outcome.community, group)
    told = line(key, group=room, network=which.network, chat=code(which.chat))
    return Answer((told, *troubles(outcome)), asked.sight(outcome.community).place_for((group,)))


async def unlink(asked: Asked, community: Community) -> Answer:
    """Ask the bridge to undo a link."""
    network, named = asked.request.argument("NETWORK"), asked.request.option("group")
    whole = next((each for each in community.links if each.network == network.lower()), None)
    if whole is not None and not named:
        return await _unlink_whole(asked, community, whole)
    refuse_part(community, network)
    sight = asked.sight(community)
    found = links_to(community, network, sight.named(named) if named else None)
    here = tuple(pair for pair in found if pair[0].room == asked.message.room)
    if len(found) > 1 and len(here) == 1:
        found = here
    if not found:
        raise Missing("link_none", network=network[:100])
    if len(found) > 1:
        raise Invalid("link_which", network=network[:100], groups=_names(sight, found))
    ((group, wanted),) = found
    await unwrite_link(asked.services.communities, group.room, wanted)
    outcome = await _in_step(asked, community)
    await asked.note("unlinked", community, group=noted_name(group), network=wanted.network, chat=wanted.chat)
    return _told(asked, "bridge.undone", group, wanted, outcome)


async def _unlink_whole(asked: Asked, community: Community, wanted: Link) -> Answer:
    await unwrite_link(asked.services.communities, community.space, wanted)
    outcome = await _in_step(asked, community)
    await asked.note("unlinked", community, group=community.name, network=wanted.network, chat=wanted.chat)
    told = line(
        "bridge.undone",
        group=shown_space(asked.world, outcome.community),
        network=wanted.network,
        chat=code(wanted.chat),
    )
    return answer(told, *troubles(outcome))


def _names(sight: Sight, found: tuple[tuple[Group, Link], ...]) -> str:
    return ", ".join(group.name for group, _ in found if group in sight.told)


async def status(asked: Asked, community: Community) -> Answer:
    """What became of every link."""
    sight = asked.sight(community)
    bridge = asked.services.communities.loop.actors.bridge
    wholes = tuple(whole_standings(asked.world, community, bridge))
    links = (*wholes, *standings(asked.world, sight.told, bridge))
    if not links:
        return answer(line("bridge.no_links", usage=code(LINK.usage)))
    lines = (head("bridge.head", n=len(links)), *(_standing(asked, community, each) for each in links))
    return Answer(lines, sight.place_for(each.group for each in links if each.group))


def _standing(asked: Asked, community: Community, one: Standing) -> Line:
    about = one.status or one.link
    name = shown(asked.world, community, one.group) if one.group else shown_space(asked.world, community)
    values: dict[str, Value] = {"group": name}
    if about is not None:
        values |= {"network": about.network, "chat": code(about.chat)}
    if one.status is None:
        return item("bridge.waiting", **values)
    undoing = one.link is None and one.status.state is not LinkState.BROKEN
    state = Term("link_state.undoing" if undoing else f"link_state.{one.status.state}")
    values |= {"state": state, "since": moment(one.status.since)}
    if not one.status.reason:
        return item("bridge.standing", **values)
    return item("bridge.standing_why", **values, reason=reason_of(one.status, asked.services.phrases))


def moment(since: int) -> str:
    """A time in ms since the epoch, for people; "?" for one that cannot be."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=since)
    except OverflowError:
        return "?"
    return f"{moment:%Y-%m-%d %H:%M} UTC"


SECTION = Section(
    "noun.bridge",
    (
        Within(CHATS, Right.LINK, chats),
        Within(LINK, Right.LINK, link),
        Within(UNLINK, Right.LINK, unlink),
        Within(STATUS, Right.SEE_LINKS, status),
    ),
)
