"""`suggest ROOM`: a member's room is put before the admins, and adopted when one of them says yes."""

import pytest

from haven.ids import RoomId, RoomVersion
from haven.model import Role, Visibility
from haven.ports import NewRoom, StateEvent
from plugin.cards import Card
from plugin.service.adoptions import KIND, WEEK
from plugin.service.suggestions import AT_ONCE
from plugin.store import Store, now_ms
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.stage import Stage, staged, text_of


async def chess(stage: Stage, name: str = "Chess", level: int = 100, owner: str = "member") -> RoomId:
    """A room of a member's, with the bot at some level."""
    person = stage.person(owner)
    state = (
        StateEvent("m.room.join_rules", "", person.user, {"join_rule": "public"}),
        StateEvent("m.room.canonical_alias", "", person.user, {"alias": f"#{name.lower()}:haven.test"}),
    )
    users = {stage.bot: level, person.user: 100}
    guests = [stage.bot, stage.user("guest")]
    room = await person.create_room(
        NewRoom(name, RoomVersion("11"), state=state, power={"users": users}, invite=guests)
    )
    for each in ("bot", "guest"):
        await stage.person(each).join(room)
    await stage.engine.rooms.look()
    return room


async def waiting(stage: Stage) -> tuple[Card, ...]:
    return await stage.services.desk.cards.open(KIND, stage.space)


async def said_in(stage: Stage, room: RoomId) -> str:
    timeline = stage.server.rooms[room].timeline
    return text_of([e for e in timeline if e.type == "m.room.message" and e.sender == stage.bot])


@pytest.mark.parametrize("word", ["{room}", "#chess:haven.test", "https://matrix.to/#/{room}?via=haven.test"])
async def test_it_is_put_before_the_admins_with_what_would_change(stage: Stage, word: str) -> None:
    room = await chess(stage)
    said = await stage.say("member", f"!c suggest {word.format(room=room)}")
    admins = await stage.room("admins")
    card = text_of([event for event in said if event.room == admins])
    assert "@member:haven.test wants to take a room into the community: Chess" in card
    assert "I would change" in card
    (kept,) = await waiting(stage)
    assert f"!c withdraw {kept.id}" in text_of([event for event in said if event.room != admins])


async def test_approved_it_becomes_a_group_and_who_suggested_it_hears_of_it(stage: Stage) -> None:
    room, chat = await chess(stage), await stage.direct("member")
    await stage.say("member", f"!c suggest {room}")
    (card,) = await waiting(stage)
    await stage.say("admin", f"!c approve {card.id}", "admins")
    group = (await stage.community()).group(room)
    assert group is not None
    assert (group.name, group.visibility) == ("Chess", Visibility.OPEN)
    assert group.exceptions[stage.user("member")] is Role.GROUP_ADMIN
    assert "The room you suggested belongs to the community now: Chess" in await said_in(stage, chat)
    log = await stage.answer("admin", "!c log --last 1", "admins")
    assert "@admin:haven.test took a room into the community: Chess" in log


async def test_declined_who_suggested_it_hears_why(stage: Stage) -> None:
    room, chat = await chess(stage), await stage.direct("member")
    await stage.say("member", f"!c suggest {room}")
    (card,) = await waiting(stage)
    await stage.say("admin", f"!c reject {card.id} We have one", "admins")
    assert "decided against the group you suggested: Chess. They say: We have one" in await said_in(
        stage, chat
    )
    assert (await stage.community()).group(room) is None
    log = await stage.answer("admin", "!c log --last 1", "admins")
    assert "@admin:haven.test declined a group that @member:haven.test suggested" in log
    assert "Chess" not in log


async def test_power_that_is_missing_is_named_to_who_suggests_it(stage: Stage) -> None:
    room = await chess(stage, level=50)
    said = await stage.answer("member", f"!c suggest {room}")
    assert "I need power level 100 and have 50" in said
    assert await waiting(stage) == ()


async def test_power_that_was_taken_meanwhile_is_named_to_the_admins_and_to_them(stage: Stage) -> None:
    room, chat = await chess(stage), await stage.direct("member")
    await stage.say("member", f"!c suggest {room}")
    (card,) = await waiting(stage)
    levels = stage.server.rooms[room].content("m.room.power_levels")
    users = {stage.user("member"): 100, stage.bot: 50}
    await stage.person("bot").send_state(room, "m.room.power_levels", "", {**levels, "users": users})
    assert "I need power level 100 and have 50" in await stage.answer(
        "admin", f"!c approve {card.id}", "admins"
    )
    assert "I need power level 100 and have 50" in await said_in(stage, chat)
    assert await waiting(stage) == (card,)


