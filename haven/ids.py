"""The identifiers that Haven speaks of, each a type of its own so that none is taken for another.

All are opaque strings. Room ids of version 12 have no server part (MSC4291): nothing here parses a server out of a
room id, and no code of ours may.
"""

import re
from typing import NewType

RoomId = NewType("RoomId", str)
"""A Matrix room id: ``!opaque`` (version 12) or ``!opaque:server`` (before)."""

UserId = NewType("UserId", str)
"""A Matrix user id: ``@localpart:server``."""

EventId = NewType("EventId", str)
"""A Matrix event id: ``$opaque``."""

RoomVersion = NewType("RoomVersion", str)
"""A room version as the specification writes it: ``"10"``, ``"11"``, ``"12"``."""

Network = NewType("Network", str)
"""The short name of a network: ``irc``, ``xmpp``, ``telegram``, ``whatsapp``, ``memory``."""

ChatId = NewType("ChatId", str)
"""A chat on a network, in the form its adapter calls safe to show (see CONTRACT: ``<chat>``)."""

RemoteUserId = NewType("RemoteUserId", str)
"""A person on a network. Never shown, never logged: may be a phone number."""

RemoteMessageId = NewType("RemoteMessageId", str)
"""A message on a network, unique within its chat."""


def server_of(user: UserId) -> str:
    """The server part of a user id (spec: appendices, user identifiers); "" where there is none."""
    return user.partition(":")[2]


GHOSTS = "_haven_"
"""How the localparts of ghosts begin: people of other networks, as the bridge shows them (CONTRACT, "The bridge")."""


def is_ghost(user: UserId) -> bool:
    """Whether a user is a person of another network. Nobody on Matrix vouches for who that is."""
    return user.startswith(f"@{GHOSTS}")


_USER = re.compile(r"@[\x21-\x39\x3b-\x7e]*:[A-Za-z0-9.:\[\]-]+")


def is_user_id(text: str) -> bool:
    """Whether a text is a user id that a homeserver accepts as a key of ``m.room.power_levels``.

    Source: appendices, user identifiers; historical ones with any printable ASCII but a colon are valid, up to 255 bytes.
    """
    return len(text) <= 255 and _USER.fullmatch(text) is not None


def network_of(ghost: UserId) -> Network:
    """The network of a ghost, whosever bridge's it is (CONTRACT, "The bridge")."""
    return Network(ghost[1:].partition(":")[0].removeprefix(GHOSTS).rpartition("_")[0])
