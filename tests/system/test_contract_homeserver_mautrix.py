"""The plugin's adapter over mautrix keeps the contract of a homeserver, on a real Synapse."""

from pathlib import Path

import pytest
from mautrix.client import Client
from mautrix.types import UserID

from embedded.person import Person
from embedded.synapse import Synapse
from haven.errors import RateLimited
from haven.ids import RoomVersion
from haven.ports import Homeserver
from plugin.homeserver import MautrixHomeserver
from tests.conftest import Newcomer
from tests.contracts.homeserver import WholeHomeserverContract, World
from tests.contracts.homeserver_world import TEXT, make

pytestmark = pytest.mark.system


class MautrixWorld:
    """People on Synapse, each behind a client as maubot makes them."""

    def __init__(self, newcomer: Newcomer) -> None:
        self._newcomer = newcomer

    async def person(self, name: str) -> Homeserver:
        """See `World.person`."""
        return _adapter(await self._newcomer(name))


def _adapter(person: Person) -> Homeserver:
    account = person.account
    client = Client(
        mxid=UserID(account.user_id),
        base_url=account.url,
        token=account.token,
        client_session=account.session,
    )
    return MautrixHomeserver(client)


class TestMautrixHomeserver(WholeHomeserverContract):
    """The contract on the mautrix adapter."""

    @pytest.fixture
    def world(self, newcomer: Newcomer) -> World:
        return MautrixWorld(newcomer)


async def test_default_limits_say_how_long_to_wait(own_data: Path) -> None:
    async with Synapse(own_data / "synapse", limits="default") as synapse:
        ana = _adapter(await synapse.register("ana"))
        room = await make(ana, RoomVersion("12"))

        async def talk() -> None:
            for number in range(20):
                await ana.send_message(room, "m.room.message", TEXT, f"t{number}")

        with pytest.raises(RateLimited) as told:
            await talk()
        assert told.value.after is not None
        assert 0 < told.value.after <= 5
        await ana.room_state(room)
