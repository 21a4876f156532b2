"""The plugin's adapter over mautrix keeps the contract of a homeserver, on a real Synapse."""

import pytest
from mautrix.client import Client
from mautrix.types import UserID

from haven.ports import Homeserver
from plugin.homeserver import MautrixHomeserver
from tests.conftest import Newcomer
from tests.contracts.homeserver import WholeHomeserverContract, World

pytestmark = pytest.mark.system


class MautrixWorld:
    """People on Synapse, each behind a client as maubot makes them."""

    def __init__(self, newcomer: Newcomer) -> None:
        self._newcomer = newcomer

    async def person(self, name: str) -> Homeserver:
        """See `World.person`."""
        account = (await self._newcomer(name)).account
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
