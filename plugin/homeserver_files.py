"""Files that the bot hands over in rooms: what is uploaded, and the message that shows it (spec: ``m.file``)."""

from dataclasses import dataclass
from typing import Any, Protocol

from haven.errors import Refused
from haven.ids import EventId, RoomId
from haven.ports import Content

SEALED = "application/octet-stream"
"""The kind of what nobody may know the kind of."""


@dataclass(frozen=True, slots=True)
class File:
    """A file. ``kind``: its MIME type; ``name``: what it is called where it is saved."""

    name: str
    kind: str
    data: bytes


class SendsFiles(Protocol):
    """``POST /_matrix/media/v3/upload``, then ``PUT /rooms/{room}/send``."""

    async def send_file(self, room: RoomId, file: File, transaction: str) -> EventId:
        """Upload a file and show it in a room, encrypted where the room is. The same transaction again is the same message.

        Raises `Refused` where the room is encrypted and we cannot.
        """


def sealed(file: File) -> tuple[File, dict[str, Any]]:
    """A file as it is uploaded for an encrypted room, and what is needed to read it (spec: ``EncryptedFile``).

    Raises `Refused` where the library for that is not there; it comes with what makes a client encrypt.
    """
    try:
        from mautrix.crypto.attachments import encrypt_attachment  # noqa: PLC0415 - an extra of maubot
    except ImportError as error:
        raise Refused("file_unencrypted") from error
    data, keys = encrypt_attachment(file.data)
    return File("", SEALED, data), dict(keys.serialize())


def shown(file: File, url: str, keys: Content | None) -> Content:
    """The message that shows what was uploaded. ``keys``: of `sealed`."""
    where: Content = {"url": url} if keys is None else {"file": {**keys, "url": url}}
    info = {"mimetype": file.kind, "size": len(file.data)}
    about = {"msgtype": "m.file", "body": file.name, "filename": file.name, "info": info}
    return {**about, **where, "m.mentions": {}}
