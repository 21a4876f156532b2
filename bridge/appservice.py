"""What the homeserver pushes to us: authenticated, stored, then answered (spec: application service API
v1.19).

Transactions are answered with 200 only after the commit, so that the homeserver sends again what was not
stored. Events are recognised by their own ids: a transaction that comes again, or an event that comes again
in another one, is taken once.
"""

import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from haven.errors import TryLater

from .bugs import log_bug
from .gaps import Gaps

log = logging.getLogger(__name__)

LARGEST = 32 * 1024 * 1024
"""Bytes of a transaction; more is answered with 413."""

Accept = Callable[[Sequence[Mapping[str, object]]], Awaitable[None]]
"""Takes the events of a transaction; returns when they are committed, raises ``TryLater`` when they cannot
be."""


def application(
    token: str, accept: Accept, knows: Callable[[str], bool], routes: Sequence[web.RouteDef]
) -> web.Application:
    """The web application. ``token`` is the homeserver's; ``knows`` says whether a user is one of ours;
    ``routes`` need no token.
    """
    app = web.Application(client_max_size=LARGEST, middlewares=[_answer_errors])
    push = _Push(token, accept, knows)
    app.add_routes(
        [
            web.put("/_matrix/app/v1/transactions/{transaction}", push.transaction),
            web.post("/_matrix/app/v1/ping", push.ping),
            web.get("/_matrix/app/v1/users/{user}", push.user),
            web.get("/_matrix/app/v1/rooms/{alias}", push.alias),
            *routes,
        ]
    )
    return app


class _Push:
    """The handlers of the appservice API."""

    def __init__(self, token: str, accept: Accept, knows: Callable[[str], bool]) -> None:
        self._expected = f"Bearer {token}".encode()
        self._accept = accept
        self._knows = knows
        self._gaps = Gaps()

    async def transaction(self, request: web.Request) -> web.Response:
        """``PUT /transactions/{txnId}``."""
        self._authenticate(request)
        name = request.match_info["transaction"]
        if self._gaps.skipped(name):
            log.info("A transaction was skipped; the homeserver is asked to send it")
            raise _failure(web.HTTPServiceUnavailable, "M_UNKNOWN")
        try:
            await self._accept(_events(await request.read()))
        except TryLater:
            self._gaps.trouble()
            raise
        self._gaps.came(name)
        return web.json_response({})

    async def ping(self, request: web.Request) -> web.Response:
        """``POST /ping``."""
        self._authenticate(request)
        return web.json_response({})

    async def user(self, request: web.Request) -> web.Response:
        """``GET /users/{userId}``: ghosts are made when they first speak, never by asking."""
        self._authenticate(request)
        if not self._knows(request.match_info["user"]):
            raise _failure(web.HTTPNotFound, "M_NOT_FOUND")
        return web.json_response({})

    async def alias(self, request: web.Request) -> web.Response:
        """``GET /rooms/{roomAlias}``: the bridge makes no rooms."""
        self._authenticate(request)
        raise _failure(web.HTTPNotFound, "M_NOT_FOUND")

    def _authenticate(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not given:
            raise _failure(web.HTTPUnauthorized, "M_UNAUTHORIZED")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._expected):
            raise _failure(web.HTTPForbidden, "M_FORBIDDEN")


def _events(body: bytes) -> list[Mapping[str, object]]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise _failure(web.HTTPBadRequest, "M_NOT_JSON") from None
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list):
        raise _failure(web.HTTPBadRequest, "M_BAD_JSON")
    # What is no event is left out: refusing the rest with it would have it sent for ever.
    return [event for event in events if isinstance(event, dict)]


def _failure(kind: type[web.HTTPError], code: str) -> web.HTTPError:
    return kind(text=json.dumps({"errcode": code, "error": ""}), content_type="application/json")


@web.middleware
async def _answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Trouble of our own is 503 or 500: the homeserver keeps the transaction and sends it again."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except TryLater as error:
        log.warning("A request could not be served: %s", error)
        return web.json_response({"errcode": "M_UNKNOWN", "error": ""}, status=503)
    except Exception as error:  # the homeserver needs an answer, whatever it was
        log_bug(log, "serving a request", error)
        return web.json_response({"errcode": "M_UNKNOWN", "error": ""}, status=500)
