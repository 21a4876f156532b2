"""XMPP keeps the contract of networks on Prosody, as a component and as an ordinary account."""

from collections.abc import AsyncIterator

import pytest

from embedded.prosody import Prosody
from tests.contracts.network import NetworkContract
from tests.system.xmpp_world import XmppWorld, xmpp_world

pytestmark = pytest.mark.system


class TestAsComponent(NetworkContract):
    @pytest.fixture
    async def world(self, prosody: Prosody) -> AsyncIterator[XmppWorld]:
        async with xmpp_world(prosody, component=True) as world:
            yield world


class TestAsAccount(NetworkContract):
    @pytest.fixture
    async def world(self, prosody: Prosody) -> AsyncIterator[XmppWorld]:
        async with xmpp_world(prosody, component=False) as world:
            yield world
