"""`plan` and `repair`."""

import pytest

from haven.errors import Refused, Unreachable
from haven.ids import RoomId, UserId
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import Stage, contents_of, staged, text_of


async def drift(stage: Stage) -> RoomId:
    """Somebody renames nothing but changes who may join."""
    madrid = await stage.room("Madrid")
    await stage.person("owner").send_state(madrid, "m.room.join_rules", "", {"join_rule": "public"})
    return madrid


async def test_a_plan_says_that_all_is_well(stage: Stage) -> None:
    await stage.engine.communities.repair(stage.space)
    stage.forget()
    assert await stage.answer("admin", "!c plan") == "Everything is as it is meant to be."
    assert stage.written() == []


async def test_a_plan_says_what_differs_and_changes_nothing(stage: Stage) -> None:
    await stage.engine.communities.repair(stage.space)
    await drift(stage)
    stage.forget()
    said = await stage.answer("admin", "!c plan")
    assert "One thing differs" in said
    assert "set who can join “Madrid”" in said
    assert stage.written() == []


async def test_a_plan_about_a_hidden_group_is_told_to_the_admins_alone(stage: Stage) -> None:
    await stage.engine.communities.repair(stage.space)
    quiet = await stage.room("Quiet")
    await stage.person("bot").send_state(quiet, "m.room.join_rules", "", {"join_rule": "public"})
    said = await stage.say("admin", "!c plan")
    assert "Quiet" in text_of([event for event in said if event.room == await stage.room("admins")])
    assert "Quiet" not in text_of([event for event in said if event.room == await stage.room("general")])


async def test_a_repair_sets_it_right_in_one_message(stage: Stage) -> None:
    await stage.engine.communities.repair(stage.space)
    madrid = await drift(stage)
    said = await stage.say("admin", "!c repair")
    assert [content["body"] for content in contents_of(said)] == ["Repaired: one change made."]
    assert stage.server.rooms[madrid].content("m.room.join_rules")["join_rule"] == "restricted"
    assert "as it is meant" in await stage.answer("admin", "!c repair")


async def crowd(stage: Stage) -> None:
    """Eleven people who have no business in the admins' room."""
    admins = await stage.room("admins")
    for number in range(11):
        await stage.person("bot").invite(admins, UserId(f"@intruder{number}:haven.test"))


async def test_many_removals_need_to_be_insisted_on(stage: Stage) -> None:
    await stage.engine.communities.repair(stage.space)
    await crowd(stage)
    said = await stage.answer("admin", "!c repair")
    assert "would remove 11 people" in said
    assert "!c repair --insist" in said
    admins = stage.server.rooms[await stage.room("admins")]
    assert len(admins.members("invite")) == 11
    assert "11 changes made" in await stage.answer("admin", "!c repair --insist")
    assert admins.members("invite") == ()


async def test_a_long_plan_goes_on_in_the_thread(stage: Stage) -> None:
    await stage.engine.communities.repair(stage.space)
    admins = await stage.room("admins")
    for number in range(40):
        await stage.person("bot").invite(admins, UserId(f"@intruder{number}:haven.test"))
    incoming = await stage.incoming("admin", "!c plan", admins)
    await stage.dispatcher.handle(incoming)
    *_, first, second = stage.server.rooms[admins].timeline
    assert "15 more are in the thread" in str(first.content["body"])
    relation = second.content["m.relates_to"]
    assert isinstance(relation, dict)
    assert (relation["rel_type"], relation["event_id"]) == ("m.thread", incoming.event)
    assert "intruder9:" in str(second.content["body"])


async def test_what_does_not_work_is_said(stage: Stage) -> None:
    await stage.engine.communities.repair(stage.space)
    await drift(stage)
    stage.server.faults.fail_next(1, Refused("homeserver_refused", code="M_FORBIDDEN"), port="send_state")
    said = await stage.answer("admin", "!c repair")
    assert "One change did not work" in said
    assert "M_FORBIDDEN" in said


async def test_an_obstacle_is_said(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, "11") as stage:
        await stage.engine.communities.repair(stage.space)
        madrid = await drift(stage)
        content = stage.server.rooms[madrid].content("m.room.power_levels")
        users = content["users"]
        assert isinstance(users, dict)
        less = {**content, "users": {**users, stage.bot: 50}}
        await stage.person("bot").send_state(madrid, "m.room.power_levels", "", less)
        stage.forget()
        for command in ("plan", "repair"):
            said = await stage.answer("admin", f"!c {command}")
            assert "lack the power" in said
            assert "m.room.join_rules` needs power level 90, and I have 50" in said
        assert stage.written() == []


async def test_a_server_that_does_not_answer_is_said_in_the_same_message(stage: Stage) -> None:
    await stage.engine.communities.repair(stage.space)
    reads = 0

    def fail(request: object) -> None:
        nonlocal reads
        if getattr(request, "port", "") == "room_state":
            reads += 1
            if reads > 1:
                raise Unreachable

    general = await stage.room("general")
    stage.server.faults.before.append(fail)
    said = await stage.say("admin", "!c repair", general)
    assert [content["body"] for content in contents_of(said)] == [
        "The homeserver does not answer. Please try again in a moment."
    ]


@pytest.mark.parametrize("command", ["plan", "repair", "repair --insist"])
@pytest.mark.parametrize("name", ["moderator", "greeter", "announcer", "groupadmin", "member", "stranger"])
async def test_nobody_else_may(stage: Stage, name: str, command: str) -> None:
    await drift(stage)
    stage.forget()
    said = await stage.answer(name, f"!c {command}")
    assert ("Only members" if name == "stranger" else "cannot do that as") in said
    assert stage.written() == []
