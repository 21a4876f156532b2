"""IRC as a network: many channels through one connection, or one for each member who speaks; reconnecting, paced, in order.

IRC keeps no messages and confirms none, but for servers that do (IRCv3). So what arrives gets its id here, on arrival (unless the server has ids:
``msgid``), and what is sent is followed by a PING (``irc_speaker``). What was on the wire when a connection broke stays in doubt and is not
repeated, unless the server's history tells (``irc_past``). Ids of people: see ``irc_people``.
"""

import asyncio
import contextlib
import itertools
import logging
import secrets
import time
from collections.abc import Coroutine

from haven.errors import GiveUp, HavenError, Invalid, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId, RemoteUserId
from haven.ids import Network as NetworkName

from ..message import Kind, Style
from ..section import Section
from . import irc_facts as told
from .acts import Claim, Outgoing, Receipt
from .base import Capabilities, Place
from .events import ChatEvent, ChatGone, Connection, ConnectionState, Event, Left, Person, Receive, Role, Talk
from .irc_connection import IrcConnection
from .irc_features import Features
from .irc_format import clean
from .irc_line import Line
from .irc_lines import cut_bytes
from .irc_members import Members
from .irc_news import News
from .irc_ours import Ours
from .irc_pace import Backoff, Pace
from .irc_presence import Presence
from .irc_registration import why
from .irc_ruling import Ruling
from .irc_sending import Sending
from .irc_settings import IrcSettings, Manner, read_settings
from .irc_wanted import SETTLED, Wanted
from .irc_wording import budget, possible

log = logging.getLogger(__name__)

_STYLES = frozenset(
    {Style.BOLD, Style.ITALIC, Style.UNDERLINE, Style.STRIKE, Style.CODE, Style.SPOILER, Style.QUOTE}
)
SPLIT_PATIENCE = 600.0
"""Seconds after which those whose server was lost have left."""


