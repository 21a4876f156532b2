"""Who is in which channel of one IRC connection, under which id, and who of them is an operator.

Whose id is whose: IRC names people by their nick, which anybody may take once it is free. So the id is made when we first see
someone, from the account the server vouches for (``account:ada``) where it says so, else from the nick (``nick:ada``), and stays theirs
through changes of nick until we no longer share a channel. Whoever takes a nick whose id is still someone's gets an id of their own
(``nick:ada/2``: no nick holds a slash). An account that shows only later gives a new id, once. Ids end with the connection.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from haven.ids import RemoteUserId

from .events import Person, Role
from .irc_features import Features


@dataclass(slots=True, eq=False)
class _Someone:
    nick: str
    id: RemoteUserId
    account: str
    modes: dict[str, set[str]] = field(default_factory=dict)
    """Member modes by (folded) channel; its keys are the channels that we share."""


class People:
    """The people of one connection. Channels and nicks come as the server writes them; ``None`` or nothing for people unknown."""

    def __init__(self, features: Features) -> None:
        self.features = features
        self._by_nick: dict[str, _Someone] = {}
        self._taken: set[RemoteUserId] = set()

    def person(self, channel: str, nick: str) -> Person:
        """``nick`` as seen in ``channel``, also if they are not in it (some channels let strangers talk)."""
        someone = self._by_nick.get(self.features.fold(nick))
        if someone is None:
            return Person(self._free_id(nick, ""), nick)
        return self._seen(someone, channel)

    def stranger(self, channel: str, nick: str, account: str) -> Person:
        """Who said something under ``nick``, with ``account`` if not "", when we did not look: who is there now may be somebody else."""
        someone = self._by_nick.get(self.features.fold(nick))
        if someone is not None and (
            not account or self.features.fold(someone.account) == self.features.fold(account)
        ):
            return self._seen(someone, channel)
        if account:
            return Person(RemoteUserId(f"account:{self.features.fold(account)}"), nick)
        return Person(self._free_id(nick, ""), nick)

    def members(self, channel: str) -> tuple[Person, ...]:
        """Everybody in ``channel``, by nick; ourselves too."""
        key = self.features.fold(channel)
        inside = (someone for someone in self._by_nick.values() if key in someone.modes)
        return tuple(self._seen(someone, channel) for someone in sorted(inside, key=lambda one: one.nick))

    def joined(self, channel: str, nick: str, account: str = "", modes: Iterable[str] = ()) -> Person:
        """``nick`` is in ``channel`` with these member modes."""
        someone = self._by_nick.get(self.features.fold(nick))
        if someone is None:
            someone = _Someone(nick, self._free_id(nick, account), account)
            self._by_nick[self.features.fold(nick)] = someone
            self._taken.add(someone.id)
        someone.modes[self.features.fold(channel)] = set(modes)
        return self._seen(someone, channel)

    def left(self, channel: str, nick: str) -> Person | None:
        """``nick`` is no longer in ``channel``."""
        someone = self._by_nick.get(self.features.fold(nick))
        if someone is None or self.features.fold(channel) not in someone.modes:
            return None
        person = self._seen(someone, channel)
        del someone.modes[self.features.fold(channel)]
        if not someone.modes:
            self._forget(someone)
        return person

    def emptied(self, channel: str) -> None:
        """We are out of ``channel`` ourselves and see nobody in it any more."""
        for person in self.members(channel):
            self.left(channel, person.name)

    def channels(self, nick: str) -> tuple[str, ...]:
        """The (folded) channels that we share with ``nick``."""
        someone = self._by_nick.get(self.features.fold(nick))
        return tuple(someone.modes) if someone else ()

    def renamed(self, before: str, after: str) -> None:
        """Someone changed their nick; they keep their id."""
        someone = self._by_nick.pop(self.features.fold(before), None)
        if someone is not None:
            someone.nick = after
            self._by_nick[self.features.fold(after)] = someone

    def vouched(self, nick: str, account: str) -> RemoteUserId | None:
        """The server says whose account ``nick`` uses. Returns the id they had until now, if that gives them another."""
        someone = self._by_nick.get(self.features.fold(nick))
        if someone is None or someone.account or not account:
            return None
        before = someone.id
        self._taken.discard(before)
        someone.account, someone.id = account, self._free_id(nick, account)
        self._taken.add(someone.id)
        return before

    def moded(self, channel: str, change: str, arguments: Iterable[str]) -> tuple[Person, ...]:
        """``channel``'s modes changed, e.g. ``+o-v`` with two nicks. Returns those whose role is another now."""
        key = self.features.fold(channel)
        changed: dict[str, Person] = {}
        for adding, mode, argument in self._changes(change, iter(arguments)):
            someone = self._by_nick.get(self.features.fold(argument)) if mode in self.features.modes else None
            if someone is None or key not in someone.modes:
                continue
            before = self._seen(someone, channel)
            (someone.modes[key].add if adding else someone.modes[key].discard)(mode)
            changed.setdefault(someone.nick, before)
        return tuple(
            now for was in changed.values() if (now := self.person(channel, was.name)).role is not was.role
        )

    def _changes(self, change: str, arguments: Iterator[str]) -> Iterator[tuple[bool, str, str]]:
        """The single changes in a MODE line: adding or not, the mode, its argument ("" for modes without)."""
        adding, always = True, self.features.modes + self.features.list_modes
        for mode in change:
            if mode in "+-":
                adding = mode == "+"
            elif mode in always or (adding and mode in self.features.set_modes):
                yield adding, mode, next(arguments, "")
            else:
                yield adding, mode, ""

    def _seen(self, someone: _Someone, channel: str) -> Person:
        modes = someone.modes.get(self.features.fold(channel), set())
        if self.features.operator_modes & modes:
            role = Role.OPERATOR
        else:  # of what ranks below, half-operators too, a room knows no more than that they may speak
            role = Role.VOICED if modes else Role.MEMBER
        return Person(someone.id, someone.nick, role)

    def _free_id(self, nick: str, account: str) -> RemoteUserId:
        wanted = f"account:{self.features.fold(account)}" if account else f"nick:{self.features.fold(nick)}"
        number, free = 1, RemoteUserId(wanted)
        while free in self._taken:
            number += 1
            free = RemoteUserId(f"{wanted}/{number}")
        return free

    def _forget(self, someone: _Someone) -> None:
        self._by_nick.pop(self.features.fold(someone.nick), None)
        self._taken.discard(someone.id)
