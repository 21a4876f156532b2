"""The whole bridge between the fake homeserver and the memory network."""

from dataclasses import replace
from pathlib import Path

from bridge.networks.events import Role
from bridge.networks.memory import EVERYTHING
from haven.errors import RateLimited
from haven.ids import RemoteUserId, RoomVersion, UserId
from haven.ports import NewRoom
from tests.bridge.lives import BOT, CHAT, LINK_KEY, Lives


async def test_nothing_is_carried_before_an_operator_says_the_code(lives: Lives) -> None:
    await lives.town.join(CHAT, "mallory")
    await lives.ask_for_link()
    await lives.until(lambda: lives.status().get("state") == "proof")
    code = str(lives.status()["code"])
    await lives.town.speak(CHAT, RemoteUserId("mallory"), code)
    await lives.until(lambda: lives.heard() == ["Only an operator of this chat can confirm the link."])
    await lives.town.speak(CHAT, lives.oscar, "too early")
    await lives.say("too early as well")
    await lives.until(lambda: not lives._queue)
    await lives.town.speak(CHAT, lives.oscar, f"haven {code.lower()}")
    await lives.until(lambda: lives.status().get("state") == "linked")
    await lives.town.speak(CHAT, lives.oscar, "in time")
    await lives.until(lambda: lives.said() == ["in time"])
    assert "too early as well" not in " ".join(lives.heard())


async def test_a_proof_that_somebody_else_wrote_counts_for_nothing(lives: Lives) -> None:
    await lives.ask_for_link()
    await lives.until(lambda: lives.status().get("state") == "proof")
    content = await lives.alice.state_content(lives.room, "chat.haven.link", LINK_KEY)
    before = lives.status()["code"]
    await lives.alice.send_state(lives.room, "chat.haven.link", LINK_KEY, {**content, "proven": True})
    await lives.until(lambda: lives.status().get("code") != before)
    assert lives.status()["state"] == "proof"


async def test_the_proof_keeps_what_it_does_not_know(lives: Lives) -> None:
    await lives.link()
    content = await lives.alice.state_content(lives.room, "chat.haven.link", LINK_KEY)
    assert (content["proven"], content["kept"], content["by"]) == (True, "yes", lives.alice.user)


async def test_carries_both_ways_and_nothing_back(lives: Lives) -> None:
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "hello Matrix")
    await lives.until(lambda: lives.said() == ["hello Matrix"])
    await lives.say("hello town")
    await lives.until(lambda: "<Alice> hello town" in lives.heard())
    await lives.town.speak(CHAT, lives.oscar, "goodbye")
    await lives.until(lambda: lives.said() == ["hello Matrix", "goodbye"])
    assert len([text for text in lives.heard() if "hello" in text]) == 1


async def test_a_new_ghost_costs_four_requests_and_then_each_message_one(lives: Lives) -> None:
    await lives.link()
    bob = (await lives.town.join(CHAT, "bob")).id
    log = lives.homeserver.faults.requests
    before = len(log)
    await lives.town.speak(CHAT, bob, "first")
    await lives.until(lambda: lives.said() == ["first"])
    assert [one.port for one in log[before:]] == ["register", "invite", "send_state", "send_message"]
    before = len(log)
    await lives.town.speak(CHAT, bob, "second")
    await lives.until(lambda: lives.said() == ["first", "second"])
    assert [one.port for one in log[before:]] == ["send_message"]


async def test_a_ghost_is_told_by_no_name_and_shown_by_a_safe_one(lives: Lives) -> None:
    await lives.link()
    mallory = await lives.town.join(CHAT, "ma\u202ello\u200bry")
    await lives.town.speak(CHAT, mallory.id, "boo")
    await lives.until(lambda: lives.said() == ["boo"])
    (event,) = lives.by_ghosts("m.room.message")
    assert "mallory" not in event.sender
    member = lives.homeserver.rooms[lives.room].content("m.room.member", event.sender)
    assert member["displayname"] == "mallory (memory)"


async def test_a_ghost_that_was_put_out_comes_in_again_with_its_person(lives: Lives) -> None:
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "one")
    await lives.until(lambda: lives.said() == ["one"])
    (ghost,) = {event.sender for event in lives.by_ghosts("m.room.message")}
    await lives.alice.kick(lives.room, ghost)
    await lives.until(lambda: lives.oscar not in lives.town.chat(CHAT).people)
    await lives.town.join(CHAT, "oscar")
    await lives.town.speak(CHAT, lives.oscar, "two")
    await lives.until(lambda: lives.said() == ["one", "two"])
    assert {event.sender for event in lives.by_ghosts("m.room.message")} == {ghost}
    assert lives.homeserver.rooms[lives.room].membership(ghost) == "join"


