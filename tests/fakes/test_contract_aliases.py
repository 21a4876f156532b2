"""The fake homeserver keeps aliases as a real one does."""

import pytest

from tests.contracts.homeserver_aliases import AliasContract, Named, NamedWorld
from tests.fakes.homeserver import FakeHomeserver


class FakeWorld:
    """People on a fake homeserver."""

    def __init__(self) -> None:
        self._server = FakeHomeserver()

    async def person(self, name: str) -> Named:
        """See `NamedWorld.person`."""
        return self._server.person(name)


class TestFakeAliases(AliasContract):
    """The contract on the fake."""

    @pytest.fixture
    def named(self) -> NamedWorld:
        return FakeWorld()
