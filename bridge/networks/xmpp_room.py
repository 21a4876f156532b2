"""One room of XMPP while we are connected: entered, its missed messages told, then heard stanza by stanza, all in one order.

Whatever comes while we enter and catch up waits in line behind it. A message that came both ways is told once: it has the same id in both.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from xml.etree import ElementTree as ET

from haven.errors import HavenError, Invalid, Refused, TryLater
from haven.ids import ChatId, RemoteMessageId

from . import xmpp_errors
from .events import ChatEvent, Joined, Left, Renamed, TopicChanged
from .xmpp_connection import XmppConnection
from .xmpp_history import Archive, Archived
from .xmpp_known import Known
from .xmpp_own import Own
from .xmpp_people import People, Seen, read_presence
from .xmpp_reading import Gives, Groupchat, read_groupchat
from .xmpp_talk import Talker
from .xmpp_wanted import MADE, Wanted
from .xmpp_xml import CLIENT, DISCO_INFO, MAM, MUC, OCCUPANT, PING, SID, make, resource

log = logging.getLogger(__name__)

SKEW = 60_000
"""Milliseconds by which two clocks may differ, where a place in the archive is found by its time."""
_LETS_IN = 30.0
"""Seconds that a room may take to answer who enters."""
_PAGES_BACK = 6
"""Pages of the archive that are looked through for something that we may have sent."""
_NICKS = 20
"""Nicks that we try."""


class Room:
    """A room. ``say`` takes what happened; ``keeps_up`` returns when what was said before is stored, so that a long past does not fill our memory."""

    def __init__(
        self,
        wanted: Wanted,
        connection: XmppConnection,
        own: Own,
        known: Known,
        *,
        nick: str,
        alive: float,
        say: Callable[[ChatEvent], None],
        new_id: Callable[[], str],
        keeps_up: Callable[[], Awaitable[None]],
    ) -> None:
        self.chat: ChatId = wanted.chat
        self.nick = nick
        self.people = People(wanted.chat)
        self.gives = Gives()
        self.archive = Archive(connection, wanted.chat)
        self.inside = False
        self.settled = False
        self.occupant = ""
        self.topic: str | None = None
        self.affiliation = "none"
        self._wanted = wanted
        self._connection = connection
        self._own = own
        self._alive = alive
        self._say = say
        self._new_id = new_id
        self._keeps_up = keeps_up
        self._line: asyncio.Queue[ET.Element] = asyncio.Queue()
        self._known = known
        self.talker = self._make_talker()

    def _make_talker(self) -> Talker:
        return Talker(
            self.chat,
            gives=self.gives,
            people=self.people,
            archive=self.archive,
            own=self._own,
            known=self._known,
            new_id=self._new_id,
        )

    @property
    def address(self) -> str:
        """Our own address in the room."""
        return f"{self.chat}/{self.nick}"

    @property
    def own_address(self) -> str:
        """Our address outside of the room."""
        return self._connection.address

    def expects_topic(self, topic: str) -> None:
        """We are about to set the topic: it is no news."""
        self.topic = topic

    def hear(self, stanza: ET.Element) -> None:
        """Something of this room came, to us."""
        if not self.archive.heard(stanza):
            self._line.put_nowait(stanza)

    async def run(self) -> None:
        """Be in the room until we are out of it; raises why. ``GiveUp``: for good; ``TryLater``: to be entered again."""
        try:
            await self._ask_what_it_gives()
            await self._enter()
            await self._catch_up()
            self.settled = True
            self._wanted.settle()
            while True:
                await self._take(await self._next())
        finally:
            if self.inside:
                self._wanted.went_out(self.people)
            self.inside = self.settled = False
            self._own.gives_up(self.chat, self.nick, self._connection.address)

    def leave(self) -> None:
        """Say goodbye."""
        self._connection.send(
            make(f"{CLIENT}presence", type="unavailable", to=self.address, from_=self._connection.address)
        )

    # --- entering --------------------------------------------------------------------------------------------------------

    async def _ask_what_it_gives(self) -> None:
        """What the room is (XEP-0030); who does not ask first makes a room where there is none."""
        info = await self._connection.demand(self.chat, make(f"{DISCO_INFO}query"), error=xmpp_errors.looking)
        if not any(each.get("category") == "conference" for each in info.iter(f"{DISCO_INFO}identity")):
            raise Invalid("network_no_such_chat")
        features = {feature.get("var") for feature in info.iter(f"{DISCO_INFO}feature")}
        archive = MAM[1:-1] in features
        # Rooms that keep an archive give its ids, also where they do not say so (XEP-0313 section 5.1.3).
        self.gives = Gives(archive or SID[1:-1] in features, OCCUPANT[1:-1] in features, archive)
        self.talker = self._make_talker()

    async def _enter(self) -> None:
        wish = self.nick
        for again in range(_NICKS):
            self.nick = wish + "_" * again
            self._own.claims(self.chat, self.nick, self._connection.address)
            history = make(f"{MUC}history", maxstanzas="0")
            self._connection.send(
                make(
                    f"{CLIENT}presence",
                    make(f"{MUC}x", history),
                    to=self.address,
                    from_=self._connection.address,
                )
            )
            if await self._is_let_in():
                return
            self._own.gives_up(self.chat, self.nick, self._connection.address)
        raise Refused("network_refused", reason="nick_refused")

    async def _is_let_in(self) -> bool:
        """Hear who is there, until we are; ``False`` where the nick is taken."""
        held: list[ET.Element] = []
        try:
            async with asyncio.timeout(_LETS_IN):
                while not self.inside:
                    stanza = await self._line.get()
                    if stanza.tag != f"{CLIENT}presence":
                        held.append(stanza)
                    elif stanza.get("type") == "error":
                        if xmpp_errors.condition(stanza) == "conflict":
                            return False
                        raise xmpp_errors.entering(stanza)
                    else:
                        self._presence(stanza)
        except TimeoutError:
            raise TryLater("network_unreachable") from None
        later = [self._line.get_nowait() for _ in range(self._line.qsize())]
        for stanza in (*held, *later):
            self._line.put_nowait(stanza)
        return True

    async def _catch_up(self) -> None:
        """Tell what was said since the place that we know, and learn from what was said before it."""
        place = self._wanted.place
        if not self.gives.archive:
            self._settle_doubts(certain=False)
            return
        known = place.id if place is not None and MADE not in place.id else ""
        last: Archived | None = None
        for archived in await self.archive.before(known):
            if place is None or known or (archived.at or 0) < place.at - SKEW:
                self.talker.remember(self._read(archived))
            last = archived
        if place is None:
            here = (RemoteMessageId(last.id), last.at) if last is not None else (self._id(), None)
            self._wanted.heard(*here)
        else:
            async for page in self.archive.since(known, place.at - SKEW):
                for archived in page:
                    await self._hear_message(archived.stanza, archived)
                await self._keeps_up()
        self._settle_doubts(certain=place is not None)

    def _settle_doubts(self, *, certain: bool) -> None:
        """What we sent before the connection broke and does not stand in the archive did not arrive; without one, nobody knows."""
        for name in self._own.older(self.chat, self._connection):
            if certain:
                self._own.refused(self.chat, name, TryLater("network_unreachable"))
            else:
                self._own.echoed(self.chat, name, None)

    async def find_own(self, name: str) -> RemoteMessageId | None:
        """What became of what we sent as ``name``, if need be from the archive; ``None`` where it never came to be. In a room without one it counts
        as sent.
        """
        if not self.gives.archive:
            return RemoteMessageId(MADE + name)
        oldest = ""
        for _ in range(_PAGES_BACK):
            found = self._known.ours(name)
            page = await self.archive.before(oldest) if found is None else []
            for archived in page:
                self.talker.remember(self._read(archived), only_own=True)
            if not page:
                break
            oldest = page[0].id
        return self._known.ours(name)

    # --- hearing ---------------------------------------------------------------------------------------------------------

    async def _next(self) -> ET.Element:
        """The next stanza; a room that is silent for long is asked whether we are still in (XEP-0410)."""
        while True:
            try:
                async with asyncio.timeout(self._alive):
                    return await self._line.get()
            except TimeoutError:
                await self._ask_whether_inside()

    async def _ask_whether_inside(self) -> None:
        answer = await self._connection.ask(self.address, make(f"{PING}ping"))
        if answer.get("type") == "error" and xmpp_errors.condition(answer) not in {
            "service-unavailable",
            "feature-not-implemented",
            "item-not-found",
        }:
            log.info("A room knows us no more")
            raise TryLater("network_not_inside")

    async def _take(self, stanza: ET.Element) -> None:
        if stanza.tag == f"{CLIENT}presence":
            self._presence(stanza)
        elif stanza.get("type") == "groupchat":
            await self._hear_message(stanza, None)

    def _read(self, archived: Archived) -> Groupchat:
        return read_groupchat(archived.stanza, self.gives, (archived.id, archived.at))

    async def _hear_message(self, stanza: ET.Element, archived: Archived | None) -> None:
        said = self._read(archived) if archived is not None else read_groupchat(stanza, self.gives)
        if said.subject is None:
            for event in await self.talker.tell(said, archived=archived is not None):
                self._say(event)
        elif archived is None:
            self._subject(said)

    def _subject(self, said: Groupchat) -> None:
        changed, self.topic = said.subject != self.topic, said.subject
        if changed and not self._own.has_nick(self.chat, said.nick):
            person = self.people.person(said.nick, said.occupant) if self.people.has(said.nick) else None
            self._say(TopicChanged(self._id(), self.chat, person, self.topic or ""))

    # --- who comes and goes ------------------------------------------------------------------------------------------------

    def _presence(self, stanza: ET.Element) -> None:
        if stanza.get("type") not in {None, "unavailable"} or not resource(stanza.get("from", "")):
            return
        seen = read_presence(stanza)
        if "110" in seen.statuses or seen.nick == self.nick:
            self._ourselves(seen)
        elif self._is_own(seen):
            # One of our occupants may have been seen before we knew it for ours.
            self.people.went(seen.nick)
        elif seen.there:
            self._came(seen)
        elif "303" in seen.statuses:
            person = self.people.renamed(seen.nick, seen.new_nick)
            if person is not None and self.inside:
                self._say(Renamed(self._id(), self.chat, person.id, person))
        else:
            self._went(seen.nick)

    def _is_own(self, seen: Seen) -> bool:
        return self._own.has_nick(self.chat, seen.nick) or self._own.has_occupant(self.chat, seen.occupant)

    def _came(self, seen: Seen) -> None:
        before, now = self.people.came(seen)
        if before is not None and before.id != now.id and self.inside:
            self._say(Left(self._id(), self.chat, before))
        if before is not None and before.id == now.id and before.picture != now.picture and self.inside:
            self._say(Renamed(self._id(), self.chat, now.id, now))
        if before is None or before.id != now.id or before.role is not now.role:
            self._say(Joined(self._id(), self.chat, now))

    def _went(self, nick: str) -> None:
        person = self.people.went(nick)
        if person is not None:
            self._say(Left(self._id(), self.chat, person))

    def _ourselves(self, seen: Seen) -> None:
        self.affiliation = seen.affiliation
        if seen.there:
            self._we_are_in(seen)
        elif "303" in seen.statuses:
            self._own.gives_up(self.chat, seen.nick, self._connection.address)
            self.nick = seen.new_nick
            self._own.claims(self.chat, self.nick, self._connection.address)
        else:
            raise _why_out(seen)

    def _we_are_in(self, seen: Seen) -> None:
        self._own.gives_up(self.chat, self.nick, self._connection.address)
        self.nick = seen.nick
        self._own.claims(self.chat, self.nick, self._connection.address)
        if self.gives.occupant_ids:
            self.occupant = seen.occupant
            self._own.is_known_as(self.chat, seen.occupant)
        if not self.inside:
            self.inside = True
            for person in self._wanted.came_in(self.people):
                self._say(Left(self._id(), self.chat, person))

    def _id(self) -> RemoteMessageId:
        return RemoteMessageId(MADE + self._new_id())


def _why_out(seen: Seen) -> HavenError:
    """Why the room says that we are out of it (XEP-0045 section 15.6.2)."""
    if seen.destroyed:
        return Invalid("network_no_such_chat")
    if "301" in seen.statuses:
        return Refused("network_refused", reason="banned")
    if "307" in seen.statuses and "333" not in seen.statuses:
        return Refused("network_refused", reason="removed")
    if {"321", "322"} & seen.statuses:
        return Refused("network_refused", reason="invite_only")
    return TryLater("network_not_inside")
