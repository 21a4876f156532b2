"""Answers to announcements stay in their threads: what is taken out, what stays, and what its author hears."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from embedded.waiting import eventually
from haven.errors import Unreachable
from haven.ids import EventId, RoomId
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import Stage, staged


@asynccontextmanager
async def awake(stage: Stage) -> AsyncIterator[None]:
    """While the desk, and who keeps order, are at work."""
    async with asyncio.TaskGroup() as tasks:
        work = [tasks.create_task(_done(each)) for each in stage.engine.besides]
        yield
        for each in work:
            each.cancel()


async def _done(work: object) -> None:
    await work()  # type: ignore[operator]  # what runs beside the engine


async def post(
    stage: Stage, name: str, relation: dict[str, object] | None = None, kind: str = "m.text", body: str = "Hi"
) -> EventId:
    """Somebody writes into the announcements."""
    room, about = await stage.room("announcements"), {"m.relates_to": relation} if relation else {}
    content = {"msgtype": kind, "body": body, **about}
    count = len(stage.server.rooms[room].events)
    return await stage.person(name).send_message(room, "m.room.message", content, f"t{count}")


def thread(root: EventId) -> dict[str, object]:
    """In the thread of an event."""
    return {"rel_type": "m.thread", "event_id": root, "m.in_reply_to": {"event_id": root}}


async def threads(stage: Stage) -> RoomId:
    """Answers belong in threads from now on; gives the announcements."""
    await stage.say("admin", "!c settings replies threads")
    return await stage.room("announcements")


def stands(stage: Stage, room: RoomId, event: EventId) -> bool:
    """Whether a message has not been taken out."""
    return bool(stage.server.rooms[room].events[event].content)


def notes(stage: Stage, room: RoomId, name: str) -> list[str]:
    """The notes in a room that mean somebody, or are in their direct chat."""
    events = [e for e in stage.server.rooms[room].timeline if e.sender == stage.bot]
    return [str(e.content["body"]) for e in events if "taken out" in str(e.content.get("body"))]


async def gone(stage: Stage, room: RoomId, event: EventId) -> None:
    """Wait until a message has been taken out."""

    async def check() -> bool:
        return not stands(stage, room, event)

    await eventually(check, "it is taken out", timeout=5, interval=0.005)


async def settled(stage: Stage, room: RoomId) -> None:
    """Wait until all that was said is judged: what stands last in the queue is a stray of our own."""
    await gone(stage, room, await post(stage, "groupadmin", body="last"))


async def test_what_is_said_outside_of_threads_is_taken_out_and_its_author_told(stage: Stage) -> None:
    room = await threads(stage)
    async with awake(stage):
        announcement = await post(stage, "announcer")
        stray = await post(stage, "member", {"m.in_reply_to": {"event_id": announcement}})
        await gone(stage, room, stray)
        await settled(stage, room)
    told = [
        e
        for e in stage.server.rooms[room].timeline
        if stage.user("member") in str(e.content.get("m.mentions"))
    ]
    assert [e.content["m.relates_to"]["event_id"] for e in told] == [announcement]  # type: ignore[index]
    assert "Reply in thread" in str(told[0].content["body"])
    assert stands(stage, room, announcement)


async def test_who_has_a_direct_chat_is_told_there(stage: Stage) -> None:
    room, direct = await threads(stage), await stage.direct("member")
    async with awake(stage):
        await gone(stage, room, await post(stage, "member", kind="m.image"))
        await settled(stage, room)
    assert len(notes(stage, direct, "member")) == 1
    mentions = [
        e
        for e in stage.server.rooms[room].timeline
        if stage.user("member") in str(e.content.get("m.mentions"))
    ]
    assert mentions == []


async def test_answers_in_threads_and_edits_of_them_stay(stage: Stage) -> None:
    room = await threads(stage)
    async with awake(stage):
        announcement = await post(stage, "announcer")
        answer = await post(stage, "member", thread(announcement))
        edit = await post(stage, "member", {"rel_type": "m.replace", "event_id": answer})
        await settled(stage, room)
    assert stands(stage, room, answer)
    assert stands(stage, room, edit)


@pytest.mark.parametrize("name", ["owner", "admin", "announcer"])
async def test_who_may_announce_writes_as_they_like(stage: Stage, name: str) -> None:
    room = await threads(stage)
    async with awake(stage):
        said = await post(stage, name)
        await settled(stage, room)
    assert stands(stage, room, said)


async def test_threads_under_strays_and_edits_of_strays_go_too(stage: Stage) -> None:
    room, direct = await threads(stage), await stage.direct("member")
    async with awake(stage):
        stray = await post(stage, "member")
        below = await post(stage, "member", thread(stray))
        nowhere = await post(stage, "member", thread(EventId("$nowhere")))
        edit = await post(stage, "member", {"rel_type": "m.replace", "event_id": stray})
        for event in (stray, below, nowhere, edit):
            await gone(stage, room, event)
        await settled(stage, room)
    assert len(notes(stage, direct, "member")) == 1


@pytest.mark.parametrize("setting", ["open", "off"])
async def test_nothing_is_taken_out_where_threads_are_not_asked_for(stage: Stage, setting: str) -> None:
    await stage.say("admin", "!c settings replies open")
    room = await stage.room("announcements")
    said = await post(stage, "member")
    await stage.say("admin", f"!c settings replies {setting}")
    async with awake(stage):
        await asyncio.sleep(0.05)
    assert stands(stage, room, said)


async def test_what_was_said_before_stays(stage: Stage) -> None:
    await stage.say("admin", "!c settings replies open")
    before = await post(stage, "member")
    room = await threads(stage)
    async with awake(stage):
        answer = await post(stage, "member", thread(before))
        await settled(stage, room)
    assert stands(stage, room, before)
    assert stands(stage, room, answer)


async def test_what_was_said_while_we_were_down_is_put_in_order_at_start(
    server: FakeHomeserver, store: Store
) -> None:
    async with staged(server, store) as stage:
        room = await threads(stage)
        announcement = await post(stage, "announcer")
    stray, answer = await post(stage, "member"), await post(stage, "member", thread(announcement))
    last = await post(stage, "member")
    async with awake(stage):
        await gone(stage, room, last)
    assert not stands(stage, room, stray)
    assert stands(stage, room, answer)
    assert stands(stage, room, announcement)


async def test_what_could_not_be_taken_out_at_once_is_later(stage: Stage) -> None:
    room = await threads(stage)
    stage.server.faults.fail_next(6, Unreachable(), port="redact")
    async with awake(stage):
        stray = await post(stage, "member")

        async def kept() -> bool:
            return bool(await stage.services.desk.timers.store.timers("stray"))

        await eventually(kept, "it waits", timeout=5, interval=0.005)
        timers = stage.services.desk.timers
        for timer in await timers.store.timers("stray"):
            await timers.set(timer.kind, timer.key, 0, timer.payload)
        await gone(stage, room, stray)
    assert stage.server.faults.count("redact", user=stage.bot) > 6


async def test_encrypted_announcements_are_left_alone(stage: Stage) -> None:
    room = await threads(stage)
    await stage.person("bot").send_state(room, "m.room.encryption", "", {"algorithm": "m.megolm.v1.aes-sha2"})
    async with awake(stage):
        said = await post(stage, "member")
        await asyncio.sleep(0.05)
    assert stands(stage, room, said)


async def test_a_command_said_there_is_taken_out_without_a_word(stage: Stage) -> None:
    room, direct = await threads(stage), await stage.direct("member")
    async with awake(stage):
        await gone(stage, room, await post(stage, "member", body="!c show"))
        await settled(stage, room)
    assert notes(stage, direct, "member") == []
