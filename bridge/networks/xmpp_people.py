"""Who is in a room of XMPP: its occupants as persons, as their presences tell.

A person's id is made from the room and the occupant id that it gave them (XEP-0421), never from an address or a nick. Only in rooms that give no such
ids is it made from the nick that they were first seen with, and theirs until they leave.
"""

import base64
import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from haven.ids import ChatId, RemoteUserId

from .events import Person, Role
from .xmpp_xml import MUC_USER, OCCUPANT, VCARD_UPDATE, bare, resource

_SHA1 = re.compile(r"[0-9a-f]{40}")
MOST = 5000
"""Addresses of one room that are remembered."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a presence of a room says of an occupant. ``address`` is the real one, "" where the room does not tell us."""

    nick: str
    occupant: str
    address: str
    role: Role
    affiliation: str
    statuses: frozenset[str]
    there: bool
    new_nick: str
    destroyed: bool
    picture: str


def read_presence(stanza: ET.Element) -> Seen:
    """The occupant in ``stanza`` (XEP-0045 section 7)."""
    x = stanza.find(f"{MUC_USER}x")
    item = x.find(f"{MUC_USER}item") if x is not None else None
    get = item.get if item is not None else dict[str, str]().get
    affiliation = get("affiliation") or "none"
    operates = affiliation in {"owner", "admin"} or get("role") == "moderator"
    occupant = stanza.find(f"{OCCUPANT}occupant-id")
    return Seen(
        nick=resource(stanza.get("from", "")),
        occupant=occupant.get("id", "") if occupant is not None else "",
        address=get("jid") or "",
        role=Role.OPERATOR if operates else Role.MEMBER,
        affiliation=affiliation,
        statuses=frozenset(each.get("code", "") for each in stanza.iter(f"{MUC_USER}status")),
        there=stanza.get("type") is None,
        new_nick=get("nick") or "",
        destroyed=x is not None and x.find(f"{MUC_USER}destroy") is not None,
        picture=_picture(stanza),
    )


def _picture(stanza: ET.Element) -> str:
    """The SHA-1 of their picture (XEP-0153), "" where they have none or do not say."""
    said = stanza.findtext(f"{VCARD_UPDATE}x/{VCARD_UPDATE}photo", "").strip().lower()
    return said if _SHA1.fullmatch(said) else ""


class People:
    """The occupants of one room, ours left out."""

    def __init__(self, chat: ChatId) -> None:
        self._chat = chat
        self._by_nick: dict[str, Person] = {}
        self._addresses: OrderedDict[RemoteUserId, str] = OrderedDict()

    def __iter__(self) -> Iterator[Person]:
        return iter(tuple(self._by_nick.values()))

    def has(self, nick: str) -> bool:
        """Whether somebody has this nick."""
        return nick in self._by_nick

    def person(self, nick: str, occupant: str) -> Person:
        """Who says something under this nick, also if they are here no more."""
        seen = self._by_nick.get(nick)
        wanted = self.id_of(occupant, nick) if occupant or seen is None else seen.id
        if seen is not None and seen.id == wanted:
            return seen
        elsewhere = next((person for person in self if person.id == wanted), None)
        return elsewhere or Person(wanted, nick)

    def nick(self, person: RemoteUserId) -> str | None:
        """The nick that somebody has now."""
        return next((nick for nick, seen in self._by_nick.items() if seen.id == person), None)

    def role(self, nick: str) -> Role | None:
        """The role of whoever has this nick; ``None`` for nobody, and for ours."""
        person = self._by_nick.get(nick)
        return person.role if person is not None else None

    def address(self, person: RemoteUserId) -> str:
        """Their real address without its resource, also when they have left; "" where we were not told, or long ago."""
        return self._addresses.get(person, "")

    def came(self, seen: Seen) -> tuple[Person | None, Person]:
        """Somebody is there; who they were before this (``None``: nobody), and who they are."""
        before = self._by_nick.get(seen.nick)
        number = self.id_of(seen.occupant, seen.nick) if seen.occupant or before is None else before.id
        now = Person(number, seen.nick, seen.role, seen.picture)
        self._by_nick[seen.nick] = now
        if seen.address:
            self._addresses[number] = bare(seen.address)
            self._addresses.move_to_end(number)
        if len(self._addresses) > MOST:
            self._addresses.popitem(last=False)
        return before, now

    def went(self, nick: str) -> Person | None:
        """Somebody is there no more."""
        return self._by_nick.pop(nick, None)

    def renamed(self, nick: str, new: str) -> Person | None:
        """Somebody takes another nick."""
        person = self._by_nick.pop(nick, None)
        if person is None:
            return None
        self._by_nick[new] = replace(person, name=new)
        return self._by_nick[new]

    def id_of(self, occupant: str, nick: str) -> RemoteUserId:
        """The id of whoever the room knows by ``occupant``; without that, one from the nick that nobody else has."""
        if occupant:
            return self._hashed(f"occupant\0{occupant}")
        taken = {person.id for person in self._by_nick.values()}
        again = 0
        while (made := self._hashed(f"nick\0{nick}\0{again}")) in taken:
            again += 1
        return made

    def _hashed(self, words: str) -> RemoteUserId:
        digest = hashlib.sha256(f"{self._chat}\0{words}".encode()).digest()
        return RemoteUserId(base64.b32encode(digest[:15]).decode().lower())
