"""What comes in, from the homeserver and from networks: stored where it must not be lost, else a nudge;
nothing of our own comes back in.
"""

import json
import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence

from haven.errors import TryLater
from haven.ids import EventId, RoomId, UserId, is_ghost, network_of, server_of
from haven.ids import Network as NetworkName
from haven.stateevents import GROUP

from .admins import Admins
from .caretaker import Caretaker
from .convert.polls import END, RESPONSE, START
from .ghosts import Ghosts
from .inbox import Inbox
from .keeper import Keeper
from .links import Linked, Links
from .message import plain
from .networks.base import Place
from .networks.events import (
    Banned,
    ChatEvent,
    ChatGone,
    Connection,
    ConnectionState,
    Event,
    Joined,
    Left,
    Renamed,
    Said,
    StructureChanged,
    Talk,
)
from .places import Reached
from .reports import AGAIN
from .rings import Rings
from .rooms import Rooms
from .spelling import spell
from .store import Arrival, now_ms

log = logging.getLogger(__name__)

Raw = Mapping[str, object]
"""An event as the homeserver pushes it."""

CARRIED = frozenset(
    {
        "m.room.message",
        "m.room.encrypted",
        "m.sticker",
        "m.reaction",
        "m.room.redaction",
        *(START | RESPONSE | END),
    }
)


RECENT = 120_000
"""Milliseconds for which something said is new."""
COMMAND = re.compile(r"\s*!(c|community)(\s|$)", re.IGNORECASE)
"""How people speak to the community's bot (CONTRACT, "Commands")."""


def _reached(network: NetworkName, event: ChatEvent) -> Reached | None:
    """Only talk is a place to go on from: who is there, and the topic, is told anew after each reconnect."""
    if not isinstance(event, Talk):
        return None
    return Reached(network, event.chat, Place(event.id, event.at if event.at is not None else now_ms()))


def _said(event: ChatEvent) -> tuple[str, str]:
    """Who said what, where it is as new as a ring would bring it; nothing of what a network remembers."""
    if not isinstance(event, Said) or (event.at is not None and now_ms() - event.at > RECENT):
        return "", ""
    return event.person.name, plain(event.message.text)


def _body(event: Raw) -> str:
    content = event.get("content")
    return str(content.get("body", "")) if isinstance(content, Mapping) else ""


def _wishes(event: Raw, sender: str, room: RoomId) -> list[Arrival]:
    """An admin's wish that what a card shows is tried again."""
    content = event.get("content")
    relation = content.get("m.relates_to") if isinstance(content, Mapping) else None
    if not isinstance(relation, Mapping) or str(relation.get("key")).strip("\ufe0f") != AGAIN:
        return []
    wish = {"to": "redo", "room": room, "event": str(relation.get("event_id")), "by": sender}
    return [Arrival(f"redo {event.get('event_id')}", f"redo {room}", json.dumps(wish))]


