"""The connections of the members who speak on IRC under names of their own: opened when they speak, closed when they are silent for long.

Servers allow so many connections from one address and no more. Who gets none, or is not let into a channel that the bridge is in, speaks through
the bridge, with their name before their words. Who is banned from the channel does not speak at all: the bridge is no way around a ban.
"""

import asyncio
import logging
import time
from dataclasses import replace
from weakref import WeakValueDictionary

from haven.errors import GiveUp, HavenError, Refused, TryLater
from haven.ids import ChatId, UserId

from .acts import Sender
from .irc_features import Features
from .irc_format import clean
from .irc_lines import cut_bytes
from .irc_member import Member
from .irc_nicks import member_nick
from .irc_ours import Ours
from .irc_registration import Refusal, why
from .irc_settings import IrcSettings
from .irc_speaker import Speaker

log = logging.getLogger(__name__)

REST = 600.0
"""Seconds for which we do not try again what the server refused; also for which a member's connection is not taken for another's."""
_PAUSE = 30.0
"""Seconds for which no new connection is tried after one that could not be made."""


class Members:
    """At most ``settings.member_limit`` connections. ``ours`` is told their nicks."""

    def __init__(self, settings: IrcSettings, ours: Ours) -> None:
        self._settings = settings
        self._ours = ours
        self._members: dict[UserId, Member] = {}
        self._turns: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()
        self._shut: dict[object, float] = {}

    def __len__(self) -> int:
        return len(self._members)

    async def speaker(self, sender: Sender, chat: ChatId, features: Features) -> Speaker | None:
        """The way to speak in ``chat`` as ``sender``; ``None`` where they have none of their own now. ``Refused`` where they are banned there."""
        async with self._turns.setdefault(sender.user, asyncio.Lock()):
            try:
                member = await self._connected(sender, features)
                return await self._inside(sender, member, chat) if member else None
            except TryLater as error:
                log.info("A member speaks through the bridge for now: %s", error)
                return None

    def leave(self, chat: ChatId) -> None:
        """Nobody of ours has business in ``chat`` any more."""
        for member in self._members.values():
            member.leave(chat)

    async def run(self) -> None:
        """Close connections that have been silent for long, until cancelled; then all."""
        try:
            while True:
                await asyncio.sleep(min(60.0, self._settings.member_idle / 2))
                for user, member in tuple(self._members.items()):
                    if member.over or member.silent > self._settings.member_idle:
                        await self._close(user)
        finally:
            self._shut[None] = float("inf")
            await asyncio.gather(*map(self._close, tuple(self._members)))

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _connected(self, sender: Sender, features: Features) -> Member | None:
        nick = member_nick(sender.name, sender.user, self._settings.member_nick, features.nick_length)
        member = self._members.get(sender.user)
        if member is not None and member.connected:
            if member.wished != nick:
                await member.rename(nick)
            return member
        if self._is_shut(None) or self._is_shut(sender.user) or not await self._room_for(sender.user):
            return None
        member = self._members[sender.user] = Member(self._theirs(sender, nick), self._ours)
        try:
            await member.open()
        except HavenError as error:
            del self._members[sender.user]
            self._not_opened(sender.user, error)
            return None
        return member

    def _not_opened(self, user: UserId, error: HavenError) -> None:
        log.warning("A member got no connection of their own: %s", error)
        refused = isinstance(error, GiveUp)
        about = user if isinstance(error, GiveUp) and why(error) == Refusal.NICK else None
        self._shut[about] = time.monotonic() + (REST if refused else _PAUSE)

    async def _inside(self, sender: Sender, member: Member, chat: ChatId) -> Speaker | None:
        member.speaker.used = time.monotonic()  # nobody closes it now
        door = (sender.user, chat)
        if self._is_shut(door):
            return None
        try:
            await member.enter(chat)
        except GiveUp as error:
            if isinstance(error, Refused) and error.values.get("reason") == "banned":
                raise
            self._shut[door] = time.monotonic() + REST
            return None
        return member.speaker

    async def _room_for(self, user: UserId) -> bool:
        """Whether there is room for one more connection; the longest silent one makes it, if it is silent for long."""
        await self._close(user)
        if len(self._members) < self._settings.member_limit:
            return True
        longest = max(self._members, key=lambda one: self._members[one].silent)
        if not self._members[longest].over and self._members[longest].silent < REST:
            return False
        await self._close(longest)
        return True

    async def _close(self, user: UserId) -> None:
        member = self._members.pop(user, None)
        if member is not None:
            await member.close()

    def _theirs(self, sender: Sender, nick: str) -> IrcSettings:
        """The settings for a connection of ``sender``: the account is the bridge's alone, the server's password is for all."""
        realname = cut_bytes(clean(sender.name), 100) or nick
        password = "" if self._settings.account else self._settings.password
        return replace(self._settings, nick=nick, realname=realname, account="", password=password)

    def _is_shut(self, what: object) -> bool:
        """Whether the server refused this a short while ago."""
        now = time.monotonic()
        self._shut = {one: until for one, until in self._shut.items() if until > now}
        return what in self._shut
