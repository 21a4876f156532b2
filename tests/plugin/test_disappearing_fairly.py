"""Nobody holds up what disappears: neither a message that stays, nor one dated in the future, nor a room with thousands too old."""

from collections.abc import AsyncIterator

import pytest

from haven.ids import EventId, RoomId
from plugin.durations import DAY, HOUR
from plugin.service.disappearing import MOST, TURN
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.test_disappearing import TEXT, Hand, Kept, keeping


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def server(hand: Hand) -> FakeHomeserver:
    return FakeHomeserver(clock=hand.epoch)


@pytest.fixture
async def kept(server: FakeHomeserver, store: Store, hand: Hand) -> AsyncIterator[Kept]:
    async with keeping(server, store, hand) as made:
        yield made


async def until_rest(kept: Kept) -> float:
    """Round after round, as long as there is something to do at once; gives the seconds until the next."""
    for _ in range(20):
        left = await kept.service.round()
        if left > 0:
            return left
    raise AssertionError("it goes round and round")


async def test_it_rests_where_there_is_nothing_to_do(kept: Kept) -> None:
    kept.hand.ms += 2 * DAY
    await kept.say()
    await kept.service.round()
    assert await kept.service.round() > 60


async def test_a_message_from_the_future_keeps_no_other(kept: Kept) -> None:
    """The time of a message is what its homeserver says; a hostile one says what it likes."""
    now, kept.hand.ms = kept.hand.ms, kept.hand.ms + 40_000 * DAY
    await kept.say()
    kept.hand.ms = now
    old = [await kept.say() for _ in range(3 * MOST)]
    kept.hand.ms += 3 * DAY
    await until_rest(kept)
    assert set(kept.deletions()) == set(old)
    later = await kept.say()
    kept.hand.ms += 3 * DAY
    kept.stage.forget()
    await until_rest(kept)
    assert kept.deletions()[-1] == later
    assert kept.stage.server.faults.count("history") <= 3


async def test_a_question_that_waits_keeps_nothing_else(
    server: FakeHomeserver, store: Store, hand: Hand
) -> None:
    async with keeping(server, store, hand) as kept:
        await kept.stage.say("admin", "!c group set Admins retention 24h", "admins")
        await kept.stage.say("member", "!c suggest Aviary", "general")
        admins = await kept.stage.room("admins")
        said = [
            await kept.stage.person("admin").send_message(admins, "m.room.message", TEXT, f"a{n}")
            for n in range(2 * MOST)
        ]
        await read_anew(kept)
        hand.ms += 3 * DAY
        await until_rest(kept)
        assert gone(kept, admins) >= set(said)


async def read_anew(kept: Kept) -> None:
    """So that it is known when was written what we have written ourselves."""
    kept.stage.engine.rooms.doubt_all()
    await kept.stage.engine.rooms.observe()


def gone(kept: Kept, room: RoomId) -> set[EventId]:
    timeline = kept.stage.server.rooms[room].timeline
    return {event.redacts for event in timeline if event.type == "m.room.redaction"}


async def test_a_room_with_thousands_keeps_no_other_waiting(kept: Kept) -> None:
    await kept.stage.say("admin", "!c group set Brno retention 24h")
    brno = await kept.stage.room("Brno")
    for _ in range(TURN + MOST):
        await kept.say()
    there = await kept.stage.person("bot").send_message(brno, "m.room.message", TEXT, "b")
    await read_anew(kept)
    kept.hand.ms += 3 * DAY + HOUR
    await kept.service.round()
    assert there in gone(kept, brno)
    assert len(kept.deletions()) < TURN + MOST
    await until_rest(kept)
    assert len(kept.deletions()) == TURN + MOST
