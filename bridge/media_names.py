"""Names of files, made safe to show and to store: no path, nothing invisible, no number or address of a person."""

import re
from urllib.parse import unquote, urlsplit

from .convert.names import safe_name, without_numbers

LONGEST = 80
"""Characters, the ending included."""
LONGEST_ADDRESS = 500
"""Characters of an address that is shown."""
_ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "application/pdf": "pdf",
    "text/plain": "txt",
}
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,10}$")


def file_name(name: str, media_type: str) -> str:
    """``name`` as it may be shown and stored; of a file without one, a plain word that fits its type.

    Clients of networks call files after the number or the address they came from: what looks like either becomes ``…``. Dates stay.
    """
    last = re.split(r"[/\\]", name)[-1]
    ending = _ENDING.search(last)
    stem = safe_name(without_numbers(last[: ending.start()] if ending else last), "")
    tail = ending[0] if ending else ""
    if not tail and media_type in _ENDINGS:
        tail = f".{_ENDINGS[media_type]}"
    return (stem.strip(". ")[: LONGEST - len(tail)] or "file") + tail


def tells_nobody(url: str) -> bool:
    """Whether an ``http(s)`` address may be shown: no number and no address of a person stands in it."""
    parts = urlsplit(url)
    name = unquote(parts.path).rpartition("/")[2]
    rest = unquote(f"{parts.netloc}{parts.path}{parts.query}{parts.fragment}")
    shown = parts.scheme in ("http", "https") and len(url) <= LONGEST_ADDRESS and url.isprintable()
    return shown and "@" not in rest and without_numbers(name) == name and not parts.query


def plain_name(name: str) -> str:
    """``name`` in the letters that need no escaping in an address; at most forty."""
    ending = _ENDING.search(name)
    tail = ending[0].lower() if ending else ""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name[: ending.start()] if ending else name).strip("-")
    return (stem[: 40 - len(tail)] or "file") + tail
