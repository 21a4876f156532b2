"""A linked room is upgraded: the bridge takes the proof along, the chat goes on in the new room, and the old one is let go."""

import pytest

from haven.ids import RoomId, RoomVersion
from haven.ports import NewRoom, StateEvent
from tests.bridge.lives import BOT, BRIDGE_KEY, CHAT, LINK_KEY, Lives


async def made(lives: Lives, predecessor: RoomId) -> RoomId:
    """The new room, with the link that the plugin carries along."""
    link = await lives.alice.state_content(lives.room, "chat.haven.link", LINK_KEY)
    state = (StateEvent("chat.haven.link", LINK_KEY, lives.alice.user, link),)
    creation = {"predecessor": {"room_id": predecessor}}
    new = NewRoom("Fathers", RoomVersion("12"), "", creation, state, {"users": {BOT: 90}})
    return await lives.alice.create_room(new)


async def upgraded(lives: Lives) -> tuple[RoomId, RoomId]:
    """The room of the link goes on in another: the old one and the new one."""
    old, new = lives.room, await made(lives, lives.room)
    await lives.alice.send_state(old, "m.room.tombstone", "", {"body": "moved", "replacement_room": new})
    await lives.alice.invite(new, BOT)
    lives.room = new
    return old, new


async def moved(lives: Lives, old: RoomId) -> None:
    """The link holds in the new room alone, and both sides hear each other there."""
    await lives.until(lambda: lives.status().get("state") == "linked")
    await lives.until(lambda: lives.homeserver.rooms[old].content("chat.haven.link", LINK_KEY) == {})
    link = lives.homeserver.rooms[lives.room].find("chat.haven.link", LINK_KEY)
    assert link is not None
    assert (link.sender, link.content["proven"], link.content["kept"]) == (BOT, True, "yes")
    before = lives.homeserver.rooms[old]

    def unlinked() -> bool:
        status = before.content("m.bridge", BRIDGE_KEY).get("chat.haven.status", {})
        return isinstance(status, dict) and status.get("state") == "unlinked"

    await lives.until(unlinked)
    await lives.town.speak(CHAT, lives.oscar, "still here?")
    await lives.until(lambda: lives.said() == ["still here?"])
    await lives.say("over here")
    await lives.until(lambda: "<Alice> over here" in lives.heard())
    assert "still here?" not in [event.content.get("body") for event in before.timeline]


async def test_the_chat_goes_on_in_the_new_room_without_a_new_proof(lives: Lives) -> None:
    await lives.link()
    old, _ = await upgraded(lives)
    await moved(lives, old)
    states = [event for event in lives.homeserver.rooms[lives.room].timeline if event.type == "m.bridge"]
    assert "proof" not in str([event.content for event in states])


async def test_an_upgrade_while_the_bridge_was_away_is_made_good(lives: Lives) -> None:
    await lives.link()
    await lives.die()
    old, _ = await upgraded(lives)
    await lives.live()
    await moved(lives, old)
    assert lives.said() == ["still here?"]


@pytest.mark.parametrize("after_effect", [False, True])
async def test_killed_anywhere_it_ends_with_one_link(lives: Lives, *, after_effect: bool) -> None:
    await lives.link()
    old, _ = await upgraded(lives)
    for at in range(2, 14, 3):
        await lives.live()
        lives.fate.at, lives.fate.after_effect = at, after_effect
        await lives.until(lambda: lives.dead or lives.status().get("state") == "linked")
    await lives.live()
    await moved(lives, old)
    proven = [r for r, room in lives.homeserver.rooms.items() if room.content("chat.haven.link", LINK_KEY)]
    assert proven == [lives.room]


async def test_a_room_that_only_says_it_comes_after_another_gets_nothing(lives: Lives) -> None:
    await lives.link()
    old, lives.room = lives.room, await made(lives, lives.room)
    await lives.alice.invite(lives.room, BOT)
    await lives.until(lambda: lives.status().get("state") == "proof")
    link = lives.homeserver.rooms[old].content("chat.haven.link", LINK_KEY)
    assert link["proven"] is True
