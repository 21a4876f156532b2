"""The plugin's adapter keeps aliases as the contract says, on a real Synapse."""

import pytest
from mautrix.client import Client
from mautrix.types import UserID

from plugin.homeserver import MautrixHomeserver
from tests.conftest import Newcomer
from tests.contracts.homeserver_aliases import AliasContract, Named, NamedWorld

pytestmark = pytest.mark.system


class MautrixWorld:
    """People on Synapse, each behind a client as maubot makes them."""

    def __init__(self, newcomer: Newcomer) -> None:
        self._newcomer = newcomer

    async def person(self, name: str) -> Named:
        """See `NamedWorld.person`."""
        account = (await self._newcomer(name)).account
        client = Client(
            mxid=UserID(account.user_id),
            base_url=account.url,
            token=account.token,
            client_session=account.session,
        )
        return MautrixHomeserver(client)


class TestMautrixAliases(AliasContract):
    """The contract on the mautrix adapter."""

    @pytest.fixture
    def named(self, newcomer: Newcomer) -> NamedWorld:
        return MautrixWorld(newcomer)
