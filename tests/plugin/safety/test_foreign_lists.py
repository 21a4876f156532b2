"""What hands wrote about ban lists, and what hostile lists say, harms nobody: neither other communities nor the bot."""

from haven.banlists import BANLISTS
from haven.ids import RoomId, RoomVersion, UserId
from haven.policies import BAN, POLICY_ROOM
from haven.ports import NewRoom, StateEvent
from haven.snapshot import Room
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.entrance.lives import Life, living
from tests.plugin.safety.lists import RULE, a_list, published, quiet, user, watched

JOIN_RULES = "m.room.join_rules"


async def claimed(life: Life, room: RoomId) -> None:
    """An admin writes by hand that the community publishes its bans in a room."""
    said = {"version": 1, "watched": {}, "spared": [], "own": room, "publishes": True}
    await life.stage.person("admin").send_state(life.space, BANLISTS, "", said)


async def test_an_admin_cannot_have_the_bans_published_in_a_room_that_is_no_list(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        admins = await life.stage.room("admins")
        before = server.rooms[admins].content(JOIN_RULES)
        await life.stage.say("admin", "!c ban @stranger:haven.test rude", "admins")
        await claimed(life, admins)
        await life.until(lambda: published(server, life) == {user("stranger"): "rude"}, "a list of its own")
        history = [event for event in server.rooms[admins].timeline if event.type in {JOIN_RULES, RULE}]
        assert all(event.content == before for event in history)
        assert server.rooms[life.space].content(BANLISTS)["own"] != admins


async def test_an_admin_cannot_have_the_bans_published_in_the_list_of_another_community(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        bot = life.stage.person("bot")
        another = await bot.create_room(NewRoom("Another", RoomVersion("12"), creation={"type": "m.space"}))
        creation = {"chat.haven.slot": f"{another}/banlist", "type": POLICY_ROOM}
        rule = StateEvent(RULE, "rule:@x:y", bot.user, {"entity": "@x:y", "recommendation": "m.ban"})
        theirs = await bot.create_room(NewRoom("Theirs", RoomVersion("12"), creation=creation, state=[rule]))
        await life.stage.engine.rooms.look()
        await claimed(life, theirs)
        space = server.rooms[life.space]
        await life.until(lambda: space.content(BANLISTS)["own"] != theirs, "a list of its own")
        assert server.rooms[theirs].content(RULE, "rule:@x:y")


async def test_a_list_that_bans_us_in_many_ways_is_one_word_to_the_admins(
    server: FakeHomeserver, store: Store
) -> None:
    room = await a_list(server, *(f"@b{'*' * n}ot:haven.test" for n in range(1, 40)))
    async with living(server, store) as life:
        await watched(life, room)
        said = await life.told("admins", "that would ban me too")
        assert said.count("that would ban me too") == 1
        await quiet(life, server)
        told = [text for text in life.said(await life.stage.room("admins")) if "ban me too" in text]
        assert len(told) == 1


async def test_what_a_list_says_is_read_again_where_it_lies_where_another_lay(
    server: FakeHomeserver, store: Store
) -> None:
    room = await a_list(server)
    async with living(server, store) as life:
        await watched(life, room)
        lists, world = life.stage.services.safety.lists, dict(await life.stage.engine.rooms.observe())
        for number in range(40):
            rule = StateEvent(RULE, "k", life.stage.bot, {"entity": f"@n{number}:a.b", "recommendation": BAN})
            state = {(RULE, "k"): rule}
            world[room] = Room(room, state)
            law = await lists.law(life.space, world)
            del world[room]
            assert law.names(UserId(f"@n{number}:a.b"))


async def test_a_room_that_an_admin_calls_a_list_by_hand_is_left_again(
    server: FakeHomeserver, store: Store
) -> None:
    keeper = server.person("keeper")
    rules = StateEvent(JOIN_RULES, "", keeper.user, {"join_rule": "public"})
    crowd = await keeper.create_room(NewRoom("Crowd", RoomVersion("12"), state=[rules]))
    async with living(server, store) as life:
        said = {"version": 1, "watched": {crowd: {}}, "spared": []}
        await life.stage.person("admin").send_state(life.space, BANLISTS, "", said)
        await life.until(lambda: server.rooms[crowd].membership(life.stage.bot) == "leave", "left again")
        await life.told("admins", "I cannot read a ban list that I am to follow")
        assert server.rooms[crowd].membership(life.stage.bot) == "leave"
