"""IRC as a network: one account in many channels, reconnecting, paced, in order.

IRC keeps no messages and confirms none. So what arrives gets its id here, on arrival (unless the server has ids: ``msgid``), and what is
sent is followed by a PING: its answer says that the server has read it, and any refusal comes before it. What was on the wire when a
connection broke stays in doubt and is not repeated. Ids of people: see ``irc_people``.
"""

import asyncio
import contextlib
import itertools
import logging
import secrets
import time

from haven.errors import GiveUp, HavenError, Invalid, TryLater, Unreachable
from haven.ids import ChatId, RemoteMessageId
from haven.ids import Network as NetworkName

from ..message import Kind, Style
from ..section import Section
from . import irc_session as told
from .acts import Claim, Outgoing, Receipt, Say
from .base import Capabilities, Place
from .events import ChatGone, Connection, ConnectionState, Event, Left, Person, Receive
from .irc_connection import IrcConnection
from .irc_features import Features
from .irc_format import clean
from .irc_line import Line
from .irc_lines import cut_bytes
from .irc_pace import Backoff, Pace
from .irc_registration import why
from .irc_settings import IrcSettings, read_settings
from .irc_wanted import SETTLED, Wanted
from .irc_wording import budget, wire_lines

log = logging.getLogger(__name__)

_STYLES = frozenset(
    {Style.BOLD, Style.ITALIC, Style.UNDERLINE, Style.STRIKE, Style.CODE, Style.SPOILER, Style.QUOTE}
)
_FRESH = 10.0
"""Seconds after which a silent server is asked whether it is there before anything is written to it."""
_LAST_WORDS = 5.0
"""Seconds at the end for handing over what was heard."""
_BACKLOG = 10_000
"""Events not yet stored (some 20 MiB), above which we stop reading; below a tenth we go on. Servers hang up on who does not read for long."""


