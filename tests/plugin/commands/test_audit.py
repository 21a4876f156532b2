"""The audit log: each deed once, told once, gathered where there are many, and never lost by trouble or by dying."""

import asyncio
from dataclasses import replace

import pytest

from embedded.waiting import eventually
from haven.errors import Refused, Unreachable
from haven.ids import RoomId, UserId
from plugin.audit import AT_ONCE, HIDDEN, Audit, Deed, Door
from plugin.desk import open_desk
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import Stage, staged

LATE = 4_000_000_000_000
BLANK = Deed("", RoomId(""), UserId("@admin:haven.test"), "setting_changed", Door.COMMAND, LATE)


def deed(stage: Stage, number: int = 1, **values: str) -> Deed:
    told = {"setting": "replies", "value": f"value {number}"} | values
    return replace(BLANK, id=f"$deed{number:03}", space=stage.space, at=LATE + number, values=told)


async def told(stage: Stage) -> list[str]:
    """What the admins' room was told, message by message."""
    room = stage.server.rooms[await stage.room("admins")]
    said = [e for e in room.timeline if e.type == "m.room.message" and e.sender == stage.bot]
    return [str(event.content["body"]) for event in said if "value " in str(event.content["body"])]


async def test_a_deed_is_kept_once_and_told_once(stage: Stage) -> None:
    audit, community = stage.services.desk.audit, await stage.community()
    for _ in range(2):
        await audit.record(community, deed(stage))
        await audit.record(community, replace(deed(stage), id="$other", why="too loud", door=Door.REACTION))
    one, other = await told(stage)
    assert one == "@admin:haven.test set replies to “value 1” (by command)"
    assert other == "@admin:haven.test set replies to “value 1” (by reaction): too loud"
    assert [each.id for each in await audit.store.deeds(stage.space, 2)] == ["$other", "$deed001"]
    assert [each.id for each in await audit.store.deeds(stage.space, 1)] == ["$other"]


async def test_a_hidden_group_is_not_named(stage: Stage) -> None:
    await stage.services.desk.audit.record(
        await stage.community(), deed(stage, value=HIDDEN, setting="value ")
    )
    assert "a hidden group" in (await told(stage))[0]


async def run_until_told(stage: Stage, audit: Audit, messages: int) -> None:
    async def all_told() -> bool:
        return len(await told(stage)) >= messages and not await audit.store.spaces_untold()

    task = asyncio.create_task(audit.run())
    try:
        await eventually(all_told, "everything is told", timeout=10, interval=0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_many_deeds_at_once_are_told_in_few_messages(stage: Stage) -> None:
    audit = stage.services.desk.audit
    for number in range(1, AT_ONCE + 6):
        await audit.keep(deed(stage, number))
    await run_until_told(stage, audit, 2)
    first, second = await told(stage)
    assert (len(first.splitlines()), len(second.splitlines())) == (AT_ONCE, 5)
    assert first.index("value 1”") < first.index("value 2”")


async def test_what_could_not_be_told_is_told_later_and_keeps_nobody_waiting(stage: Stage) -> None:
    audit = stage.services.desk.audit
    stage.server.faults.fail_next(5, Unreachable(), port="send_message")
    await audit.record(await stage.community(), deed(stage))
    assert await told(stage) == []
    await audit.keep(deed(stage, 2))
    await run_until_told(stage, audit, 2)
    assert [len(each.splitlines()) for each in await told(stage)] == [1, 1]


async def test_an_answer_that_was_lost_is_no_second_message(stage: Stage) -> None:
    stage.server.faults.fail_next(5, Unreachable(), port="send_message", lose_answer=True)
    await stage.services.desk.audit.record(await stage.community(), deed(stage))
    await run_until_told(stage, stage.services.desk.audit, 1)
    assert len(await told(stage)) == 1


async def test_the_next_life_tells_what_this_one_could_not(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store) as stage:
        await stage.services.desk.audit.keep(deed(stage))
        desk = open_desk(store._database, stage.engine, stage.services.desk.audit.replies)
        await run_until_told(stage, desk.audit, 1)
        assert len(await told(stage)) == 1


@pytest.mark.parametrize("error", [Refused("homeserver_refused", code="M_FORBIDDEN")])
async def test_what_the_admins_room_refuses_stays_in_the_log(stage: Stage, error: Refused) -> None:
    audit = stage.services.desk.audit
    stage.server.faults.fail_next(1, error, port="send_message")
    await audit.record(await stage.community(), deed(stage))
    assert await audit.store.spaces_untold() == ()
    assert [each.id for each in await audit.store.deeds(stage.space, 1)] == ["$deed001"]
