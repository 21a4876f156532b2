"""The bridge's adapter over nio keeps the contract of a homeserver, on a real Synapse, as an appservice's ghosts."""

import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.homeserver import NioHomeserver
from embedded.synapse import Synapse
from haven.ids import RoomVersion, UserId
from haven.ports import Homeserver, NewRoom
from tests.contracts.homeserver import WholeHomeserverContract, World

pytestmark = pytest.mark.system

TOKEN = "token-of-the-contract"
BOT = "haven-bridge"


class NioWorld:
    """Ghosts on Synapse. All of them share one client, as in the bridge."""

    def __init__(self, bot: NioHomeserver, synapse: Synapse) -> None:
        self.bot = bot
        self.synapse = synapse
        self._numbers = itertools.count(1)

    async def person(self, name: str) -> Homeserver:
        """See `World.person`."""
        ghost = self.bot.as_user(UserId(f"@{name}-ghost-{next(self._numbers)}:{self.synapse.server_name}"))
        await ghost.register()
        return ghost


@pytest.fixture(scope="module")
async def ghosts(server_data: Path) -> AsyncIterator[NioWorld]:
    """A Synapse that lets one appservice speak for all ghosts, and pushes nothing to it."""
    namespace = {"exclusive": True, "regex": "@.*-ghost-.*"}
    registration = {
        "id": "contract",
        "url": None,
        "as_token": TOKEN,
        "hs_token": "unused",
        "sender_localpart": BOT,
        "rate_limited": False,
        "namespaces": {"users": [namespace], "aliases": [], "rooms": []},
    }
    file = server_data / "contract-registration.yaml"
    file.write_text(json.dumps(registration))
    async with Synapse(server_data / "synapse-of-ghosts", appservices=[file]) as synapse:
        bot = NioHomeserver.connect(synapse.url, TOKEN, UserId(f"@{BOT}:{synapse.server_name}"))
        yield NioWorld(bot, synapse)
        await bot.close()


class TestNioHomeserver(WholeHomeserverContract):
    """The contract on the nio adapter."""

    @pytest.fixture
    def world(self, ghosts: NioWorld) -> World:
        return ghosts


async def test_what_is_in_doubt_is_one_event_also_after_a_restart(ghosts: NioWorld) -> None:
    """An answer was lost and the homeserver restarted: whoever sends the same again, ghost or bot, has not sent it twice."""
    await ghosts.bot.register()
    content = {"msgtype": "m.text", "body": "in doubt"}
    rooms = {}
    for who in (ghosts.bot, await ghosts.person("ann")):
        room = await who.create_room(NewRoom("Doubt", RoomVersion("12")))
        said = await who.send_message(room, "m.room.message", content, "said")
        rooms[who] = room, said, await who.redact(room, said, "", "gone")
    await ghosts.synapse.kill()
    await ghosts.synapse.start()
    for who, (room, said, gone) in rooms.items():
        assert await who.send_message(room, "m.room.message", content, "said") == said
        assert await who.redact(room, said, "", "gone") == gone
        assert await who.send_message(room, "m.room.message", content, "another") != said


async def test_two_ghosts_in_one_room_may_send_under_one_id(ghosts: NioWorld) -> None:
    """R4: Synapse tells an appservice's transactions apart by nothing but their ids."""
    ann, ben = await ghosts.person("ann"), await ghosts.person("ben")
    room = await ann.create_room(NewRoom("Two", RoomVersion("12"), invite=(ben.user,)))
    await ben.join(room)
    sent = {
        await who.send_message(room, "m.room.message", {"msgtype": "m.text", "body": "same"}, "same")
        for who in (ann, ben)
    }
    assert len(sent) == 2
