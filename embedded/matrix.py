"""Raw Matrix over HTTP: one account's requests, and refusals as typed errors. No library knows of Matrix here, on purpose.

What the tests find out through this cannot be a mistake that the libraries of the two faces share.
"""

import asyncio
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import aiohttp

Json = dict[str, Any]
"""A JSON object of the Matrix API."""

PATIENT_FOR = 120.0
"""Seconds that rate limits are waited out before they count as a refusal."""


class MatrixRefused(Exception):
    """The homeserver said no: `status` of HTTP, `errcode` and `message` of Matrix, `retry_after` seconds with 429."""

    def __init__(self, status: int, errcode: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {errcode}: {message}")
        self.status = status
        self.errcode = errcode
        self.message = message
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Event:
    """An event as a client sees it; `state_key` is None for messages, `timestamp` is in milliseconds."""

    type: str
    sender: str
    content: Json
    id: str = ""
    room: str = ""
    state_key: str | None = None
    timestamp: int = 0
    unsigned: Json | None = None

    @property
    def body(self) -> str:
        """The text of a message; of an edit the new text; "" where there is none."""
        content = self.content.get("m.new_content", self.content)
        return str(content.get("body", ""))

    @property
    def relates_to(self) -> Json:
        """The relation (edit, reply, reaction, thread) of the event, empty without one."""
        relation = self.content.get("m.relates_to")
        return relation if isinstance(relation, dict) else {}

    @staticmethod
    def of(raw: Json, room: str = "") -> "Event":
        """Reads what /sync, /messages, /state or /event gave; stripped state has no id."""
        return Event(
            type=raw["type"],
            sender=raw.get("sender", ""),
            content=raw.get("content", {}),
            id=raw.get("event_id", ""),
            room=raw.get("room_id", room),
            state_key=raw.get("state_key"),
            timestamp=raw.get("origin_server_ts", 0),
            unsigned=raw.get("unsigned"),
        )


def path(*segments: str) -> str:
    """A client API path of escaped segments: `path("rooms", room, "send", ...)`."""
    return "/_matrix/client/v3/" + "/".join(quote(segment, safe="") for segment in segments)


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks which homeserver, over a session that someone else opens and closes.

    `patient`: whether 429 is waited out (as clients do) or raised. `as_user`: an appservice's token speaks for this user.
    """

    session: aiohttp.ClientSession
    url: str
    user_id: str
    token: str
    device_id: str = ""
    patient: bool = True
    as_user: str | None = None

    def through(self, url: str) -> "Account":
        """The same account by another address of its homeserver, such as a proxy."""
        return replace(self, url=url)

    async def request(
        self, method: str, where: str, body: object = None, query: Mapping[str, str] | None = None
    ) -> Json:
        """Sends one request and gives the JSON object that answers it; raises MatrixRefused for anything but 2xx."""
        waited = 0.0
        while True:
            try:
                return await self._once(method, where, body, query)
            except MatrixRefused as refusal:
                pause = refusal.retry_after
                if pause is None or not self.patient or waited + pause > PATIENT_FOR:
                    raise
                waited += pause
                await asyncio.sleep(pause)

    async def _once(self, method: str, where: str, body: object, query: Mapping[str, str] | None) -> Json:
        arguments = dict(query or {})
        if self.as_user:
            arguments["user_id"] = self.as_user
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(
            method, f"{self.url}{where}", params=arguments, json=body, headers=headers
        ) as answer:
            return await answer_of(answer)


async def answer_of(answer: aiohttp.ClientResponse) -> Json:
    """The JSON object in an answer of a homeserver; raises MatrixRefused when it is an error.

    The one list that the client API answers with (GET .../state) comes as the `events` of an object.
    """
    try:
        content = await answer.json(content_type=None)
    except ValueError:
        content = {}
    if isinstance(content, list):
        return {"events": content}
    if not isinstance(content, dict):
        content = {}
    if answer.ok:
        return content
    after = content.get("retry_after_ms")
    raise MatrixRefused(
        answer.status,
        str(content.get("errcode", "")),
        str(content.get("error", "")),
        retry_after=after / 1000 if answer.status == 429 and after is not None else None,
    )


_count = itertools.count()
_run = secrets.token_hex(4)


def transaction() -> str:
    """A transaction id that was never used before, by this process or another."""
    return f"{_run}.{next(_count)}"
