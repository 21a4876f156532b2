"""Invites and their codes: what opens the door to a community, and how it is told from other text.

A code is 130 bits of chance, written in 26 small letters and digits. Only its digest is kept: whoever reads the database
cannot come in by it, and looking one up tells nothing about others by the time it takes.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from haven.ids import RoomId, UserId

LETTERS = "abcdefghjkmnpqrstvwxyz0123456789"
LENGTH = 26

_CODE = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{{LENGTH}}}(?![0-9A-Za-z])")


class State(StrEnum):
    """Whether an invite still opens anything."""

    VALID = "valid"
    REVOKED = "revoked"
    EXPIRED = "expired"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class Invite:
    """One invite. ``id``: short, shown to people. ``limit``: how many people it lets in, 0 for any number; ``used``: how many came by it.

    ``made``, ``expires``, ``revoked``: ms since the epoch, the last two 0 for never.
    """

    id: str
    space: RoomId
    name: str
    by: UserId
    made: int
    limit: int = 0
    expires: int = 0
    approval: bool = False
    revoked: int = 0
    used: int = 0

    def state(self, now: int) -> State:
        """What it is worth now, in ms since the epoch, to somebody who has not used it yet."""
        if self.revoked:
            return State.REVOKED
        if self.expires and now >= self.expires:
            return State.EXPIRED
        if self.limit and self.used >= self.limit:
            return State.USED_UP
        return State.VALID


def new_code() -> str:
    """A code that nobody guesses."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def digest(code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(code.casefold().encode()).hexdigest()


def code_in(text: str) -> str:
    """The first word of a text that may be a code; "" where there is none."""
    match = _CODE.search(text)
    return match[0] if match else ""


def without_codes(text: str) -> str:
    """A text in which nobody can read a code."""
    return _CODE.sub("…", text)
