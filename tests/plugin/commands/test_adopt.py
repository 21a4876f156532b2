"""`group adopt`: previewed, confirmed, done; nothing lost of the room, and refused where power is missing."""

import pytest

from haven.ids import RoomId, RoomVersion
from haven.model import Kind, Role, Visibility
from haven.ports import NewRoom, StateEvent
from plugin.service.adoptions import KIND
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.reacting import react_to_the_only, told, waiting
from tests.plugin.commands.stage import Stage, staged


async def old_room(
    stage: Stage, name: str = "Chess", version: str = "11", level: int = 100, rule: str = "public"
) -> RoomId:
    """A room of admin's, with the bot and a guest in it, and the bot at some level."""
    admin = stage.person("admin")
    state = (
        StateEvent("m.room.join_rules", "", admin.user, {"join_rule": rule}),
        StateEvent("m.room.canonical_alias", "", admin.user, {"alias": f"#{name.lower()}:haven.test"}),
    )
    users = {stage.bot: level, stage.user("member"): 50} | ({} if version == "12" else {admin.user: 100})
    room = await admin.create_room(
        NewRoom(
            name,
            RoomVersion(version),
            topic="Since 1990",
            state=state,
            power={"users": users},
            invite=[stage.bot, stage.user("guest"), stage.user("member")],
        )
    )
    for person in ("bot", "guest", "member"):
        await stage.person(person).join(room)
    await stage.engine.rooms.look()
    return room


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_a_room_becomes_a_group_and_keeps_what_it_had(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store) as stage:
        chess = await old_room(stage, version=version)
        room = stage.server.rooms[chess]
        inside = room.members("join")
        stage.forget()
        said = await stage.answer("admin", f"!c group adopt {chess}", "admins")
        assert stage.written() == [r for r in stage.written() if r.about == "m.reaction"]
        assert "take a room into the community: Chess" in said
        assert "4 members stay" in said
        assert "put the list of rooms in “Fathers” right" in said
        await react_to_the_only(stage, KIND, "owner")
        group = (await stage.community()).group(chess)
        assert group is not None
        assert (group.name, group.topic, group.kind) == ("Chess", "Since 1990", Kind.GROUP)
        assert group.visibility is Visibility.OPEN
        assert group.exceptions[stage.user("member")] is Role.MODERATOR
        assert room.members("join") == inside
        assert chess in await stage.person("greeter").hierarchy(stage.space)
        await stage.person("greeter").join(chess)
        assert "took a room into the community: Chess (by reaction)" in await told(stage)


async def test_by_alias_and_with_a_visibility_of_its_own(stage: Stage) -> None:
    chess = await old_room(stage)
    await stage.say("admin", "!c group adopt #chess:haven.test --visibility request")
    (card,) = await waiting(stage, KIND)
    await stage.say("admin", f"!c approve {card.id}", "admins")
    group = (await stage.community()).group(chess)
    assert group is not None
    assert group.visibility is Visibility.REQUEST


async def test_the_bot_enters_a_room_that_is_open_to_it(stage: Stage) -> None:
    room = await stage.person("admin").create_room(
        NewRoom(
            "Chess",
            RoomVersion("11"),
            invite=[stage.bot],
            power={"users": {stage.user("admin"): 100, stage.bot: 100}},
        )
    )
    await stage.say("admin", f"!c group adopt {room}")
    assert stage.server.is_joined(room, stage.bot)
    await react_to_the_only(stage, KIND, "admin")
    assert (await stage.community()).group(room) is not None


async def test_a_room_for_the_invited_becomes_a_hidden_group_that_is_not_named(stage: Stage) -> None:
    chess = await old_room(stage, rule="invite")
    await stage.say("admin", f"!c group adopt {chess}", "admins")
    await react_to_the_only(stage, KIND, "admin")
    assert "Chess" not in await stage.answer("member", "!c group list")
    assert "Chess" not in await stage.answer("moderator", "!c log", "admins")


