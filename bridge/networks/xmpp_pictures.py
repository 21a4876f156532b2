"""The pictures of people in rooms of XMPP, out of their cards (XEP-0054, XEP-0153), asked for through the room."""

import base64
import binascii
import hashlib

from haven.errors import Missing

from . import xmpp_errors
from .people import Picture
from .xmpp_connection import XmppConnection
from .xmpp_room import Room
from .xmpp_xml import VCARD, make

LARGEST = 512 * 1024
"""Bytes of a picture, in letters; servers pass on stanzas of that length at most."""


async def picture_of(connection: XmppConnection, room: Room, nick: str, expected: str) -> Picture | None:
    """The picture of who has ``nick`` in ``room``; ``None`` where they have none, or it is not the one of the SHA-1 ``expected``."""
    card = await connection.demand(f"{room.chat}/{nick}", make(f"{VCARD}vCard"), error=xmpp_errors.looking)
    photo = card.find(f"{VCARD}vCard/{VCARD}PHOTO")
    if photo is None:
        raise Missing("media_missing")
    letters = "".join(photo.findtext(f"{VCARD}BINVAL", "").split())
    if not 0 < len(letters) <= LARGEST:
        return None
    try:
        content = base64.b64decode(letters, validate=True)
    except binascii.Error:
        return None
    if hashlib.sha1(content, usedforsecurity=False).hexdigest() != expected:
        return None
    return Picture(content, photo.findtext(f"{VCARD}TYPE", "").strip().lower())
