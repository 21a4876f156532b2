"""Links of rooms to chats on networks: wanted by us, made by the bridge, reported to the admins."""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from haven.errors import GiveUp, Invalid
from haven.ids import ChatId, Network, RoomId, UserId
from haven.model import Community, Group, Kind, Link
from haven.phrases import Phrases
from haven.snapshot import Room, World
from haven.stateevents import BRIDGE, LINK, LinkState, LinkStatus, bridge_key, link_content, read_status
from haven.wishes import LOOK

from ..replies import Replies
from ..wording import Line, Term, code, line
from .communities import Communities

log = logging.getLogger("haven.links")

_NETWORK = re.compile(r"[a-z][a-z0-9-]{0,31}")
CHAT_LIMIT = 200
OURS = "link "
"""What we remember of a room begins so: others remember theirs beside it."""


def network_called(name: str) -> Network:
    """The network of that name. Raises `Invalid` where none can be called so."""
    if not _NETWORK.fullmatch(name.lower()):
        raise Invalid("network_name")
    return Network(name.lower())


def wanted_link(network: str, chat: str, by: UserId) -> Link:
    """A link as somebody asks for it. Raises `Invalid` where no network or chat can be called so."""
    called = network_called(network)
    if not chat or len(chat) > CHAT_LIMIT or not chat.isprintable() or any(c.isspace() for c in chat):
        raise Invalid("chat_name")
    return Link(called, ChatId(chat), by)


def check_link(community: Community, group: Group, wanted: Link) -> None:
    """Raise `Invalid` where the group cannot have the link."""
    if group.kind is Kind.ADMINS:
        raise Invalid("link_admins_room")
    for other in community.groups:
        if any(each.key == wanted.key for each in other.links):
            key = "link_there_already" if other.room == group.room else "link_elsewhere"
            raise Invalid(key, network=wanted.network, chat=wanted.chat)
    if any(link.network == wanted.network for link in group.links):
        raise Invalid("link_second", network=wanted.network, group=group.name)
    refuse_part(community, wanted.network)


def check_whole(community: Community, wanted: Link) -> None:
    """Raise `Invalid` where the whole community cannot have the link."""
    for link in community.links:
        if link.network == wanted.network:
            raise Invalid("link_second", network=wanted.network, group=community.name)


def refuse_part(community: Community, network: str) -> None:
    """Raise `Invalid` where the groups of a community follow its own link to a network."""
    if any(link.network == network.lower() for link in community.links):
        raise Invalid("link_whole", network=network.lower())


def links_to(community: Community, network: str, group: Group | None) -> tuple[tuple[Group, Link], ...]:
    """The links to a network, of the whole community or of one group."""
    groups = community.groups if group is None else (group,)
    return tuple((each, link) for each in groups for link in each.links if link.network == network.lower())


async def write_link(communities: Communities, where: RoomId, link: Link) -> None:
    """Say in the room, or in the space for a whole community, that a link is wanted."""
    before = _content(communities.rooms.world, where, link)
    await communities.loop.hands.send_state(where, LINK, link.key, link_content(link, before))


async def unwrite_link(communities: Communities, where: RoomId, link: Link) -> None:
    """Say in the room that a link is wanted no more: empty content (CONTRACT, "Room state")."""
    await communities.loop.hands.send_state(where, LINK, link.key, {})


async def ask_for_chats(communities: Communities, admins: RoomId, network: Network, by: UserId) -> None:
    """Have the bridge say in the admins' room which chats of a network can be linked."""
    await communities.loop.hands.send_state(admins, LOOK, network, {"version": 1, "by": by})


def _content(world: World, where: RoomId, link: Link) -> dict[str, object]:
    room = world.get(where)
    return dict(room.content(LINK, link.key)) if room else {}


@dataclass(frozen=True, slots=True)
class Standing:
    """One link and what became of it; ``status`` is ``None`` until the bridge has spoken, ``link`` once it is not wanted, ``group`` where
    it is of the whole community.
    """

    group: Group | None
    link: Link | None
    status: LinkStatus | None


