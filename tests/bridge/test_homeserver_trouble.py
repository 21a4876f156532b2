"""The bridge's adapter tells of trouble on the wire as the mind understands it."""

from collections.abc import AsyncIterator

import pytest

from bridge.homeserver import NioHomeserver
from haven.ids import UserId
from haven.ports import Homeserver
from tests.contracts.homeserver_trouble import TroubleContract, Wire


class TestNioTrouble(TroubleContract):
    """The contract."""

    @pytest.fixture
    async def homeserver(self, wire: Wire) -> AsyncIterator[Homeserver]:
        bot = NioHomeserver.connect(wire.url, "secret", UserId("@haven-bridge:haven.test"))
        yield bot
        await bot.close()
