"""Message tags of IRCv3 as we write and read them: what a line answers, which reaction it is, whose it is.

Sources: https://ircv3.net/specs/extensions/message-tags, /client-tags/reply, /client-tags/react (with ``unreact``). Tags are written under the
names of the drafts, which servers and clients know; read under the final names, too.
"""

import hashlib
from collections.abc import Mapping

from haven.ids import RemoteMessageId

REPLY = "+draft/reply"
REACT = "+draft/react"
UNREACT = "+draft/unreact"
OURS = "+haven.chat/part"
"""On each line of ours, where the server hands tags on: a hash that lets us know it again in the server's history."""
MOST = 4094
"""Bytes that all tags of a client may take, without the ``@`` and the blank."""

_ESCAPES = str.maketrans({";": r"\:", " ": r"\s", "\\": r"\\", "\r": r"\r", "\n": r"\n", "\0": ""})


def tagged(line: str, tags: Mapping[str, str]) -> str:
    """``line`` with ``tags`` before it."""
    written = ";".join(
        f"{name}={value.translate(_ESCAPES)}" if value else name for name, value in tags.items()
    )
    return f"@{written} {line}" if written and len(written.encode()) <= MOST else line


def answered(tags: Mapping[str, str]) -> RemoteMessageId | None:
    """The id of the message that a line with ``tags`` answers or reacts to."""
    found = tags.get(REPLY) or tags.get("+reply")
    return RemoteMessageId(found) if found else None


def reaction(tags: Mapping[str, str]) -> tuple[str, bool] | None:
    """The reaction that a line with ``tags`` is, and whether it is taken away; ``None`` where it is none."""
    put = tags.get(REACT) or tags.get("+react")
    taken = tags.get(UNREACT) or tags.get("+unreact")
    if put:
        return put, False
    return (taken, True) if taken else None


def part_mark(key: str, part: int) -> str:
    """What stands in ``OURS`` for a part of an outgoing message: tells those who do not know the key nothing."""
    return hashlib.sha256(f"{key}\0{part}".encode()).hexdigest()[:24]
