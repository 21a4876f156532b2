"""What a homeserver says went wrong, as our errors (mapping: docstring of `haven.ports`)."""

from typing import Final

from mautrix.errors import MatrixRequestError, MLimitExceeded

from haven.errors import HavenError, Invalid, Missing, RateLimited, Refused, Unreachable
from haven.ports import Content

DEFAULT_WAIT: Final = 5.0
"""Seconds to wait after a 429 that does not say how long."""


def failure(status: int, body: Content, retry_after: str) -> HavenError:
    """Our error for an answer that is none (mapping: docstring of `haven.ports`).

    A refused token (401) may be mended by the operator: work waits for that, nothing is lost.
    """
    code = str(body.get("errcode", status))
    if status == 429:
        told = body.get("retry_after_ms")
        return RateLimited(told / 1000 if isinstance(told, int | float) else _seconds(retry_after))
    if status == 401:
        return Unreachable("token_refused")
    if status == 403:
        return Refused("homeserver_refused", code=code)
    if status == 404:
        return Missing("homeserver_missing", code=code)
    if 400 <= status < 500 and status != 408:
        return Invalid("homeserver_invalid", code=code)
    return Unreachable(after=float(retry_after) if retry_after.isdecimal() else None)


def encryption_failure(error: Exception) -> HavenError:
    """Our error for what went wrong while the client shared keys, by its own requests."""
    if isinstance(error, MLimitExceeded):
        return RateLimited(DEFAULT_WAIT)
    if isinstance(error, MatrixRequestError):
        return failure(error.http_status, {"errcode": error.errcode or error.http_status}, "")
    return Unreachable("encryption_failed")


def _seconds(header: str) -> float:
    return float(header) if header.isdecimal() else DEFAULT_WAIT