async def test_a_room_that_is_somebody_else_s_to_give_is_not_suggested(stage: Stage) -> None:
    room = await chess(stage, owner="announcer")
    assert "Only who can change the power levels" in await stage.answer("member", f"!c suggest {room}")
    assert await waiting(stage) == ()


async def test_the_same_twice_by_another_and_a_room_that_is_a_group(stage: Stage) -> None:
    room = await chess(stage)
    incoming = await stage.incoming("member", f"!c suggest {room}", await stage.room("general"))
    for _ in range(2):
        await stage.dispatcher.handle(incoming)
    (card,) = await waiting(stage)
    assert f"suggested already (`{card.id}`)" in await stage.answer("member", f"!c suggest {room}")
    madrid = await stage.room("Madrid")
    assert "belongs to a community already" in await stage.answer("member", f"!c suggest {madrid}")


async def test_it_is_listed_and_taken_back(stage: Stage) -> None:
    room = await chess(stage)
    await stage.say("member", f"!c suggest {room}")
    (card,) = await waiting(stage)
    assert f"{card.id}: Chess, suggested by @member" in await stage.answer(
        "admin", "!c suggestions", "admins"
    )
    assert "Chess" in await stage.answer("member", "!c suggestions")
    assert "Chess" not in await stage.answer("announcer", "!c suggestions")
    assert "No suggestion of yours" in await stage.answer("announcer", f"!c withdraw {card.id}")
    assert "Taken back: Chess" in await stage.answer("member", f"!c withdraw {card.id}")
    assert await waiting(stage) == ()


async def test_rooms_and_names_count_together(stage: Stage) -> None:
    room = await chess(stage)
    for number in range(AT_ONCE):
        await stage.say("member", f"!c suggest Town {number}")
    assert f"{AT_ONCE} of your suggestions wait" in await stage.answer("member", f"!c suggest {room}")
    assert await waiting(stage) == ()


async def test_nobody_answers_in_time_and_they_hear_it(stage: Stage) -> None:
    room, chat = await chess(stage), await stage.direct("member")
    await stage.say("member", f"!c suggest {room}")
    desk = stage.services.desk
    (timer,) = await desk.timers.store.timers("card")
    assert now_ms() < timer.at <= now_ms() + WEEK
    await desk.timers._ring(timer)
    assert await waiting(stage) == ()
    assert "Nobody confirmed it in time: Chess stays as it is" in await said_in(stage, chat)


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("at", range(1, 8))
async def test_dying_over_the_approval_it_is_adopted_in_the_end_and_told_once(
    server: FakeHomeserver, store: Store, at: int, after_effect: bool
) -> None:
    async with staged(server, store) as stage:
        room, chat, space = await chess(stage), await stage.direct("member"), stage.space
        await stage.say("member", f"!c suggest {room}")
        (card,) = await waiting(stage)
        incoming = await stage.incoming("admin", f"!c approve {card.id}", card.room)
        server.faults.kill(at=at, user=stage.bot, after_effect=after_effect)
        await survives(stage.dispatcher.handle(incoming))
        server.faults.forgive()
    async with staged(server, store, empty=True) as again:
        again.space = space
        await again.dispatcher.handle(incoming)
        await again.engine.communities.repair(space)
        assert (await again.community()).group(room) is not None
        assert (await said_in(again, chat)).count("The room you suggested belongs") == 1


async def test_a_strange_room_that_a_member_names_is_left_again(stage: Stage) -> None:
    """Else anybody could have the bot sit in the largest rooms there are."""
    stranger = stage.person("stranger")
    rules = StateEvent("m.room.join_rules", "", stranger.user, {"join_rule": "public"})
    crowd = await stranger.create_room(NewRoom("Crowd", RoomVersion("12"), state=(rules,)))
    said = await stage.answer("member", f"!c suggest {crowd}")
    assert "Crowd" in said
    assert stage.server.rooms[crowd].membership(stage.bot) == "leave"
    assert await waiting(stage) == ()