def statuses(room: Room | None, bridge: UserId | None) -> dict[str, LinkStatus]:
    """What the bridge says of the links of a room, by the key of its event. Nobody else is believed."""
    events = () if room is None else room.keyed(BRIDGE)
    read = {event.key: read_status(event.content) for event in events if event.sender == bridge}
    return {key: status for key, status in read.items() if status is not None}


def whole_standings(world: World, community: Community, bridge: UserId | None) -> Iterator[Standing]:
    """Every link of the whole community, wanted or not undone yet."""
    yield from _standings(world, community.space, None, community.links, bridge)


def standings(world: World, groups: Iterable[Group], bridge: UserId | None) -> Iterator[Standing]:
    """Every link of these groups, wanted or not undone yet."""
    for group in groups:
        yield from _standings(world, group.room, group, group.links, bridge)


def _standings(
    world: World, where: RoomId, group: Group | None, links: Iterable[Link], bridge: UserId | None
) -> Iterator[Standing]:
    said = statuses(world.get(where), bridge)
    for link in links:
        yield Standing(group, link, said.pop(bridge_key(link.network, link.chat), None))
    for status in said.values():
        if status.state is not LinkState.UNLINKED:
            yield Standing(group, None, status)


def reason_of(status: LinkStatus, phrases: Phrases) -> Term:
    """Why a link is as it is; what a newer bridge may say that we have no words for is named as it is."""
    key = f"link_reason.{status.reason or 'none'}"
    return (
        Term(key) if phrases.has(key) else Term("link_reason.unworded", {"reason": code(status.reason[:100])})
    )


class Remembers(Protocol):
    """What was told about a room, kept across lives."""

    async def said(self, space: RoomId) -> frozenset[str]:
        """What has been told of a room."""

    async def set_said(self, space: RoomId, said: Iterable[str]) -> None:
        """Replace what has been told of a room by what is still so."""


@dataclass(frozen=True, slots=True)
class Links:
    """Tells the admins what becomes of links, once for each turn."""

    communities: Communities
    replies: Replies
    memory: Remembers

    async def noticed(self, room: RoomId) -> None:
        """Something about links may have changed in a room: tell what was not told yet. Raises `TryLater`."""
        seen = self.communities.rooms.world.get(room)
        if seen is None or not any(seen.keyed(BRIDGE)):  # nearly all rooms: no community is read for them
            return
        community = await self.communities.of_room(room)
        admins = community.only(Kind.ADMINS) if community else None
        group = community.group(room) if community else None
        if community is None or admins is None or room not in {community.space, group and group.room}:
            return  # what a bridge says of a room before its upgrade is news to nobody
        all_said = await self.memory.said(room)
        before = {said for said in all_said if said.startswith(OURS)}
        now = statuses(seen, self.communities.loop.actors.bridge)
        kept = {_said(key, status) for key, status in now.items()}
        for key, status in now.items():
            earlier = {said for said in before if said.startswith(f"{OURS}{key} ")}
            if status.state is LinkState.CONNECTING:
                kept |= earlier
            elif _said(key, status) not in before and (earlier or status.state is not LinkState.UNLINKED):
                told = news(
                    group.name if group else community.name, status, self.replies.phrases, group is None
                )
                await self._tell(
                    admins.room,
                    community.settings.language,
                    told,
                    f"link.{room}.{key}.{status.state}.{status.since}",
                )
        if kept != before:
            await self.memory.set_said(room, (all_said - before) | kept)

    async def _tell(self, admins: RoomId, language: str, told: Line, transaction: str) -> None:
        try:
            await self.replies.tell(admins, language, (told,), transaction)
        except GiveUp as error:
            log.warning("the admins could not be told of a link: %s", error)


def _said(key: str, status: LinkStatus) -> str:
    return f"{OURS}{key} {status.state} {status.code or status.reason}".strip()


def news(name: str, status: LinkStatus, phrases: Phrases, whole: bool) -> Line:
    """One turn of a link, for the admins. ``name``: of the group, or of the ``whole`` community."""
    key = (
        "link_news.whole_proof" if whole and status.state is LinkState.PROOF else f"link_news.{status.state}"
    )
    return line(
        key,
        network=status.network,
        chat=code(status.chat),
        group=name,
        code=code(status.code),
        reason=reason_of(status, phrases),
    )
