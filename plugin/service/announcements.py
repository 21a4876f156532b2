"""Posting into the announcements of a community."""

from haven.errors import Invalid, Missing
from haven.model import Community, Group, Kind

from ..homeserver_messages import Words
from ..wording import escaped

LIMIT = 10_000
"""Characters of one announcement: with its rich form it stays below the 65,536 bytes of an event."""

NAME_SHOWN = 100


def place(community: Community) -> Group:
    """The announcements of a community. Raises `Missing` where it has none."""
    group = community.only(Kind.ANNOUNCEMENTS)
    if group is None:
        raise Missing("announcements_missing")
    return group


def announcement(author: str, text: str) -> Words:
    """An announcement as it is posted: who says it, then what they say, word for word.

    Raises `Invalid` where it is empty or too long.
    """
    body = text.strip()
    if not body:
        raise Invalid("announcement_empty")
    if len(body) > LIMIT:
        raise Invalid("announcement_too_long", length=len(body), limit=LIMIT)
    name = "".join(character for character in author if character.isprintable())[:NAME_SHOWN]
    rich = f"<p><strong>{escaped(name)}</strong></p><p>{escaped(body)}</p>"
    return Words(f"{name}\n\n{body}", rich, notice=False)