async def test_who_is_banned_stays_out_of_both_and_the_others_go_on(lives: Lives) -> None:
    await lives.link()
    await lives.town.join(CHAT, "mallory")
    mallory = RemoteUserId("mallory")
    await lives.town.speak(CHAT, mallory, "spam")
    await lives.until(lambda: lives.said() == ["spam"])
    (ghost,) = {event.sender for event in lives.by_ghosts("m.room.message")}
    lives.town.chat(CHAT).we_rule = False
    await lives.alice.ban(lives.room, ghost)
    await lives.town.speak(CHAT, mallory, "more spam")
    await lives.town.speak(CHAT, lives.oscar, "peace")
    await lives.until(lambda: "peace" in lives.said())
    assert "more spam" not in lives.said()
    assert lives.homeserver.rooms[lives.room].membership(ghost) == "ban"


async def test_names_and_leaving_follow_the_person(lives: Lives) -> None:
    await lives.link()
    await lives.town.join(CHAT, "bob")
    bob = RemoteUserId("bob")
    await lives.town.speak(CHAT, bob, "hi")
    await lives.until(lambda: lives.said() == ["hi"])
    (ghost,) = {event.sender for event in lives.by_ghosts("m.room.message")}
    room = lives.homeserver.rooms[lives.room]
    await lives.town.rename(CHAT, bob, "robert")
    await lives.until(lambda: room.content("m.room.member", ghost)["displayname"] == "robert (memory)")
    await lives.town.leave(CHAT, bob)
    await lives.until(lambda: room.membership(ghost) == "leave")
    assert lives.said() == ["hi"]


async def test_unlinking_ends_it_in_the_chat_and_in_the_room(lives: Lives) -> None:
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "one")
    await lives.until(lambda: lives.said() == ["one"])
    await lives.alice.send_state(lives.room, "chat.haven.link", LINK_KEY, {})
    await lives.until(lambda: lives.status()["state"] == "unlinked")
    ghosts = {event.sender for event in lives.by_ghosts("m.room.message")}
    room = lives.homeserver.rooms[lives.room]
    assert {room.membership(ghost) for ghost in ghosts} == {"leave"}
    await lives.town.speak(CHAT, lives.oscar, "two")
    await lives.say("three")
    await lives.town.join(CHAT, "late")
    assert lives.said() == ["one"]
    assert "three" not in " ".join(lives.heard())
    said = [event for event in room.timeline if event.type.endswith(".bridge")]
    ended = [event.type for event in said if "unlinked" in str(event.content)]
    assert ended[:2] == ["uk.half-shot.bridge", "m.bridge"], "what the plugin waits for is last"


async def test_a_chat_that_refuses_breaks_the_link_and_says_why(lives: Lives) -> None:
    lives.town.chat(CHAT).refuses = True
    await lives.ask_for_link()
    await lives.until(lambda: lives.status().get("state") == "broken")
    assert lives.status()["reason"] == "network_refused"


async def test_a_link_to_a_network_that_is_not_there_says_so(lives: Lives) -> None:
    await lives.ask_for_link()
    link = {"version": 1, "network": "smoke", "chat": "signals", "by": lives.alice.user}
    await lives.alice.send_state(lives.room, "chat.haven.link", "smoke:signals", link)
    room = lives.homeserver.rooms[lives.room]

    def reason() -> object:
        status = room.content("m.bridge", "haven://smoke/signals").get("chat.haven.status", {})
        return status.get("reason") if isinstance(status, dict) else None

    await lives.until(lambda: reason() == "network_missing")
    await lives.until(lambda: "state" in lives.status())
    assert lives.status()["state"] == "proof"


async def test_damaged_links_are_passed_over(lives: Lives) -> None:
    await lives.ask_for_link()
    for key, content in (
        ("memory:a", {"version": 1, "network": 7, "chat": "a", "by": "@a:b"}),
        ("memory:b", {"version": "x", "network": "memory", "chat": "b"}),
        ("memory:c", {"version": 1, "network": "memory", "chat": "other", "by": "@a:b"}),
    ):
        await lives.alice.send_state(lives.room, "chat.haven.link", key, content)
    await lives.until(lambda: lives.status().get("state") == "proof")
    assert set(lives.town.chats) == {CHAT}


async def test_a_room_that_gives_no_power_does_not_stop_the_bridge(lives: Lives) -> None:
    await lives.alice.invite(lives.room, BOT)
    link = {"version": 1, "network": "memory", "chat": CHAT, "by": lives.alice.user, "proven": False}
    await lives.alice.send_state(lives.room, "chat.haven.link", LINK_KEY, link)
    assert lives.bridge is not None
    bridge = lives.bridge
    await lives.until(lambda: bridge._statuses.refused == {lives.room})
    room = lives.homeserver.rooms[lives.room]
    await lives.until(lambda: any("power level 90" in str(one.content.get("body")) for one in room.timeline))
    levels = {**(await lives.alice.state_content(lives.room, "m.room.power_levels")), "users": {BOT: 90}}
    await lives.alice.send_state(lives.room, "m.room.power_levels", "", levels)
    await lives.until(lambda: lives.status().get("state") == "proof")