class IrcNetwork:
    """IRC behind the ``Network`` port; also ``SetsTopic``, ``ListsMembers`` and ``Checks``."""

    def __init__(self, settings: IrcSettings, name: str = "irc") -> None:
        self._settings = settings
        self._name = NetworkName(name)
        self._pace = Pace(settings.burst, settings.rate, time.monotonic)
        self._wanted: dict[str, Wanted] = {}
        self._connection: IrcConnection | None = None
        self._session: told.Session | None = None
        self._to_enter: asyncio.Queue[ChatId] = asyncio.Queue()
        self._news: asyncio.Queue[Event] = asyncio.Queue()
        self._state: Connection | None = None
        self._unsent: dict[tuple[str, bool], GiveUp] = {}
        self._ids = map(f"{secrets.token_hex(8)}-{{}}".format, itertools.count())
        self._answered = 0.0
        self._was_in = False

    @property
    def name(self) -> NetworkName:
        """See the port."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(
            formatting=_STYLES,
            colours=True,
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
            pump = tasks.create_task(self._pump(receive))
            try:
                await self._stay_connected()
            finally:
                # Also when we are told to stop: what was heard has been heard, and IRC does not say it again.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LAST_WORDS):
                        await self._news.join()
                pump.cancel()

    async def _pump(self, receive: Receive) -> None:
        """Hand over what happened, one after the other."""
        while True:
            event = await self._news.get()
            while True:
                try:
                    await receive(event)
                    break
                except TryLater as error:
                    await asyncio.sleep(error.after or 1.0)
            self._news.task_done()
            if self._connection is not None and self._news.qsize() < _BACKLOG // 10:
                self._connection.pause(paused=False)

    async def _stay_connected(self) -> None:
        """Connect again and again. A refusal is final only if we were never let in: later it may be the network's own trouble."""
        backoff = Backoff(
            self._settings.retry_least, self._settings.retry_most, secrets.SystemRandom().random
        )
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
            entering = asyncio.create_task(self._enter_wanted(connection))
            try:
                await connection.lost()
            finally:
                entering.cancel()
        finally:
            self._end()
            await connection.close()

    def _begin(self, connection: IrcConnection) -> None:
        self._was_in = True
        self._connection = connection
        self._session = told.Session(connection.features, connection.nick, self._new_id)
        self._say_state(ConnectionState.CONNECTED)
        self._to_enter = asyncio.Queue()
        for wanted in self._wanted.values():
            self._to_enter.put_nowait(wanted.chat)

    def _end(self) -> None:
        session, self._session, self._connection = self._session, None, None
        for wanted in self._wanted.values():
            if session is not None and session.inside(wanted.chat):
                wanted.went_out(session.members(wanted.chat))
            wanted.settle(Unreachable("network_unreachable"))

    def _say_state(self, state: ConnectionState, reason: str | None = None) -> None:
        said = Connection(state, reason)
        if said != self._state:
            self._state = said
            self._news.put_nowait(said)

    # --- channels ----------------------------------------------------------------------------------------------------

    async def open(self, chat: ChatId, after: Place | None = None) -> None:  # no history yet
        """See the port."""
        if not self._features().is_channel(chat):
            raise Invalid("network_no_such_chat")
        wanted = self._wanted.setdefault(self._key(chat), Wanted(chat, self._backoff()))
        if self._session is None:
            raise TryLater("network_unreachable")
        if self._session.inside(chat):
            return
        if not wanted.is_awaited:
            self._to_enter.put_nowait(wanted.chat)
        await wanted.entered()

    async def close(self, chat: ChatId) -> None:
        """See the port."""
        wanted = self._wanted.pop(self._key(chat), None)
        if wanted is None:
            return
        wanted.settle(Invalid("network_no_such_chat"))
        connection, session = self._connection, self._session
        if connection is not None and session is not None:
            session.forget(wanted.chat)
            with contextlib.suppress(Unreachable):
                connection.send(f"PART {wanted.chat}")
                await connection.barrier()

    async def members(self, chat: ChatId) -> tuple[Person, ...]:
        """See the port."""
        return self._in(chat)[1].members(chat)

    async def _enter_wanted(self, connection: IrcConnection) -> None:
        """Send a JOIN for each channel that asks for it, those that ask at once in one line."""
        while connection.connected:
            chats = [await self._to_enter.get()]
            await self._pace.wait()
            while not self._to_enter.empty() and len(",".join(chats).encode()) < 200:
                chats.append(self._to_enter.get_nowait())
            session = self._session
            chats = [chat for chat in dict.fromkeys(chats) if self._is_missed(chat)]
            if chats and session is not None:
                for chat in chats:
                    session.expect(chat)
                with contextlib.suppress(Unreachable):
                    connection.send(f"JOIN {','.join(chats)}")

    def _is_missed(self, chat: ChatId) -> bool:
        """Whether we want to be in ``chat`` and are not."""
        return self._key(chat) in self._wanted and not (self._session and self._session.inside(chat))

    def _enter_later(self, wanted: Wanted) -> None:
        asyncio.get_running_loop().call_later(wanted.backoff.next(), self._to_enter.put_nowait, wanted.chat)

    # --- what is heard -----------------------------------------------------------------------------------------------

    def _heard(self, line: Line) -> None:
        if self._session is None:
            return
        for fact in self._session.hear(line):
            match fact:
                case told.Entered(chat):
                    self._entered(self._wanted[self._key(chat)], self._session)
                case told.NotEntered(chat, error):
                    self._not_entered(self._wanted[self._key(chat)], error)
                case told.Removed(chat, people):
                    self._wanted[self._key(chat)].went_out(people)
                    self._enter_later(self._wanted[self._key(chat)])
                case told.Unsent(chat, error, topic):
                    self._unsent[self._key(chat), topic] = error
                case told.Answer(text):
                    self._answer(text)
                case _:
                    self._news.put_nowait(fact)
        if self._connection is not None and self._news.qsize() > _BACKLOG:
            self._connection.pause(paused=True)

    def _entered(self, wanted: Wanted, session: told.Session) -> None:
        """We are in: those who went while we were not there have left."""
        for person in wanted.came_in(session.members(wanted.chat)):
            self._news.put_nowait(Left(RemoteMessageId(self._new_id()), wanted.chat, person))
        wanted.settle()

    def _not_entered(self, wanted: Wanted, error: HavenError) -> None:
        """Not let in: for good, or for now. Who asked is told; where nobody did, we had been in and are out now."""
        asked = wanted.settle(error)
        if not isinstance(error, GiveUp):
            self._enter_later(wanted)
            return
        if not asked:
            reason = str(error.values.get("reason", "gone"))
            self._news.put_nowait(ChatGone(RemoteMessageId(self._new_id()), wanted.chat, reason))
        self._wanted.pop(self._key(wanted.chat), None)
        if self._session is not None:
            self._session.forget(wanted.chat)

    def _answer(self, line: str) -> None:
        """Answer who asks what we are, once in two seconds: nobody shall make us flood."""
        if self._connection is not None and time.monotonic() - self._answered > 2.0:
            self._answered = time.monotonic()
            with contextlib.suppress(Unreachable):
                self._connection.send(line)

    # --- what is said ------------------------------------------------------------------------------------------------

    async def send(self, outgoing: Outgoing, claim: Claim) -> Receipt:
        """See the port. IRC gives no ids: the receipt is empty. ``Refused`` when the channel did not let it through."""
        if not isinstance(outgoing.act, Say):
            raise Invalid("network_cannot")
        chat = outgoing.chat
        await self._awake(chat)
        self._unsent.pop((self._key(chat), False), None)
        written: IrcConnection | None = None
        for part, line in enumerate(wire_lines(self._settings, chat, outgoing.act.message)):
            await self._pace.wait()
            self._in(chat)
            if await claim(part):
                written = self._in(chat)[0]
                written.send(line)
        if written is not None:
            await self._confirmed(written, chat, topic=False)
        return Receipt()

    async def set_topic(self, chat: ChatId, topic: str) -> None:
        """See the port; a topic too long for the server is cut."""
        await self._awake(chat)
        await self._pace.wait()
        connection, _ = self._in(chat)
        self._unsent.pop((self._key(chat), True), None)
        most = min(self._features().topic_length, 480 - len(chat.encode()))
        connection.send(f"TOPIC {chat} :{cut_bytes(clean(' '.join(topic.splitlines())), most)}")
        await self._confirmed(connection, chat, topic=True)

    async def check(self) -> None:
        """See the port."""
        connection = IrcConnection(self._settings, lambda _line: None)
        await connection.open()
        await connection.close()

    async def _confirmed(self, connection: IrcConnection, chat: ChatId, *, topic: bool) -> None:
        """Returns when the server has read what was written, or is gone (then it stays in doubt); raises its refusal."""
        with contextlib.suppress(Unreachable):
            await connection.barrier()
        error = self._unsent.pop((self._key(chat), topic), None)
        if error is not None:
            raise error

    async def _awake(self, chat: ChatId) -> None:
        """Do not write into a connection that may be dead: ask a server that has been silent."""
        connection, _ = self._in(chat)
        if connection.quiet > _FRESH:
            await connection.barrier()

    def _in(self, chat: ChatId) -> tuple[IrcConnection, told.Session]:
        """The connection, if we are in ``chat`` now; ``TryLater`` else."""
        connection, session = self._connection, self._session
        if connection is None or session is None or not connection.connected:
            raise TryLater("network_unreachable")
        if not session.inside(chat):
            raise TryLater("network_not_inside")
        return connection, session

    # --- small things ------------------------------------------------------------------------------------------------

    def _features(self) -> Features:
        return self._connection.features if self._connection is not None else Features()

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
