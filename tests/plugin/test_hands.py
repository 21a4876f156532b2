"""What the hands write is seen by the eyes at once, as the homeserver will tell it."""

from haven.ids import RoomVersion, UserId
from haven.ports import NewRoom
from haven.snapshot import Expulsion, Membership
from plugin.creation import Creation
from plugin.hands import Hands
from plugin.rooms import Rooms
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.life import FastClock

STRANGER = UserId("@stranger:far.example")


async def test_who_was_banned_or_put_out_is_seen_with_the_reason(
    server: FakeHomeserver, store: Store
) -> None:
    bot, clock = server.person("bot"), FastClock()
    rooms = Rooms(bot, clock)
    hands = Hands(bot, rooms, Creation(bot, rooms, store, clock), clock)
    room = await bot.create_room(NewRoom("Here", RoomVersion("12")))
    await rooms.look()
    await rooms.observe()
    answers: list[bool] = []
    server.on_event(lambda event: answers.append(rooms.nudge(event.room, event.as_state())), bot.user)
    server.faults.requests.clear()

    await hands.ban(room, STRANGER, "spam")
    seen = (await rooms.observe())[room]
    assert seen.members[STRANGER] is Membership.BANNED
    assert seen.expulsions == {STRANGER: Expulsion(bot.user, "spam")}
    assert server.rooms[room].membership(STRANGER) == "ban"

    await hands.unban(room, STRANGER)
    assert (await rooms.observe())[room].expulsions == {STRANGER: Expulsion(bot.user)}
    await hands.invite(room, STRANGER)
    assert (await rooms.observe())[room].expulsions == {}
    await hands.kick(room, STRANGER, "enough")
    assert (await rooms.observe())[room].expulsions == {STRANGER: Expulsion(bot.user, "enough")}
    assert answers == [False] * 4
    assert server.faults.count("room_state") == 0
