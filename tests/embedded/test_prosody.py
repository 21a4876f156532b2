"""Prosody does what the bridge relies on, and people on it see it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.jabber import Jabber, XmppRefused, body_of, sender, stanza_id
from embedded.prosody import ROOMS, Prosody, prosody_program

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(prosody_program() is None, reason="prosody is not installed"),
]
ROOM = f"padres@{ROOMS}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Prosody]:
    async with Prosody(tmp_path) as running:
        yield running


async def test_what_is_said_has_an_id_of_the_room(server: Prosody) -> None:
    async with await server.connect("ana") as ana, await server.connect("luis") as luis:
        await ana.join(ROOM, "Ana")
        await luis.join(ROOM, "Luis")
        said = await ana.say(ROOM, "¿Qué tal? <&>", id="chosen")
        heard = await luis.heard(ROOM, "¿Qué tal? <&>")
        assert (sender(heard), heard.get("id")) == ((ROOM, "Ana"), "chosen")
        assert stanza_id(heard) == stanza_id(said) != ""
        occupant = heard.find("{urn:xmpp:occupant-id:0}occupant-id")
        assert occupant is not None


async def test_a_nick_that_is_taken_is_refused(server: Prosody) -> None:
    async with await server.connect("ana") as ana, await server.connect("luis") as luis:
        await ana.join(ROOM, "Ana")
        with pytest.raises(XmppRefused, match="conflict"):
            await luis.join(ROOM, "Ana")


async def test_a_wrong_password_is_refused(server: Prosody) -> None:
    address = server.account("ana")
    with pytest.raises(XmppRefused, match="not-authorized"):
        await Jabber.connect(server.host, server.port, address, "wrong")


async def test_rooms_and_accounts_outlive_a_crash(server: Prosody) -> None:
    async with await server.connect("ana") as ana:
        await ana.join(ROOM, "Ana")
        await ana.affiliate(ROOM, "luis@haven.test", "admin")
        await server.kill()
        await ana.wait_for_end()
    await server.start()
    async with await server.connect("luis") as luis:
        await luis.join(ROOM, "Luis")
        await luis.subject(ROOM, "Tomorrow")
        await luis.wait_for(lambda stanza: stanza.findtext("{jabber:client}subject") == "Tomorrow")
        assert body_of(luis.received[-1]) == ""
