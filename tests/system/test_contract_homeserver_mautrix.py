"""The plugin's adapter over mautrix keeps the contract of a homeserver, on a real Synapse."""

from pathlib import Path

import pytest

from embedded.synapse import Synapse
from haven.errors import RateLimited
from haven.ids import RoomVersion
from tests.conftest import Newcomer
from tests.contracts.homeserver import WholeHomeserverContract, World
from tests.contracts.homeserver_world import TEXT, make
from tests.system.mautrix_people import MautrixPeople, adapter

pytestmark = pytest.mark.system


class TestMautrixHomeserver(WholeHomeserverContract):
    """The contract on the mautrix adapter."""

    @pytest.fixture
    def world(self, newcomer: Newcomer) -> World:
        return MautrixPeople(newcomer)


async def test_default_limits_say_how_long_to_wait(own_data: Path) -> None:
    async with Synapse(own_data / "synapse", limits="default") as synapse:
        ana = adapter(await synapse.register("ana"))
        room = await make(ana, RoomVersion("12"))

        async def talk() -> None:
            for number in range(20):
                await ana.send_message(room, "m.room.message", TEXT, f"t{number}")

        with pytest.raises(RateLimited) as told:
            await talk()
        assert told.value.after is not None
        assert 0 < told.value.after <= 5
        await ana.room_state(room)
