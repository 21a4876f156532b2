"""The Matrix client library, taught to speak for an appservice's users, and its failures turned into our
errors.

nio knows nothing of appservices: ``AppserviceClient`` adds ``user_id`` (and ``device_id``) to each request.
nio gives failures back as values and would retry for ever: here they become errors of ``haven.errors``, at
once.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientResponse, ClientTimeout
from nio import AsyncClient, AsyncClientConfig, ErrorResponse, Response

from haven.errors import HavenError, Invalid, Missing, RateLimited, Refused, Unreachable
from haven.ids import UserId

from .turns import Turns

TIMEOUT = 60.0
"""Seconds a request may take."""
TELLS_NO_TIME = 5.0
"""Seconds to wait after a 429 that does not say how long."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """In whose name a request is made. With a ``device`` the homeserver keeps its transaction ids in its
    database (MSC4326).
    """

    user: UserId
    device: str | None = None


_speaker: ContextVar[Speaker] = ContextVar("speaker")


class AppserviceClient(AsyncClient):  # type: ignore[misc]  # nio says no types
    """One HTTP client for the bot and all ghosts. ``speaking`` says in whose name."""

    def __init__(self, url: str, token: str, bot: UserId) -> None:
        config = AsyncClientConfig(
            max_limit_exceeded=0,
            max_timeouts=0,
            request_timeout=TIMEOUT,
            store=None,
            encryption_enabled=False,
        )
        super().__init__(url, str(bot), config=config)
        self.access_token = token
        self.user_id = str(bot)
        self._turns = Turns()

    async def send(  # noqa: PLR0917  # as nio has it
        self,
        method: str,
        path: str,
        data: Any = None,  # as nio has it
        headers: dict[str, str] | None = None,
        trace_context: Any | None = None,  # as nio has it
        timeout: float | ClientTimeout | None = None,  # noqa: ASYNC109  # as nio has it
    ) -> ClientResponse:
        """Send a request in the name of the current speaker."""
        speaker = _speaker.get()
        who: dict[str, str] = {"user_id": speaker.user}
        if speaker.device is not None:
            who["device_id"] = speaker.device
        path = f"{path}{'&' if '?' in path else '?'}{urlencode(who)}"
        response: ClientResponse = await super().send(method, path, data, headers, trace_context, timeout)
        return response

    @asynccontextmanager
    async def speaking(
        self, speaker: Speaker, places: AbstractAsyncContextManager[None] | None = None
    ) -> AsyncIterator[None]:
        """Requests inside are the speaker's; network trouble comes out as ``Unreachable``. ``places``: where they
        wait for their turn, if not among all others.
        """
        async with places or self._turns.taken():
            before = _speaker.set(speaker)
            try:
                yield
            except (ClientError, TimeoutError, OSError) as error:
                raise Unreachable from error
            finally:
                _speaker.reset(before)

    async def request(
        self, method: str, path: str, content: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """One request that nio has no method for; the JSON object that answers it."""
        headers = {"Authorization": f"Bearer {self.access_token}", "Content-Type": "application/json"}
        data = None if content is None else json.dumps(content)
        return await answered(await self.send(method, path, data, headers))


async def answered(response: ClientResponse) -> dict[str, Any]:
    """The JSON object that answers a request; raises what it means where it is a failure."""
    try:
        answer = await response.json(content_type=None)
    except ValueError:
        answer = None
    known: dict[str, Any] = answer if isinstance(answer, dict) else {}
    if response.status >= 300:
        raise refusal(response.status, known.get("errcode"), known.get("retry_after_ms"))
    if not isinstance(answer, dict):
        raise Unreachable
    return known


def told(response: Response) -> Any:  # nio has a type per answer and none in common
    """An answer of nio; raises what it means where it is a failure."""
    transport = response.transport_response
    status = transport.status if transport is not None else 0
    if isinstance(response, ErrorResponse):
        raise refusal(status, response.status_code, response.retry_after_ms)
    if status >= 300:
        # Where nio expects nothing it takes anything, such as a proxy's page that says 502.
        raise refusal(status, None, None)
    return response


def refusal(status: int, code: object, retry_after_ms: object) -> HavenError:
    """What a failed answer means. A refused token may be mended by an operator: it waits, nothing is lost."""
    if status == 429:
        told_to = isinstance(retry_after_ms, int) and not isinstance(retry_after_ms, bool)
        return RateLimited(retry_after_ms / 1000 if told_to else TELLS_NO_TIME)  # type: ignore[operator]  # an int
    if status == 401:
        return Unreachable("token_refused")
    if status == 403:
        return Refused("homeserver_refused")
    if status == 404:
        return Missing("homeserver_missing")
    if 400 <= status < 500:
        return Invalid("homeserver_invalid", code=code if isinstance(code, str) else "")
    return Unreachable("server_error" if status == 500 else "unreachable")
