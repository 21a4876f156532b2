"""Reads the rules of ban lists ("moderation policy lists") and says whom they are about.

Source: Matrix specification v1.19, client-server API, "Moderation policy lists", and appendices, "Glob-style matching"; the names that
came before it as Mjolnir and Draupnir read them; entities given by their hash alone (MSC4205), and takedowns (MSC4204), which ask for a
ban and more. Rules about rooms are counted and otherwise left to others.
"""

import base64
import binascii
import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from haven.ids import RoomId, UserId, server_of
from haven.ports import Content
from haven.snapshot import Room

ENTITY_LIMIT = 512
"""Characters of the longest entity that is read: ids have 255 at most, a pattern may have some more."""

REASON_LIMIT = 200
"""Characters of a reason that are kept."""

PATTERNS_LIMIT = 2_000
"""Patterns of one list that are followed: each is tried on everybody. Of ids that are given in full there may be any number."""


class Subject(StrEnum):
    """What a rule is about."""

    USER = "user"
    SERVER = "server"
    ROOM = "room"


TYPES: Mapping[Subject, tuple[str, ...]] = {
    subject: (f"m.policy.rule.{subject}", f"m.room.rule.{subject}", f"org.matrix.mjolnir.rule.{subject}")
    for subject in Subject
}
"""The types of the events that hold rules, today's first: of two with one state key it alone counts, also where it is empty."""

POLICY_ROOM = "support.feline.policy.lists.msc.v1"
"""The type of rooms that are made to be lists (MSC3784, unstable); older lists have none."""

SHORTCODE = "org.matrix.mjolnir.shortcode"
"""The state event in which Mjolnir and Draupnir give their lists a short name."""

BAN = "m.ban"
_BANS = frozenset({BAN, "org.matrix.mjolnir.ban", "m.takedown", "org.matrix.msc4204.takedown"})
_HASHES = ("hashes", "org.matrix.msc4205.hashes")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule that asks for a ban. ``entity``: an id, or a pattern of ids; "" where only ``digest`` is given (SHA-256 of the id)."""

    list: RoomId
    subject: Subject
    entity: str
    reason: str = ""
    digest: bytes = b""


def is_list(room: Room) -> bool:
    """Whether a room is made to be a list, or holds a rule, also one that was taken back."""
    types = {kind for kinds in TYPES.values() for kind in kinds}
    made = room.text("m.room.create", "type") == POLICY_ROOM
    return made or any(kind in types or kind == SHORTCODE for kind, _ in room.state)


def rules_of(room: Room) -> tuple[Rule, ...]:
    """The rules of a list, in no order of importance. What is damaged, or asks for something else than a ban, is passed over."""
    return tuple(rule for subject in Subject for rule in _rules(room, subject))


def _rules(room: Room, subject: Subject) -> Iterator[Rule]:
    today, *older = TYPES[subject]
    keys = {key for kind, key in room.state if kind == today or kind in older}
    for key in sorted(keys):
        kinds = (kind for kind in (today, *older) if (kind, key) in room.state)
        rule = _rule(room.id, subject, room.content(next(kinds), key))
        if rule is not None:
            yield rule


def _rule(room: RoomId, subject: Subject, content: Content) -> Rule | None:
    asked, entity, why = (content.get(name) for name in ("recommendation", "entity", "reason"))
    if not isinstance(asked, str) or asked not in _BANS:
        return None
    reason = " ".join(why.split())[:REASON_LIMIT] if isinstance(why, str) else ""
    if isinstance(entity, str) and entity:
        return Rule(room, subject, entity, reason) if len(entity) <= ENTITY_LIMIT else None
    digest = next((found for found in map(_digest, (content.get(name) for name in _HASHES)) if found), b"")
    return Rule(room, subject, "", reason, digest) if digest else None


def _digest(hashes: object) -> bytes:
    said = hashes.get("sha256") if isinstance(hashes, Mapping) else None
    if not isinstance(said, str):
        return b""
    plain = said.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        found = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
    return found if len(found) == hashlib.sha256().digest_size else b""


def is_pattern(entity: str) -> bool:
    """Whether an entity may stand for several ids."""
    return "*" in entity or "?" in entity


def fits(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern says: ``*`` for anything, also nothing, ``?`` for one character, all else for itself.

    Takes time in proportion to the product of the lengths at most, however many stars there are: lists are written by others.
    """
    return _compiled(pattern).fullmatch(text) is not None