async def test_people_of_another_server_cannot_bring_the_bridge_in(lives: Lives) -> None:
    eve = lives.homeserver.client(UserId("@eve:elsewhere.test"))

    room = await eve.create_room(NewRoom("Trap", RoomVersion("12")))
    await eve.invite(room, BOT)
    await lives.until(lambda: lives.homeserver.rooms[room].membership(BOT) == "leave")
    joined = [
        e for e in lives.homeserver.rooms[room].timeline if e.key == BOT and e.content["membership"] == "join"
    ]
    assert joined == []


async def test_a_lost_connection_is_said_and_then_mended(lives: Lives) -> None:
    await lives.link()
    lives.town.reachable.clear()
    await lives.town.drop()
    await lives.until(lambda: lives.status()["state"] == "broken")
    await lives.say("into the void")
    lives.town.reachable.set()
    await lives.until(lambda: lives.status()["state"] == "linked")
    await lives.until(lambda: "<Alice> into the void" in lives.heard())
    assert lives.heard().count("<Alice> into the void") == 1


async def test_the_network_is_asked_by_its_capabilities_alone(tmp_path: Path) -> None:
    lives = Lives(tmp_path, replace(EVERYTHING, sends_as_person=True))
    await lives.begin()
    await lives.live()
    await lives.link()
    await lives.say("in my own name")
    await lives.until(lambda: "in my own name" in lives.heard())
    sender = lives.town.chat(CHAT).heard[-1].outgoing.sender
    assert sender is not None
    assert (sender.user, sender.name) == (lives.alice.user, "Alice")
    await lives.end()


async def test_an_operator_by_promotion_may_prove(lives: Lives) -> None:
    await lives.town.join(CHAT, "paula")
    await lives.ask_for_link()
    await lives.until(lambda: lives.status().get("state") == "proof")
    await lives.town.make_operator(CHAT, RemoteUserId("paula"))
    assert lives.town.chat(CHAT).people[RemoteUserId("paula")].role is Role.OPERATOR
    await lives.town.speak(CHAT, RemoteUserId("paula"), str(lives.status()["code"]))
    await lives.until(lambda: lives.status().get("state") == "linked")


async def test_an_unlinking_while_the_bridge_was_away_is_made_good(lives: Lives) -> None:
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "one")
    await lives.until(lambda: lives.said() == ["one"])
    await lives.die()
    await lives.alice.send_state(lives.room, "chat.haven.link", LINK_KEY, {})
    await lives.live()
    await lives.until(lambda: lives.status()["state"] == "unlinked")
    room = lives.homeserver.rooms[lives.room]
    assert {room.membership(event.sender) for event in lives.by_ghosts("m.room.message")} == {"leave"}


async def test_a_homeserver_that_limits_us_is_obeyed_and_nothing_is_lost(lives: Lives) -> None:
    await lives.link()
    lives.homeserver.faults.fail_next(3, RateLimited(0.05), port="send_message")
    for number in range(5):
        await lives.town.speak(CHAT, lives.oscar, f"line {number}")
    await lives.until(lambda: lives.said() == [f"line {number}" for number in range(5)])
    (ghost,) = {event.sender for event in lives.by_ghosts("m.room.message")}
    assert lives.homeserver.faults.count("send_message", user=ghost) == 5 + 3


async def test_a_message_that_is_refused_is_marked_in_the_room(lives: Lives) -> None:
    await lives.link()
    lives.town.refuse_sends = True
    event = await lives.say("nobody wants this")
    room = lives.homeserver.rooms[lives.room]

    def marked() -> bool:
        return any(
            one.sender == BOT
            and one.content.get("m.relates_to") == {"m.in_reply_to": {"event_id": event}}
            and "could not be carried to memory" in str(one.content["body"])
            for one in room.timeline
        )

    await lives.until(marked)
    lives.town.refuse_sends = False
    await lives.say("but this")
    await lives.until(lambda: lives.heard()[-1] == "<Alice> but this")
    assert "<Alice> nobody wants this" not in lives.heard()


async def test_two_rooms_linked_to_one_chat_each_get_everything(lives: Lives) -> None:
    await lives.link()
    first = lives.room
    lives.room = await lives.alice.create_room(NewRoom("Mothers", RoomVersion("12")))
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "to both")
    for room in (first, lives.room):
        lives.room = room
        await lives.until(lambda: lives.said()[-1:] == ["to both"])
        assert lives.said().count("to both") == 1


async def test_a_bug_in_a_network_does_not_say_twice_what_went_out(poor: Lives) -> None:
    poor.town.bugs = 1
    await poor.say("one\ntwo")
    await poor.until(lambda: poor.heard()[-1] == "two")
    assert poor.heard()[1:] == ["<Alice> one", "two"]