async def test_it_leaves_the_public_directory(stage: Stage) -> None:
    chess = await old_room(stage)
    stage.server.directory.add(chess)
    await stage.say("admin", f"!c group adopt {chess}")
    assert "out of the homeserver's public directory" in await told(stage)
    assert chess in stage.server.directory
    await react_to_the_only(stage, KIND, "admin")
    assert (await stage.community()).group(chess) is not None
    assert chess not in stage.server.directory


async def test_it_can_be_declined(stage: Stage) -> None:
    chess = await old_room(stage)
    await stage.say("admin", f"!c group adopt {chess}")
    stage.forget()
    await react_to_the_only(stage, KIND, "admin", "❌")
    assert stage.written() == []
    assert "decided against it: Chess stays as it is" in await told(stage)
    assert (await stage.community()).group(chess) is None


async def test_moderators_do_not_confirm_it(stage: Stage) -> None:
    chess = await old_room(stage)
    await stage.say("admin", f"!c group adopt {chess}")
    await react_to_the_only(stage, KIND, "moderator")
    assert "You cannot do that as `moderator`" in await told(stage)
    assert (await stage.community()).group(chess) is None


async def test_power_that_is_missing_is_named(stage: Stage) -> None:
    chess = await old_room(stage, level=50)
    said = await stage.answer("admin", f"!c group adopt {chess}")
    assert "I need power level 100 and have 50" in said
    assert "@bot:haven.test" in said
    assert await waiting(stage, KIND) == ()


async def test_power_that_was_taken_meanwhile_leaves_the_card_open(stage: Stage) -> None:
    chess = await old_room(stage)
    await stage.say("admin", f"!c group adopt {chess}")
    room = stage.server.rooms[chess]
    levels = room.content("m.room.power_levels")
    await stage.person("bot").send_state(
        chess, "m.room.power_levels", "", {**levels, "users": {stage.user("admin"): 100, stage.bot: 50}}
    )
    await react_to_the_only(stage, KIND, "admin")
    assert "I need power level 100 and have 50" in await told(stage)
    assert len(await waiting(stage, KIND)) == 1
    assert (await stage.community()).group(chess) is None


async def test_what_is_not_the_asker_s_to_give_is_refused(stage: Stage) -> None:
    chess = await old_room(stage)
    assert "Only who can change the power levels" in await stage.answer("owner", f"!c group adopt {chess}")
    assert await waiting(stage, KIND) == ()


async def test_what_cannot_be_a_group_is_refused(stage: Stage) -> None:
    madrid = await stage.room("Madrid")
    for word, sentence in (
        ("Chess", "neither a room id nor an alias"),
        ("!nowhere:haven.test", "not in that room"),
        ("#nowhere:haven.test", "not in that room"),
        (madrid, "belongs to a community already"),
    ):
        assert sentence in await stage.answer("admin", f"!c group adopt {word}"), word
    twin = await old_room(stage, name="Madrid")
    assert "already a room called" in await stage.answer("admin", f"!c group adopt {twin}")
    assert "cannot do that" in await stage.answer("moderator", f"!c group adopt {twin}")
    assert await waiting(stage, KIND) == ()


@pytest.mark.parametrize("at", [2, 4, 6])
async def test_dying_on_the_way_ends_with_the_room_in_the_community(
    server: FakeHomeserver, store: Store, at: int
) -> None:
    async with staged(server, store) as stage:
        chess = await old_room(stage)
        await stage.say("admin", f"!c group adopt {chess}")
        (card,) = await waiting(stage, KIND)
        incoming = await stage.incoming("admin", f"!c approve {card.id}", card.room)
        stage.server.faults.kill(at=at, user=stage.bot)
        await survives(stage.dispatcher.handle(incoming))
        stage.server.faults.forgive()
    async with staged(server, store, empty=True) as again:
        again.space = stage.space
        await again.dispatcher.handle(incoming)
        await again.engine.communities.repair(again.space)
        assert (await again.community()).group(chess) is not None
        assert chess in await again.person("greeter").hierarchy(again.space)
