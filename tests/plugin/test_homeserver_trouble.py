"""The plugin's adapter tells of trouble on the wire as the mind understands it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from mautrix.client import Client
from mautrix.types import UserID

from haven.errors import Invalid, RateLimited, Unreachable
from haven.ports import Homeserver
from plugin.homeserver import MautrixHomeserver
from tests.contracts.homeserver_trouble import ROOM, Answer, TroubleContract, Wire, error


class TestMautrixTrouble(TroubleContract):
    """The contract, and what only this adapter promises."""

    @pytest.fixture
    async def homeserver(self, wire: Wire) -> AsyncIterator[Homeserver]:
        async with ClientSession() as session:
            client = Client(
                mxid=UserID("@bot:haven.test"), base_url=wire.url, token="secret", client_session=session
            )
            yield MautrixHomeserver(client)

    async def test_the_header_tells_how_long_where_the_body_does_not(
        self, wire: Wire, homeserver: Homeserver
    ) -> None:
        wire.answers.append(Answer(429, error("M_LIMIT_EXCEEDED"), {"Retry-After": "7"}))
        with pytest.raises(RateLimited) as told:
            await homeserver.join(ROOM)
        assert told.value.after == 7
        wire.answers.append(Answer(503, "", {"Retry-After": "9"}))
        with pytest.raises(Unreachable) as down:
            await homeserver.join(ROOM)
        assert down.value.after == 9

    async def test_the_errcode_is_told(self, wire: Wire, homeserver: Homeserver) -> None:
        wire.answers.append(Answer(400, error("M_DUPLICATE_ANNOTATION")))
        with pytest.raises(Invalid) as told:
            await homeserver.send_message(ROOM, "m.reaction", {}, "t")
        assert told.value.values["code"] == "M_DUPLICATE_ANNOTATION"
