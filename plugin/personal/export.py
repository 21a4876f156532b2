"""All that is kept of one person, as a file for them to read. Nobody else is named in it."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from haven.ids import RoomId, UserId

from ..audit import deed_line
from ..cards import Card, Cards
from ..durations import moment_of
from ..entrance.invites import Invites
from ..homeserver_files import File
from ..safety.list_watch import LISTED, people_on
from ..safety.reporters import Reporters
from ..safety.reports import REPORT, reason_of, reporters
from ..service.communities import Communities
from ..store_audit import read_deed
from ..store_cards import read_card
from ..store_personal import PersonalStore, Row
from ..wording import Wording, line
from .facts import Facts, facts_of
from .inventory import CARD, DEED, TABLES, Erased, Table

NAME = "my-data.json"
ABOUT_THEM = "report_about_you"
"""What a report about the person is called: not as it is kept, since most of it is not theirs."""

_ANYBODY = re.compile(r"@[^\s:\"']+:[A-Za-z0-9.\[\]-]+(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of somebody. ``rows``: by table, as JSON; ``reported``: what they reported; ``tries``: how many codes they
    tried within the last minute.
    """

    who: UserId
    facts: tuple[Facts, ...]
    rows: Mapping[str, tuple[Mapping[str, object], ...]]
    reported: tuple[Mapping[str, object], ...]
    tries: int = 0

    @property
    def count(self) -> int:
        """How many things that are."""
        return sum(len(rows) for rows in self.rows.values()) + len(self.reported)


@dataclass(frozen=True, slots=True)
class Export:
    """Collects it. ``epoch``: ms since the epoch, now."""

    communities: Communities
    store: PersonalStore
    cards: Cards
    invites: Invites
    reporters: Reporters
    epoch: Callable[[], int]

    async def kept(self, who: UserId, wording: Wording) -> Kept:
        """All that is kept of somebody; deeds are told in the words of a language. Raises `TryLater`."""
        world, intent = await self.communities.reading()
        rows = {}
        for table in TABLES:
            if table.erased is not Erased.NOTHING:
                found = await self.store.rows(table, who)
                rows[table.name] = tuple(_told(table, row, who, wording) for row in found)
        reported = [each async for each in self._reported(who)]
        facts = facts_of(intent.communities.values(), world, who)
        return Kept(who, facts, rows, tuple(reported), self.invites.tried(who))

    async def _reported(self, who: UserId) -> AsyncIterator[Mapping[str, object]]:
        """What somebody has reported and nobody has decided yet."""
        for card in await self.cards.open(REPORT, None):
            by = await self.reporters.digest(RoomId(card.payload["room"]), who)
            if by in reporters(card):
                message = {"room": card.payload["room"], "message": card.payload["event"]}
                yield {**message, "reason": reason_of(card, by)}

    def file(self, kept: Kept, wording: Wording) -> File:
        """What is kept, as a file."""
        about = {
            "about": wording.text(line("my_data.file")),
            "you": kept.who,
            "made": moment_of(self.epoch()),
            "communities": [facts.told() for facts in kept.facts],
            "kept": {name: list(rows) for name, rows in kept.rows.items() if rows},
            "reported_by_you": list(kept.reported),
            "codes_tried": kept.tries,
        }
        alone = _alone(about, kept.who, wording.text(line("my_data.somebody_else")))
        return File(NAME, "application/json", json.dumps(alone, ensure_ascii=False, indent=2).encode())


def _told(table: Table, row: Row, who: UserId, wording: Wording) -> Mapping[str, object]:
    if table is DEED:
        return _deed(row, wording)
    if table is CARD and row["kind"] == REPORT:
        return _reported_about(read_card(row), who)
    if table is CARD and row["kind"] == LISTED and not row["decided"]:
        row = {**row, "payload": json.dumps(_listed(read_card(row), who))}
    told: dict[str, object] = {}
    for column in (*table.others, *table.people):
        if column not in table.withheld and row[column] not in (0, "", who):
            told[column] = _read(table, column, row[column])
    return told


def _read(table: Table, column: str, value: Any) -> object:
    if column in table.times:
        return moment_of(value)
    return json.loads(value) if column in table.json and value else value


def _deed(row: Row, wording: Wording) -> Mapping[str, object]:
    deed = read_deed(row)
    return {"at": moment_of(deed.at), "what": wording.text(deed_line(deed)), "community": deed.space}


def _reported_about(card: Card, who: UserId) -> Mapping[str, object]:
    """A report about somebody: not who made it, nor what they said. Of one about somebody else that names them, no more than that."""
    if card.payload.get("author", who) != who:
        return {"kind": "report_that_names_you"}
    about = {name: card.payload[name] for name in ("room", "event") if name in card.payload}
    return {"kind": ABOUT_THEM, **about}


def _listed(card: Card, who: UserId) -> Mapping[str, str]:
    """Of a card about people on ban lists, what is about one of them."""
    about = zip(people_on(card), card.payload["reasons"].split("\x1f"), strict=False)
    return {"why": card.payload["why"], "reasons": next((why for each, why in about if each == who), "")}


def _alone(value: object, who: UserId, others: str) -> object:
    """JSON in which nobody is named but one person."""
    if isinstance(value, str):
        return _ANYBODY.sub(lambda found: found[0] if found[0] == who else others, value)
    if isinstance(value, Mapping):
        return {_alone(name, who, others): _alone(one, who, others) for name, one in value.items()}
    return [_alone(one, who, others) for one in value] if isinstance(value, Iterable) else value
