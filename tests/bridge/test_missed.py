"""What is said in a chat while the bridge is away is carried when it is back, where the network has a history."""

from contextlib import suppress

from tests.bridge.lives import BOT, CHAT, LINK_KEY, Lives
from tests.fakes.homeserver_faults import Killed


async def test_what_was_said_while_we_were_dead_comes_first_and_in_order(lives: Lives) -> None:
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "before")
    await lives.until(lambda: lives.said() == ["before"])
    await lives.die()
    for number in range(5):
        await lives.town.speak(CHAT, lives.oscar, f"missed {number}")
    await lives.live()
    await lives.until(lambda: lives.status().get("state") == "linked" and len(lives.said()) == 6)
    await lives.town.speak(CHAT, lives.oscar, "live")
    await lives.until(lambda: "live" in lives.said())
    assert lives.said() == ["before", *(f"missed {number}" for number in range(5)), "live"]


async def test_what_was_accepted_in_a_former_life_is_not_taken_twice(lives: Lives) -> None:
    await lives.link()
    for after_effect in (False, True):
        for at in range(1, 9):
            lives.fate.steps, lives.fate.at, lives.fate.after_effect = 0, at, after_effect
            text = f"{at} {after_effect}"
            with suppress(Killed):
                await lives.town.speak(CHAT, lives.oscar, text)
            await lives.until(lambda: lives.dead or text in lives.said())  # noqa: B023  # awaited here
            await lives.live()
            await lives.until(lambda: text in lives.said())  # noqa: B023  # awaited here
    assert len(lives.said()) == len(set(lives.said())) == 16


async def test_a_chat_that_is_linked_again_is_heard_from_then_on(lives: Lives) -> None:
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "ours")
    await lives.until(lambda: lives.said() == ["ours"])
    await lives.alice.send_state(lives.room, "chat.haven.link", LINK_KEY, {})
    await lives.until(lambda: lives.status().get("state") == "unlinked")
    await lives.town.speak(CHAT, lives.oscar, "nobody's")
    link = {"version": 1, "network": "memory", "chat": CHAT, "by": lives.alice.user, "proven": False}
    await lives.alice.send_state(lives.room, "chat.haven.link", LINK_KEY, link)
    await lives.until(lambda: lives.status().get("state") == "proof")
    await lives.town.speak(CHAT, lives.oscar, str(lives.status()["code"]))
    await lives.until(lambda: lives.status().get("state") == "linked")
    await lives.town.speak(CHAT, lives.oscar, "ours again")
    await lives.until(lambda: "ours again" in lives.said())
    assert lives.said() == ["ours", "ours again"]
    assert BOT in lives.homeserver.rooms[lives.room].members("join")