class IrcNetwork:
    """IRC behind the ``Network`` port; also ``LooksUp``, ``SetsTopic``, ``SetsRoles``, ``PutsOut``, ``Bans``, ``ListsBans``, ``ListsMembers`` and ``Checks``."""

    def __init__(self, settings: IrcSettings, name: str = "irc") -> None:
        self._settings = settings
        self._name = NetworkName(name)
        self._pace = Pace(settings.burst, settings.rate, time.monotonic)
        self._wanted: dict[str, Wanted] = {}
        self._now: Presence | None = None
        self._ours = Ours(self._features().fold)
        self._members = Members(settings, self._ours)
        self._sending = Sending(settings, self._members, lambda: self._now)
        self._to_enter: asyncio.Queue[ChatId] = asyncio.Queue()
        self._news = News(self._stored, self._pause)
        self._state: Connection | None = None
        self._ids = map(f"~{secrets.token_hex(8)}-{{}}".format, itertools.count())
        self._chores: set[asyncio.Task[None]] = set()
        self._was_in = False

    @property
    def name(self) -> NetworkName:
        """See the port."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """See the port. What needs IRCv3 is there while we are connected to a server that offers it."""
        speaker = self._now.speaker if self._now else None
        return Capabilities(
            formatting=_STYLES,
            colours=True,
            replies=speaker is not None and speaker.can_reply,
            reactions=speaker is not None and speaker.can_react,
            deletions=speaker is not None and speaker.can_redact,
            # Before the first connection nobody knows; who asks about the past then shall ask again.
            history=speaker is None or speaker.can_remember,
            sends_as_person=self._settings.members is Manner.OWN,
            topic_from_network=True,
            topic_to_network=True,
            lists_members=True,
            roles=True,
            line_bytes=budget(self._settings, ChatId("#" + "x" * 50), Kind.ACTION),
        )

    # --- staying connected -------------------------------------------------------------------------------------------

    async def run(self, receive: Receive) -> None:
        """See the port."""
        async with asyncio.TaskGroup() as tasks:
            others = (
                tasks.create_task(self._news.hand_over(receive)),
                tasks.create_task(self._members.run()),
            )
            try:
                await self._stay_connected()
            finally:
                # Also when we are told to stop: what was heard has been heard, and IRC does not say it again.
                await self._news.last_words()
                for task in others:
                    task.cancel()

    async def _stay_connected(self) -> None:
        """Connect again and again. A refusal is final only if we were never let in: later it may be the network's own trouble."""
        backoff = self._backoff()
        while True:
            self._say_state(ConnectionState.CONNECTING)
            reason = "network_unreachable"
            try:
                started = time.monotonic()
                await self._one_connection()
                if time.monotonic() - started > SETTLED:
                    backoff.reset()
            except GiveUp as error:
                if not self._was_in:
                    self._say_state(ConnectionState.LOGGED_OUT, why(error))
                    return
                reason = why(error)
            except TryLater as error:
                log.info("The IRC server cannot be reached: %s", error)
                reason = error.key
            self._say_state(ConnectionState.LOST, reason)
            await asyncio.sleep(backoff.next())

    async def _one_connection(self) -> None:
        """Connect, be in the channels that are wanted, return when the connection is lost."""
        connection = IrcConnection(self._settings, self._heard)
        try:
            await connection.open()
            self._begin(connection)
            self._do(self._enter_wanted(connection))
            await connection.lost()
        finally:
            for chore in self._chores:
                chore.cancel()
            await asyncio.gather(*self._chores, return_exceptions=True)
            self._end()
            await connection.close()

    def _do(self, work: Coroutine[None, None, None]) -> None:
        """Have ``work`` done beside, as long as this connection lasts."""
        chore = asyncio.create_task(work, name="irc")
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    def _begin(self, connection: IrcConnection) -> None:
        self._was_in = True
        self._ours.fold = connection.features.fold
        self._ours.start_over()
        self._now = Presence(connection, self._pace, self._new_id, self._ours)
        self._say_state(ConnectionState.CONNECTED)
        self._to_enter = asyncio.Queue()
        for wanted in self._wanted.values():
            self._to_enter.put_nowait(wanted.chat)

    def _end(self) -> None:
        now, self._now = self._now, None
        for wanted in self._wanted.values():
            if now is not None and now.session.inside(wanted.chat):
                wanted.went_out(now.session.members(wanted.chat))
            wanted.held = None
            wanted.settle(Unreachable("network_unreachable"))

    def _say_state(self, state: ConnectionState, reason: str | None = None) -> None:
        said = Connection(state, reason)
        if said != self._state:
            self._state = said
            self._news.put(said)

    def _stored(self, event: Event) -> None:
        """``event`` is on disk: from there we go on after a loss."""
        if not isinstance(event, ChatEvent):
            return
        wanted = self._wanted.get(self._key(event.chat))
        if wanted is not None and (isinstance(event, Talk) or wanted.place is None):
            at = event.at if isinstance(event, Talk) else None
            wanted.place = Place(event.id, at or time.time_ns() // 1_000_000)

    def _pause(self, paused: bool) -> None:  # the one thing it is told
        if self._now is not None:
            self._now.connection.pause(paused=paused)

    # --- channels ----------------------------------------------------------------------------------------------------

    async def open(self, chat: ChatId, after: Place | None = None) -> None:
        """See the port."""
        if not self._features().is_channel(chat):
            raise Invalid("network_no_such_chat")
        wanted = self._wanted.setdefault(self._key(chat), Wanted(chat, self._backoff(), place=after))
        if self._now is None:
            raise TryLater("network_unreachable")
        if self._now.session.inside(chat) and wanted.held is None:
            return
        if not wanted.is_awaited and wanted.held is None:
            self._to_enter.put_nowait(wanted.chat)
        await wanted.entered()

    async def close(self, chat: ChatId) -> None:
        """See the port."""
        wanted = self._wanted.pop(self._key(chat), None)
        if wanted is None:
            return
        wanted.settle(Invalid("network_no_such_chat"))
        self._members.leave(wanted.chat)
        if self._now is not None:
            self._now.session.forget(wanted.chat)
            with contextlib.suppress(Unreachable):
                self._now.connection.send(f"PART {wanted.chat}")
                await self._now.connection.barrier()

    async def members(self, chat: ChatId) -> tuple[Person, ...]:
        """See the port."""
        return self._sending.presence(chat).session.members(chat)

    async def _enter_wanted(self, connection: IrcConnection) -> None:
        """Send a JOIN for each channel that asks for it, those that ask at once in one line."""
        while connection.connected:
            chats = [await self._to_enter.get()]
            await self._pace.wait()
            while not self._to_enter.empty() and len(",".join(chats).encode()) < 200:
                chats.append(self._to_enter.get_nowait())
            chats = [chat for chat in dict.fromkeys(chats) if self._is_missed(chat)]
            if chats and self._now is not None:
                for chat in chats:
                    self._now.session.expect(chat)
                with contextlib.suppress(Unreachable):
                    connection.send(f"JOIN {','.join(chats)}")

    def _is_missed(self, chat: ChatId) -> bool:
        """Whether we want to be in ``chat`` and are not."""
        return self._key(chat) in self._wanted and not (self._now and self._now.session.inside(chat))

    def _enter_later(self, wanted: Wanted) -> None:
        asyncio.get_running_loop().call_later(wanted.backoff.next(), self._to_enter.put_nowait, wanted.chat)

    # --- what is heard -----------------------------------------------------------------------------------------------

    def _heard(self, line: Line) -> None:
        now = self._now
        if now is None:
            return
        now.speaker.heard(line, own=now.session.is_own(line.nick))
        for fact in now.session.hear(line):
            match fact:
                case told.Entered(chat):
                    self._entered(self._wanted[self._key(chat)], now)
                case told.NotEntered(chat, error):
                    self._not_entered(self._wanted[self._key(chat)], error)
                case told.Removed(chat, people):
                    self._wanted[self._key(chat)].went_out(people)
                    self._enter_later(self._wanted[self._key(chat)])
                case told.Unsent() | told.Remembered() | told.NoHistory() | told.BanMask():
                    now.answered(fact)
                case told.SplitOff(chat, person):
                    asyncio.get_running_loop().call_later(SPLIT_PATIENCE, self._split_for_good, chat, person)
                case told.Answer(text):
                    self._answer(now, text)
                case _:
                    self._tell(fact)

    def _tell(self, event: ChatEvent) -> None:
        """Something happened in a chat; while we still ask what happened there before, it waits."""
        wanted = self._wanted.get(self._key(event.chat))
        if wanted is not None and wanted.held is not None:
            wanted.held.append(event)
        else:
            self._news.put(event)

    def _entered(self, wanted: Wanted, now: Presence) -> None:
        """We are in: those who went while we were not there have left, and what was said meanwhile comes before anything else."""
        for person in wanted.came_in(now.session.members(wanted.chat)):
            self._tell(Left(RemoteMessageId(self._new_id()), wanted.chat, person))
        if wanted.place is not None and now.speaker.can_remember:
            wanted.held = []
            self._do(self._catch_up(wanted, wanted.place, now))
        else:
            wanted.settle()
        self._sending.came_in()

    async def _catch_up(self, wanted: Wanted, place: Place, now: Presence) -> None:
        """Say what was missed, then what came since. Cut short, it begins anew on the next connection: the place is where it was."""
        try:
            async for event in now.past.since(wanted.chat, place):
                self._news.put(event)
        except TryLater:
            return
        held, wanted.held = wanted.held or [], None
        for event in held:
            self._news.put(event)
        wanted.settle()

    def _split_for_good(self, chat: ChatId, person: Person) -> None:
        """Someone's server was lost a while ago. If they are not back they have left."""
        wanted = self._wanted.get(self._key(chat))
        if wanted is None:
            return
        if self._now is None or not self._now.session.inside(chat):
            wanted.known[person.id] = person
        elif person.id not in {one.id for one in self._now.session.members(chat)}:
            self._tell(Left(RemoteMessageId(self._new_id()), chat, person))

    def _not_entered(self, wanted: Wanted, error: HavenError) -> None:
        """Not let in: for good, or for now. Who asked is told; where nobody did, we had been in and are out now."""
        asked = wanted.settle(error)
        if not isinstance(error, GiveUp):
            self._enter_later(wanted)
            return
        if not asked:
            reason = str(error.values.get("reason", "gone"))
            self._news.put(ChatGone(RemoteMessageId(self._new_id()), wanted.chat, reason))
        self._wanted.pop(self._key(wanted.chat), None)
        self._members.leave(wanted.chat)
        if self._now is not None:
            self._now.session.forget(wanted.chat)

    def _answer(self, now: Presence, line: str) -> None:
        """Answer who asks what we are."""
        if now.may_answer():
            with contextlib.suppress(Unreachable):
                now.connection.send(line)

    # --- what is said ------------------------------------------------------------------------------------------------

    async def send(self, outgoing: Outgoing, claim: Claim) -> Receipt:
        """See the port. Without IRCv3 the receipt is empty. ``Refused`` when the channel did not let it through."""
        return await self._sending.send(outgoing, possible(outgoing.act, self.capabilities), claim)

    async def sent(self, outgoing: Outgoing, part: int) -> RemoteMessageId | None:
        """See ``LooksUp``; by the mark that each part carries."""
        return await self._sending.sent(outgoing, part)

    async def set_topic(self, chat: ChatId, topic: str) -> None:
        """See the port; a topic too long for the server is cut."""
        speaker = self._sending.presence(chat).speaker
        most = min(self._features().topic_length, 480 - len(chat.encode()))
        await speaker.ask(chat, f"TOPIC {chat} :{cut_bytes(clean(' '.join(topic.splitlines())), most)}")

    async def set_role(self, chat: ChatId, person: RemoteUserId, role: Role) -> None:
        """See ``SetsRoles``."""
        await self._ruling(chat).set_role(person, role)

    async def put_out(self, chat: ChatId, person: RemoteUserId) -> None:
        """See ``PutsOut``."""
        await self._ruling(chat).put_out(person)

    async def ban(self, chat: ChatId, person: RemoteUserId) -> None:
        """See ``Bans``; by nick."""
        await self._ruling(chat).ban(person)

    async def unban(self, chat: ChatId, person: RemoteUserId) -> None:
        """See ``Bans``."""
        await self._ruling(chat).unban(person)

    async def banned(self, chat: ChatId) -> tuple[RemoteUserId, ...]:
        """See ``ListsBans``; those whose nicks are banned."""
        return await self._ruling(chat).banned()

    def _ruling(self, chat: ChatId) -> Ruling:
        return Ruling(self._sending.presence(chat), chat)

    async def check(self) -> None:
        """See the port."""
        connection = IrcConnection(self._settings, lambda _line: None)
        await connection.open()
        await connection.close()

    # --- small things ------------------------------------------------------------------------------------------------

    def _features(self) -> Features:
        return self._now.connection.features if self._now is not None else Features()

    def _key(self, chat: ChatId) -> str:
        """What a channel is known by, whatever server we are on: names differ in case alone are one channel on all of them."""
        return Features().fold(chat)

    def _backoff(self) -> Backoff:
        return Backoff(self._settings.retry_least, self._settings.retry_most, secrets.SystemRandom().random)

    def _new_id(self) -> str:
        return next(self._ids)


def build(section: Section) -> IrcNetwork:
    """The network that ``section`` of the configuration describes; what stands under the entry point ``irc``."""
    return IrcNetwork(read_settings(section), section.path.rpartition(".")[2] or "irc")
