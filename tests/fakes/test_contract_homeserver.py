"""The fake homeserver keeps the contract that the adapters keep on a real one."""

import pytest

from haven.ports import Homeserver
from tests.contracts.homeserver import WholeHomeserverContract, World
from tests.fakes.homeserver import FakeHomeserver


class FakeWorld:
    """People on a fake homeserver, each with a name of their own."""

    def __init__(self) -> None:
        self._server = FakeHomeserver()
        self._people = 0

    async def person(self, name: str) -> Homeserver:
        """See `World.person`."""
        self._people += 1
        return self._server.person(f"{name}{self._people}")


class TestFakeHomeserver(WholeHomeserverContract):
    """The contract on the fake."""

    @pytest.fixture
    def world(self) -> World:
        return FakeWorld()
