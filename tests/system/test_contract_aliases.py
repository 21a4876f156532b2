"""The plugin's adapter keeps aliases as the contract says, on a real Synapse."""

import pytest

from tests.conftest import Newcomer
from tests.contracts.homeserver_aliases import AliasContract, NamedWorld
from tests.system.mautrix_people import MautrixPeople

pytestmark = pytest.mark.system


class TestMautrixAliases(AliasContract):
    """The contract on the mautrix adapter."""

    @pytest.fixture
    def named(self, newcomer: Newcomer) -> NamedWorld:
        return MautrixPeople(newcomer)
