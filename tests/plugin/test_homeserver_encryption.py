"""The plugin's adapter lets the client encrypt what goes into an encrypted room, and nothing else.

The client's olm machine is played by a few lines here: what it needs (libolm and more) is an extra of maubot.
"""

import json
import sys
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any, cast

import pytest
from aiohttp import ClientSession
from mautrix.client import Client
from mautrix.client.state_store import MemoryStateStore
from mautrix.errors import MatrixConnectionError, MForbidden, MLimitExceeded
from mautrix.types import (
    EncryptedFile,
    EncryptedMegolmEventContent,
    EncryptionAlgorithm,
    EventType,
    JSONWebKey,
    RoomEncryptionStateEventContent,
    SessionID,
    UserID,
)
from mautrix.types import RoomID as MautrixRoomId

from haven.errors import HavenError, RateLimited, Refused, Unreachable
from plugin.homeserver import MautrixHomeserver
from plugin.homeserver_files import File
from tests.contracts.homeserver_trouble import ROOM, SECRET, Answer, TroubleContract, Wire, error

FILE = File("secret.json", "application/json", b'{"what": "nobody may read"}')


def attachments() -> ModuleType:
    """What `mautrix.crypto.attachments` does, without the crypto: it needs an extra of maubot as well."""

    def encrypt_attachment(data: bytes) -> tuple[bytes, EncryptedFile]:
        key = JSONWebKey(key="k", key_type="oct", key_ops=["encrypt", "decrypt"])
        keys = EncryptedFile(key=key, iv="iv", hashes={"sha256": "hash"}, version="v2")
        return bytes(byte ^ 0x55 for byte in data), keys

    module = ModuleType("mautrix.crypto.attachments")
    module.encrypt_attachment = encrypt_attachment  # type: ignore[attr-defined]  # a module made here
    return module


