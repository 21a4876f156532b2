"""The bridge on an IRC server during one connection: listening, speaking, remembering."""

import asyncio
import time
from collections.abc import Callable

from haven.errors import TryLater
from haven.ids import ChatId

from . import irc_facts as told
from .irc_connection import IrcConnection
from .irc_ours import Ours
from .irc_pace import Pace
from .irc_past import Past
from .irc_session import Session
from .irc_speaker import Speaker


class Presence:
    """All that goes with one connection that is logged in. ``bans``: what was heard of a list of bans by who holds ``asking``."""

    def __init__(self, connection: IrcConnection, pace: Pace, new_id: Callable[[], str], ours: Ours) -> None:
        self.connection = connection
        self.session = Session(connection.features, connection.nick, new_id, ours)
        self.past = Past(connection, pace)
        self.speaker = Speaker(connection, pace, self.check)
        self.bans: list[told.BanMask] = []
        self.asking = asyncio.Lock()
        self._answered = 0.0

    def check(self, chat: ChatId) -> None:
        """``TryLater`` where we are not in ``chat`` now."""
        if not self.connection.connected:
            raise TryLater("network_unreachable")
        if not self.session.inside(chat):
            raise TryLater("network_not_inside")

    def answered(self, fact: told.Unsent | told.Remembered | told.NoHistory | told.BanMask) -> None:
        """The server answered something that we asked or said."""
        match fact:
            case told.Unsent():
                self.speaker.refused(fact)
            case told.BanMask():
                if self.asking.locked():  # else somebody else asked, or the server tells unasked
                    self.bans.append(fact)
            case _:
                self.past.heard(fact)

    def may_answer(self) -> bool:
        """Whether to answer who asks what we are: once in two seconds, nobody shall make us flood."""
        if time.monotonic() - self._answered < 2.0:
            return False
        self._answered = time.monotonic()
        return True