class Intake:
    """Sorts what comes in."""

    def __init__(
        self,
        *,
        bot: UserId,
        inbox: Inbox,
        keeper: Keeper,
        caretaker: Caretaker,
        links: Links,
        rooms: Rooms,
        ghosts: Ghosts,
        admins: Admins,
    ) -> None:
        self._bot = bot
        self._inbox = inbox
        self._keeper = keeper
        self._caretaker = caretaker
        self._links = links
        self._rooms = rooms
        self._ghosts = ghosts
        self._admins = admins
        self._rings = Rings()

    async def from_homeserver(self, events: Sequence[Raw]) -> None:
        """Take the events of a transaction. Returns when all that matters is committed; raises ``TryLater``
        where it is not.
        """
        arrivals = [arrival for event in events for arrival in self._arrivals(event)]
        if arrivals and self._inbox.stock.full:
            raise TryLater("inbox_full")  # the homeserver keeps it, and sends it again
        await self._inbox.add(arrivals)
        for event in events:
            self._nudge(event)

    async def from_network(self, network: NetworkName, event: Event) -> None:
        """Take what a network says. Returns when it is committed."""
        if isinstance(event, Connection):
            log.info("%s is %s", network, event.state)
            await self._keeper.connection(network, event)
            if event.state is ConnectionState.CONNECTED:
                self._inbox.hurry()
            return
        if isinstance(event, ChatGone):
            self._caretaker.gone(network, event)
            return
        if isinstance(event, StructureChanged):
            self._caretaker.restructured(network)
            return
        links = self._links.of_chat(network, event.chat)
        if isinstance(event, Joined | Banned) and self._ghosts.ghost(network, event.person.id) is not None:
            self._wake(links)  # they may have another role, or none any more
        if self._is_nobodys(network, event) and not any(self._inbox.busy(link.to_matrix) for link in links):
            return
        spelled = spell(event)
        await self._inbox.stock.room()  # until then the network is read no further
        await self._inbox.add(
            [
                self._unless_round(
                    link,
                    _said(event),
                    Arrival(
                        f"{link.to_matrix} {event.id}",
                        link.to_matrix,
                        json.dumps(
                            {"to": "matrix", "link": [link.room, link.network, link.chat], "event": spelled}
                        ),
                    ),
                )
                for link in links
            ],
            _reached(network, event),
        )

    def _unless_round(self, link: Linked, said: tuple[str, str], arrival: Arrival) -> Arrival:
        """What arrives; where it goes round in a ring, that admins are told so, once an hour."""
        name, text = said
        if not link.proven or not self._rings.goes_round(
            f"{link.room} {link.key}", name, text, time.monotonic()
        ):
            return arrival
        about = {"to": "ring", "link": [link.room, link.network, link.chat], "lane": arrival.lane}
        hour = now_ms() // 3_600_000
        told = json.dumps({**about, "at": hour})
        return Arrival(f"ring {link.room} {link.key} {hour}", f"ring {link.room}", told)

    def _is_nobodys(self, network: NetworkName, event: Event) -> bool:
        """Who comes is shown when they speak, and goings of people without a ghost change nothing.

        Thousands of them must not fill the inbox. (Where something waits already, it may be what makes their
        ghost.)
        """
        if isinstance(event, Renamed):
            return self._ghosts.ghost(network, event.before) is None
        if isinstance(event, Left):
            return self._ghosts.ghost(network, event.person.id) is None
        return isinstance(event, Joined | Banned)

    def _arrivals(self, event: Raw) -> list[Arrival]:
        kind, sender, room = event.get("type"), str(event.get("sender")), RoomId(str(event.get("room_id")))
        if "state_key" in event:
            return self._invites(event, sender, room)
        if kind not in CARRIED or sender == self._bot:
            return []
        if kind == "m.reaction" and self._admins.is_admins_room(room):
            return _wishes(event, sender, room)
        if self._is_housework(event, room):
            return []
        reduced = {name: event.get(name) for name in ("event_id", "type", "sender", "content", "redacts")}
        said = self._rooms.name_of(room, UserId(sender)), _body(event) if kind == "m.room.message" else ""
        return [
            self._unless_round(
                link,
                said,
                Arrival(
                    f"{link.to_network} {event.get('event_id')}",
                    link.to_network,
                    json.dumps(
                        {"to": "network", "link": [link.room, link.network, link.chat], "event": reduced}
                    ),
                ),
            )
            for link in self._meant_for(room, UserId(sender))
        ]

    def _meant_for(self, room: RoomId, sender: UserId) -> list[Linked]:
        """The links that what somebody says in a room goes out by. What a ghost says came by its own network, and
        goes on to the others only; so does what a ghost of another Haven says.
        """
        links = [link for link in self._links.of_room(room) if link.proven and not link.whole]
        if not is_ghost(sender):
            return links
        behind = self._ghosts.person(sender)
        home = (
            behind.network
            if behind is not None
            else None
            if self._ghosts.owns(sender)
            else network_of(sender)
        )
        return [link for link in links if home is not None and link.network != home]

    def _is_housework(self, event: Raw, room: RoomId) -> bool:
        """Whether this is a command to the community's bot, or what that answers: the affairs of the house are not the network's.

        What the bot announces is no notice, and is carried.
        """
        content = event.get("content")
        said = content if isinstance(content, Mapping) else {}
        group = self._rooms.view(room).state.get((GROUP, ""))
        if group is not None and event.get("sender") == group.sender:
            return said.get("msgtype") == "m.notice"
        return COMMAND.match(str(said.get("body", ""))) is not None

    def _invites(self, event: Raw, sender: str, room: RoomId) -> list[Arrival]:
        content = event.get("content")
        if event.get("type") != "m.room.member" or event.get("state_key") != self._bot:
            return []
        if not isinstance(content, Mapping) or content.get("membership") != "invite":
            return []
        via = server_of(UserId(sender))
        return [
            Arrival(
                f"invite {event.get('event_id')}",
                f"invite {room}",
                json.dumps({"to": "room", "room": room, "via": via}),
            )
        ]

    def _nudge(self, event: Raw) -> None:
        if "state_key" not in event:
            return
        room, sender = RoomId(str(event.get("room_id"))), event.get("sender")
        user, content = UserId(str(event.get("state_key"))), event.get("content")
        if event.get("type") == "m.room.member":
            if isinstance(content, Mapping) and not self._is_echo(room, user, str(sender), content):
                self._rooms.member(room, user, content, str(sender), EventId(str(event.get("event_id"))))
            if user != self._bot:
                self._stir(room, user, str(sender))
                return
        if sender != self._bot or event.get("type") == "m.room.member":
            self._keeper.nudge(room)

    def _stir(self, room: RoomId, user: UserId, sender: str) -> None:
        """Have the people of a room looked at: a ghost is new in it or somebody acted on one, or a ghost looks like who comes."""
        view = self._rooms.view(room)
        if is_ghost(user):
            stirred = sender not in {user, self._bot} or user in view.joined
        else:
            stirred = user in view.joined and view.has_ghost_like(view.joined[user])
        if stirred:
            self._wake(self._links.of_room(room))

    def _wake(self, links: Iterable[Linked]) -> None:
        for link in links:
            self._caretaker.wake(link)

    def _is_echo(self, room: RoomId, user: UserId, sender: str, content: Mapping[str, object]) -> bool:
        """Whether a ghost of ours says how it is shown: nobody else can, and what we know may be newer already."""
        joined = content.get("membership") == "join" and user in self._rooms.view(room).joined
        return joined and sender == user and self._ghosts.owns(user)
