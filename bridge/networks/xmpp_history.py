"""The archive of a room (XEP-0313), read page by page."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from haven.errors import Invalid, Unreachable
from haven.ids import ChatId

from . import xmpp_errors
from .xmpp_connection import XmppConnection
from .xmpp_reading import milliseconds
from .xmpp_xml import CLIENT, DELAY, FORWARD, MAM, RSM, form, make

PAGE = 50
"""Messages asked for at a time; servers give fewer if they like."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A message of the archive: its id there, which is its ``stanza-id``, and when it was said."""

    id: str
    at: int | None
    stanza: ET.Element


class Archive:
    """The archive of one room. ``heard`` must get each message that ``is_result``."""

    def __init__(self, connection: XmppConnection, chat: ChatId) -> None:
        self._connection = connection
        self._chat = chat
        self._pages: dict[str, list[Archived]] = {}

    def heard(self, stanza: ET.Element) -> bool:
        """Take a message, if it is part of an answer of the archive; only the room itself may say so."""
        result = stanza.find(f"{MAM}result")
        if result is None:
            return False
        page = self._pages.get(result.get("queryid", ""))
        forwarded = result.find(f"{FORWARD}forwarded")
        inner = forwarded.find(f"{CLIENT}message") if forwarded is not None else None
        if (
            page is not None
            and inner is not None
            and forwarded is not None
            and stanza.get("from") == self._chat
        ):
            delay = forwarded.find(f"{DELAY}delay")
            page.append(
                Archived(result.get("id", ""), milliseconds(delay) if delay is not None else None, inner)
            )
        return True

    async def since(self, after: str, at: int) -> AsyncIterator[list[Archived]]:
        """All from behind the message ``after`` on, oldest first; where that is not known (any more), all since ``at`` (milliseconds)."""
        start = "" if after else _time(at)
        try:
            page, complete = await self._page({"start": start}, {"after": after})
        except Invalid:
            start, after = _time(at), ""
            page, complete = await self._page({"start": start}, {})
        while True:
            yield page
            if complete or not page:
                return
            page, complete = await self._page({"start": start}, {"after": page[-1].id})

    async def before(self, message: str) -> list[Archived]:
        """One page of what came before ``message``, "" for the latest; oldest first. Nothing where the archive does not say."""
        try:
            return (await self._page({}, {"before": message}))[0]
        except Invalid:
            return []

    async def one(self, message: str) -> Archived | None:
        """A message by its id; ``None`` where there is none (any more), or the archive cannot be asked so (needs ``urn:xmpp:mam:2#extended``)."""
        try:
            page, _ = await self._page({"ids": message}, {})
        except Invalid:
            return None
        return next((found for found in page if found.id == message), None)

    async def _page(self, fields: dict[str, str], window: dict[str, str]) -> tuple[list[Archived], bool]:
        """A page, and whether it is the last. ``Invalid`` where the archive does not know what the question names."""
        number = secrets.token_hex(8)
        page: list[Archived] = []
        self._pages[number] = page
        wanted = {name: value for name, value in fields.items() if value}
        bounds = [
            make(f"{RSM}{name}", text=value) for name, value in window.items() if value or name == "before"
        ]
        question = make(f"{MAM}query", form(MAM[1:-1], wanted), queryid=number)
        question.append(make(f"{RSM}set", make(f"{RSM}max", text=str(PAGE)), *bounds))
        try:
            answer = await self._connection.ask(self._chat, question, "set")
        finally:
            del self._pages[number]
        if answer.get("type") == "error":
            if xmpp_errors.condition(answer) in {"item-not-found", "bad-request", "feature-not-implemented"}:
                raise Invalid("network_cannot")
            raise xmpp_errors.general(answer)
        end = answer.find(f"{MAM}fin")
        if end is None:
            raise Unreachable("network_unreachable")
        return page, end.get("complete") in {"true", "1"}


def _time(at: int) -> str:
    return datetime.fromtimestamp(max(at, 0) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
