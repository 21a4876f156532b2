"""The bridge's adapter over nio keeps the contract of a homeserver, on a real Synapse, as an appservice's ghosts."""

import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.homeserver import NioHomeserver
from embedded.synapse import Synapse
from haven.ids import UserId
from haven.ports import Homeserver
from tests.contracts.homeserver import WholeHomeserverContract, World

pytestmark = pytest.mark.system

TOKEN = "token-of-the-contract"
BOT = "haven-bridge"


class NioWorld:
    """Ghosts on Synapse. All of them share one client, as in the bridge."""

    def __init__(self, bot: NioHomeserver, server_name: str) -> None:
        self._bot = bot
        self._server_name = server_name
        self._numbers = itertools.count(1)

    async def person(self, name: str) -> Homeserver:
        """See `World.person`."""
        ghost = self._bot.as_user(UserId(f"@{name}-ghost-{next(self._numbers)}:{self._server_name}"))
        await ghost.register()
        return ghost


@pytest.fixture(scope="module")
async def ghosts(server_data: Path) -> AsyncIterator[World]:
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
        yield NioWorld(bot, synapse.server_name)
        await bot.close()


class TestNioHomeserver(WholeHomeserverContract):
    """The contract on the nio adapter."""

    @pytest.fixture
    def world(self, ghosts: World) -> World:
        return ghosts
