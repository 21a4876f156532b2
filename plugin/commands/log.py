"""`log`: who did what in a community, when, why and by which door; as a list, or all of it as a file."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO

from haven.errors import Invalid, Missing
from haven.model import Community
from haven.permissions import Right

from ..audit import Deed, deed_line, deed_who
from ..durations import moment_of
from ..homeserver_files import File
from ..wording import Answer, Term, Wording, answer, head, item, line
from .asked import Asked, Within
from .bridge import moment
from .grammar import Command, Option

CSV, JSON_LINES = "csv", "jsonl"
LOG = Command(
    "log",
    options=(Option("last", "N"), Option("export"), Option("format", choices=(CSV, JSON_LINES))),
)
USUAL, MOST = 20, 200
MOST_EXPORTED = 100_000
"""Some 20 MB, which media repositories take as a rule."""

COLUMNS = ("at", "who", "what", "door", "said", "why")


async def log(asked: Asked, community: Community) -> Answer:
    """The last deeds, the newest first; in the admins' room, where not everybody reads along."""
    if asked.request.switched("export"):
        return await _exported(asked, community)
    deeds = await asked.services.desk.audit.store.deeds(community.space, _last(asked))
    if not deeds:
        return answer(line("log.empty"))
    told = (deed_line(deed) for deed in deeds)
    lines = (
        item("log.deed", at=moment(deed.at), deed=Term(one.key, one.values))
        for deed, one in zip(deeds, told, strict=True)
    )
    return Answer((head("log.head", n=len(deeds)), *lines), asked.sight(community).desk)


def _last(asked: Asked) -> int:
    wanted = asked.request.option("last") or str(USUAL)
    if not wanted.isascii() or not wanted.isdecimal() or not 1 <= int(wanted[:9]) <= MOST:
        raise Invalid("log_last", most=MOST)
    return int(wanted)


async def _exported(asked: Asked, community: Community) -> Answer:
    """All deeds, the oldest first, or the last of them, as a file in the admins' room."""
    place = asked.sight(community).desk
    if place is None:
        raise Missing("community_missing")
    most = _last(asked) if asked.request.option("last") else MOST_EXPORTED
    deeds = (await asked.services.desk.audit.store.deeds(community.space, most))[::-1]
    if not deeds:
        return answer(line("log.empty"))
    wording = asked.replies.wording(community.settings.language)
    rows = [_row(deed, wording) for deed in deeds]
    file = _lines(rows) if asked.request.option("format") == JSON_LINES else _table(rows)
    hand_over, transaction = asked.services.messages.hand_over, f"log.{asked.message.event}"
    await asked.replies.patiently(lambda: hand_over(place, file, transaction))
    await asked.note("log_exported", community)
    here = place == asked.message.room
    return answer(line("log.exported_here" if here else "log.exported", n=len(deeds)))


def _row(deed: Deed, wording: Wording) -> Mapping[str, str]:
    """One deed: nobody who had their data erased and no hidden group is named in it."""
    said = deed_line(deed)
    what, who = said.values["what"], deed_who(deed)
    told = wording.text(what) if isinstance(what, Term) else str(what)
    person = wording.text(who) if isinstance(who, Term) else str(deed.who)
    return {
        "at": moment_of(deed.at),
        "who": person,
        "what": deed.what,
        "door": deed.door,
        "said": told,
        "why": deed.why,
    }


def _table(rows: Sequence[Mapping[str, str]]) -> File:
    """The rows as CSV (RFC 4180)."""
    told = StringIO()
    writer = csv.DictWriter(told, COLUMNS)
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return File("log.csv", "text/csv", told.getvalue().encode())


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def _lines(rows: Sequence[Mapping[str, str]]) -> File:
    """The rows as JSON, one a line."""
    told = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    return File("log.jsonl", "application/jsonl", told.encode())


ENTRIES = (Within(LOG, Right.SEE_LOG, log, asleep=True),)
