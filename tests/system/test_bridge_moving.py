"""A linked room is upgraded by a real homeserver: the real bridge goes over to the new room, and asks for no second proof."""

import pytest

from embedded.matrix import path
from tests.system.bridge_world import BOT, CHANNEL, KEY, world

pytestmark = pytest.mark.system


async def test_the_chat_goes_on_in_the_new_room() -> None:
    async with world() as place:
        await place.link()
        old, alice = place.room, place.alice
        link = await alice.state(old, "chat.haven.link", KEY)
        assert link is not None
        answer = await alice.account.request("POST", path("rooms", old, "upgrade"), {"new_version": "12"})
        place.room = new = str(answer["replacement_room"])
        await alice.send_state(new, "chat.haven.link", link, KEY)
        await alice.invite(new, BOT)
        await place.status("linked")
        await place.oscar.say(CHANNEL, "still here?")
        assert await place.texts(1, lambda event: event.body == "still here?")
        await alice.say(new, "over here")
        await place.oscar.heard("<Alice> over here")
        assert await alice.state(old, "chat.haven.link", KEY) == {}
        after = await alice.all_state(new)
        assert [event.sender for event in after if event.type == "chat.haven.link"] == [BOT]
        place.room = old
        await place.status("unlinked")
        assert "still here?" not in [event.body for event in await place.history()]