class Machine:
    """Encrypts by saying how long the content is; or fails as told."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None

    async def encrypt_megolm_event(
        self, _room: MautrixRoomId, event_type: EventType, content: object
    ) -> EncryptedMegolmEventContent:
        """What `mautrix.crypto.OlmMachine` does, without the crypto."""
        if self.trouble:
            raise self.trouble
        ciphertext = f"{event_type} of {len(str(content))} letters"
        return EncryptedMegolmEventContent(ciphertext=ciphertext, session_id=SessionID("session"))


class Stage:
    """A client that can encrypt, and what it knows of rooms."""

    def __init__(self, client: Client) -> None:
        self.machine, self.store = Machine(), MemoryStateStore()
        client.state_store = self.store
        client._crypto = cast(Any, self.machine)  # only what the client asks of it
        self.homeserver = MautrixHomeserver(client)

    async def encrypt_room(self) -> None:
        """The sync told that the room is encrypted."""
        content = RoomEncryptionStateEventContent(algorithm=EncryptionAlgorithm.MEGOLM_V1)
        await self.store.set_encryption_info(MautrixRoomId(ROOM), content)


class TestEncryption:
    """Around `MautrixHomeserver.send_message`."""

    wire = TroubleContract.wire

    @pytest.fixture
    async def stage(self, wire: Wire) -> AsyncIterator[Stage]:
        async with ClientSession() as session:
            yield Stage(
                Client(mxid=UserID("@bot:haven.test"), base_url=wire.url, token="t", client_session=session)
            )

    async def test_words_are_encrypted_in_an_encrypted_room(self, wire: Wire, stage: Stage) -> None:
        await stage.encrypt_room()
        wire.answers.append(Answer(200, '{"event_id": "$sent"}'))
        assert await stage.homeserver.send_message(ROOM, "m.room.message", SECRET, "t") == "$sent"
        ((path, body),) = wire.heard
        assert path.endswith("/send/m.room.encrypted/t")
        assert "m.room.message of" in body
        assert "nobody may read" not in body

    async def test_reactions_are_not(self, wire: Wire, stage: Stage) -> None:
        await stage.encrypt_room()
        wire.answers.append(Answer(200, '{"event_id": "$sent"}'))
        await stage.homeserver.send_message(ROOM, "m.reaction", {"key": "x"}, "t")
        assert [path.rpartition("/send/")[2] for path, _ in wire.heard] == ["m.reaction/t"]

    async def test_of_a_room_it_does_not_know_it_asks_once(self, wire: Wire, stage: Stage) -> None:
        sent = Answer(200, '{"event_id": "$sent"}')
        wire.answers.extend([Answer(404, error("M_NOT_FOUND")), sent, sent])
        for transaction in ("one", "two"):
            await stage.homeserver.send_message(ROOM, "m.room.message", SECRET, transaction)
        assert wire.asked == 3
        assert [path.rpartition("/")[2] for path, _ in wire.heard[1:]] == ["one", "two"]
        await stage.encrypt_room()
        wire.answers.append(sent)
        await stage.homeserver.send_message(ROOM, "m.room.message", SECRET, "three")
        assert "nobody may read" not in wire.heard[-1][1]

    async def test_of_a_room_that_turns_out_encrypted_nothing_leaks(self, wire: Wire, stage: Stage) -> None:
        algorithm = Answer(200, '{"algorithm": "m.megolm.v1.aes-sha2"}')
        wire.answers.extend([algorithm, Answer(200, '{"event_id": "$sent"}')])
        await stage.homeserver.send_message(ROOM, "m.room.message", SECRET, "t")
        assert not any("nobody may read" in body for _, body in wire.heard)

    async def test_not_knowing_is_no_reason_to_send_in_the_clear(self, wire: Wire, stage: Stage) -> None:
        wire.answers.append(Answer(500, error("M_UNKNOWN")))
        with pytest.raises(Unreachable):
            await stage.homeserver.send_message(ROOM, "m.room.message", SECRET, "t")
        assert wire.asked == 1

    async def test_a_file_is_encrypted_before_it_is_uploaded(
        self, wire: Wire, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "mautrix.crypto.attachments", attachments())
        await stage.encrypt_room()
        wire.answers.extend(
            [Answer(200, '{"content_uri": "mxc://haven.test/1"}'), Answer(200, '{"event_id": "$sent"}')]
        )
        assert await stage.homeserver.send_file(ROOM, FILE, "t") == "$sent"
        (upload, uploaded), (path, body) = wire.heard
        assert upload.endswith("/_matrix/media/v3/upload")
        assert path.endswith("/send/m.room.encrypted/t")
        for told in (uploaded, body):
            assert "nobody may read" not in told
            assert "secret.json" not in told

    async def test_a_file_is_not_sent_where_it_could_not_be_encrypted(
        self, wire: Wire, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "mautrix.crypto.attachments", None)
        await stage.encrypt_room()
        with pytest.raises(Refused):
            await stage.homeserver.send_file(ROOM, FILE, "t")
        assert wire.asked == 0

    async def test_a_client_that_cannot_encrypt_sends_no_file_into_an_encrypted_room(
        self, wire: Wire, stage: Stage
    ) -> None:
        await stage.encrypt_room()
        stage.homeserver._client._crypto = None
        with pytest.raises(Refused):
            await stage.homeserver.send_file(ROOM, FILE, "t")
        assert wire.asked == 0

    async def test_elsewhere_a_file_goes_as_it_is(self, wire: Wire, stage: Stage) -> None:
        uploaded, sent = '{"content_uri": "mxc://haven.test/1"}', Answer(200, '{"event_id": "$sent"}')
        wire.answers.extend([Answer(404, error("M_NOT_FOUND")), Answer(200, uploaded), sent])
        await stage.homeserver.send_file(ROOM, FILE, "t")
        (_, _), (_, data), (_, body) = wire.heard
        assert data == FILE.data.decode()
        assert json.loads(body) == {
            "msgtype": "m.file",
            "body": "secret.json",
            "filename": "secret.json",
            "info": {"mimetype": "application/json", "size": len(FILE.data)},
            "url": "mxc://haven.test/1",
            "m.mentions": {},
        }

    @pytest.mark.parametrize(
        ("trouble", "expected"),
        [
            (MLimitExceeded(429), RateLimited),
            (MForbidden(403), Refused),
            (MatrixConnectionError("reset"), Unreachable),
            (TimeoutError(), Unreachable),
        ],
    )
    async def test_trouble_with_keys_is_trouble_with_sending(
        self, wire: Wire, stage: Stage, trouble: Exception, expected: type[HavenError]
    ) -> None:
        await stage.encrypt_room()
        stage.machine.trouble = trouble
        with pytest.raises(expected):
            await stage.homeserver.send_message(ROOM, "m.room.message", SECRET, "t")
        assert wire.asked == 0