def _compiled(pattern: str) -> re.Pattern[str]:
    """Between two stars the first place that fits is the best, so nothing is ever tried again (atomic groups)."""
    parts = [re.escape(part).replace(r"\?", ".") for part in re.sub(r"\*+", "*", pattern).split("*")]
    first, *middle = parts[:-1] or [""]
    rest = "".join(f"(?>.*?{part})" for part in middle)
    return re.compile(f"{first}{rest}{'.*' if len(parts) > 1 else ''}{parts[-1]}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of several lists, by what they are about. Made by `rulebook`; of two rules on one entity the first counts."""

    rules: tuple[Rule, ...] = ()
    _named: Mapping[tuple[Subject, str], Rule] = field(default_factory=dict)
    _hashed: Mapping[tuple[Subject, bytes], Rule] = field(default_factory=dict)
    _patterns: tuple[tuple[Rule, re.Pattern[str]], ...] = ()

    def on(self, user: UserId) -> Rule | None:
        """The rule by which somebody is to be banned, if there is one."""
        return next(self._all_on(user), None)

    def all_on(self, users: Iterable[UserId]) -> tuple[Rule, ...]:
        """Every rule by which one of these is to be banned."""
        return tuple(dict.fromkeys(rule for user in users for rule in self._all_on(user)))

    def without(self, rules: Collection[Rule]) -> "Rulebook":
        """The same rules but for these."""
        others = frozenset(rules)
        return rulebook(rule for rule in self.rules if rule not in others) if rules else self

    def _all_on(self, user: UserId) -> Iterator[Rule]:
        for subject, name in _names(user):
            rule = self._named.get((subject, name))
            if rule is not None:
                yield rule
        if self._hashed:
            yield from self._all_hashed(user)
        names = _names(user)
        for rule, pattern in self._patterns:
            if any(subject is rule.subject and pattern.fullmatch(name) for subject, name in names):
                yield rule

    def _all_hashed(self, user: UserId) -> Iterator[Rule]:
        for subject, name in _names(user):
            rule = self._hashed.get((subject, hashlib.sha256(name.encode(errors="replace")).digest()))
            if rule is not None:
                yield rule


def rulebook(rules: Iterable[Rule]) -> Rulebook:
    """A book of these rules; those about rooms are kept and never asked for."""
    every = tuple(rules)
    named: dict[tuple[Subject, str], Rule] = {}
    hashed: dict[tuple[Subject, bytes], Rule] = {}
    for rule in every:
        if rule.digest:
            hashed.setdefault((rule.subject, rule.digest), rule)
        elif not is_pattern(rule.entity):
            named.setdefault((rule.subject, _spelled(rule)), rule)
    followed = (rule for each in patterns_of(every).values() for rule in each[:PATTERNS_LIMIT])
    return Rulebook(every, named, hashed, tuple((rule, _compiled(_spelled(rule))) for rule in followed))


def patterns_of(rules: Iterable[Rule]) -> Mapping[RoomId, tuple[Rule, ...]]:
    """The rules that are patterns of people or homeservers, by their list."""
    found: dict[RoomId, list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.subject is not Subject.ROOM and is_pattern(rule.entity):
            found[rule.list].append(rule)
    return {room: tuple(each) for room, each in found.items()}


def _spelled(rule: Rule) -> str:
    """An entity as it is compared: names of servers are the same in small and large letters."""
    return rule.entity.lower() if rule.subject is Subject.SERVER else rule.entity


def _names(user: UserId) -> tuple[tuple[Subject, str], ...]:
    """What somebody is called by rules: their id, and their server with and without its port."""
    server = server_of(user).lower()
    host, _, port = server.rpartition(":")
    names = ((Subject.USER, str(user)), (Subject.SERVER, server))
    return (*names, (Subject.SERVER, host)) if host and port.isdecimal() else names
