"""Messages that are too old are deleted by the bot, politely, once each, and also after it was down or has died over it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from embedded.waiting import eventually
from haven.errors import Invalid, RateLimited, Refused, Unreachable
from haven.ids import EventId, RoomId
from haven.ports import Content
from plugin.config import Settings
from plugin.durations import DAY, HOUR
from plugin.service.disappearing import MEMORY, MOST, Disappearing, open_disappearing
from plugin.service.suggestions import KIND
from plugin.store import Store
from tests.fakes.homeserver import FIRST_MILLISECOND, FakeHomeserver
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.stage import Stage, staged

TEXT: Content = {"msgtype": "m.text", "body": "Hola"}


@dataclass
class Hand:
    """A clock that goes by hand, and by waiting."""

    ms: int = FIRST_MILLISECOND
    waited: float = 0.0

    def epoch(self) -> int:
        """Milliseconds since 1970."""
        self.ms += 1
        return self.ms

    def now(self) -> float:
        """Seconds."""
        return self.ms / 1_000

    async def wait(self, seconds: float) -> None:
        """Seconds pass, and others get their turn."""
        self.waited += seconds
        self.ms += round(seconds * 1_000)
        await asyncio.sleep(0)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def server(hand: Hand) -> FakeHomeserver:
    return FakeHomeserver(clock=hand.epoch)


@dataclass
class Kept:
    """A group that keeps what is said for a while. ``service``: who deletes."""

    stage: Stage
    hand: Hand
    service: Disappearing
    room: RoomId

    async def say(self, kind: str = "m.room.message", content: Content = TEXT) -> EventId:
        """A member says something."""
        count = len(self.stage.server.rooms[self.room].events)
        return await self.stage.person("member").send_message(self.room, kind, content, f"t{count}")

    def stands(self, event: EventId) -> bool:
        """Whether a message has not been deleted."""
        return bool(self.stage.server.rooms[self.room].events[event].content)

    def deletions(self) -> list[EventId]:
        """What was deleted, in order; twice what was deleted twice."""
        timeline = self.stage.server.rooms[self.room].timeline
        return [event.redacts for event in timeline if event.type == "m.room.redaction"]


@asynccontextmanager
async def keeping(
    server: FakeHomeserver, store: Store, hand: Hand, *, space: RoomId | None = None, retention: str = "24h"
) -> AsyncIterator[Kept]:
    """One life of the bot."""
    async with staged(server, store, empty=space is not None) as stage:
        stage.space = space or stage.space
        if space is None:
            await stage.say("admin", f"!c group set Madrid retention {retention}")
        stage.services.desk.timers.epoch = hand.epoch
        stage.engine.clock = hand
        service = open_disappearing(stage.engine, stage.services.desk, stage.services.messages)
        stage.engine.rooms.doubt_all()
        await stage.engine.communities.intent()
        yield Kept(stage, hand, service, await stage.room("Madrid"))


@pytest.fixture
async def kept(server: FakeHomeserver, store: Store, hand: Hand) -> AsyncIterator[Kept]:
    async with keeping(server, store, hand) as made:
        yield made


async def test_what_is_too_old_goes_and_what_is_not_stays(kept: Kept) -> None:
    old = [await kept.say(), await kept.say("m.room.encrypted", {"ciphertext": "x"})]
    old.append(await kept.say("m.reaction", {"m.relates_to": {"event_id": old[0], "key": "👍"}}))
    kept.hand.ms += 23 * HOUR
    young = await kept.say()
    await kept.service.round()
    assert kept.deletions() == []
    kept.hand.ms += 2 * HOUR
    await kept.service.round()
    assert kept.deletions() == old
    assert kept.stands(young)
    kept.hand.ms += DAY
    await kept.service.round()
    assert kept.deletions() == [*old, young]


async def test_state_stays_and_so_does_what_is_said_elsewhere(kept: Kept) -> None:
    general = await kept.stage.room("general")
    there = await kept.stage.person("member").send_message(general, "m.room.message", TEXT, "g")
    await kept.say()
    state = dict(kept.stage.server.rooms[kept.room].state)
    kept.hand.ms += 400 * DAY
    await kept.service.round()
    room = kept.stage.server.rooms[kept.room]
    assert {key: room.events[event].content for key, event in room.state.items()} == {
        key: room.events[event].content for key, event in state.items()
    }
    assert room.content("m.room.name")
    assert kept.stage.server.rooms[general].events[there].content
    assert len(kept.deletions()) == 1


async def test_it_is_not_asked_again_before_something_can_be_too_old(kept: Kept) -> None:
    await kept.say()
    left = await kept.service.round()
    assert 3_000 < left <= 3_600
    kept.stage.forget()
    for _ in range(10):
        kept.hand.ms += HOUR
        await kept.service.round()
    assert kept.stage.server.faults.count("history", "redact") == 0


async def test_what_is_gone_is_not_walked_through_again(kept: Kept) -> None:
    for _ in range(MOST + 20):
        await kept.say()
    kept.hand.ms += 2 * DAY
    await kept.service.round()
    assert len(kept.deletions()) == MOST + 20
    await kept.say()
    kept.hand.ms += 2 * DAY
    kept.stage.forget()
    await kept.service.round()
    assert len(kept.deletions()) == MOST + 21
    # What we did ourselves, the deletions, lies in between; what was before it is not asked for.
    assert kept.stage.server.faults.count("history") <= 4
    assert "" not in {r.about for r in kept.stage.server.faults.requests if r.port == "history"}


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("at", range(1, 9))
async def test_dying_over_it_it_goes_on_in_the_next_life_and_deletes_nothing_twice(
    server: FakeHomeserver, store: Store, hand: Hand, at: int, after_effect: bool
) -> None:
    async with keeping(server, store, hand) as kept:
        old = [await kept.say() for _ in range(4)]
        hand.ms += 2 * DAY
        young, space = await kept.say(), kept.stage.space
        server.faults.kill(at=at, user=kept.stage.bot, after_effect=after_effect)
        await survives(kept.service.round())
        server.faults.forgive()
    async with keeping(server, store, hand, space=space) as again:
        hand.ms += 2 * HOUR
        await again.service.round()
        assert again.deletions() == old
        assert again.stands(young)


async def test_after_a_long_time_without_us_everything_goes_at_once(
    server: FakeHomeserver, store: Store, hand: Hand
) -> None:
    async with keeping(server, store, hand) as kept:
        await kept.say()
        await kept.service.round()
        space = kept.stage.space
    for _ in range(5):
        await kept.say()
    hand.ms += 30 * DAY
    async with keeping(server, store, hand, space=space) as again:
        await again.service.round()
        assert len(again.deletions()) == 6


async def test_a_homeserver_that_slows_us_down_is_given_more_time_than_it_asks_for(kept: Kept) -> None:
    old = [await kept.say() for _ in range(6)]
    kept.hand.ms += 2 * DAY
    kept.stage.server.faults.fail_next(3, RateLimited(7), port="redact")
    await kept.service.round()
    assert kept.deletions() == old
    assert kept.hand.waited == 3 * (2 * 7 + 5)


async def test_it_waits_out_a_homeserver_that_is_down_and_goes_on(kept: Kept) -> None:
    old = [await kept.say() for _ in range(3)]
    kept.hand.ms += 2 * DAY
    kept.stage.server.faults.fail_next(2, Unreachable(), port="redact")
    task = asyncio.create_task(kept.service.run())

    async def all_gone() -> bool:
        return kept.deletions() == old

    await eventually(all_gone, "all that is too old is deleted")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert kept.stage.server.faults.count("redact", user=kept.stage.bot) == len(old) + 2


async def test_without_the_power_nothing_is_done_for_an_hour(kept: Kept) -> None:
    old = await kept.say()
    kept.hand.ms += 2 * DAY
    refusal = Refused("homeserver_refused", code="M_FORBIDDEN")
    kept.stage.server.faults.fail_next(1, refusal, port="redact")
    await kept.service.round()
    kept.stage.forget()
    await kept.service.round()
    assert kept.stage.server.faults.count("history") == 0
    kept.hand.ms += HOUR
    await kept.service.round()
    assert kept.deletions() == [old]


async def test_a_place_that_the_homeserver_does_not_know_any_more_begins_anew(kept: Kept) -> None:
    await kept.stage.engine.store.keep(f"{MEMORY} {kept.room}", f"0 {DAY} lost")
    old = await kept.say()
    kept.hand.ms += 2 * DAY
    for _ in range(2):
        await kept.service.round()
        kept.hand.ms += 2 * HOUR
    assert kept.deletions() == [old]


async def test_what_cannot_be_deleted_keeps_nothing_else_from_it(kept: Kept) -> None:
    old = [await kept.say() for _ in range(3)]
    kept.hand.ms += 2 * DAY
    kept.stage.server.faults.fail_next(1, Invalid("homeserver_invalid", code="M_UNKNOWN"), port="redact")
    await kept.service.round()
    assert kept.deletions() == old[1:]


async def test_a_message_with_a_time_to_come_keeps_nothing_else_from_it(kept: Kept) -> None:
    early = await kept.say()
    now, kept.hand.ms = kept.hand.ms, kept.hand.ms + 900 * DAY
    strange = await kept.say()
    kept.hand.ms = now
    later = [await kept.say() for _ in range(MOST)]
    kept.hand.ms += 2 * DAY
    await kept.service.round()
    assert kept.deletions() == [early, *later]
    assert kept.stands(strange)


async def test_a_question_to_the_admins_stays_until_it_is_answered(kept: Kept) -> None:
    stage = kept.stage
    await stage.say("owner", "!c group set Admins retention 24h", "admins")
    await stage.say("member", "!c suggest Praga")
    (card,) = await stage.services.desk.cards.open(KIND, stage.space)
    kept.hand.ms += 2 * DAY
    await kept.service.round()
    events = stage.server.rooms[card.room].events
    assert events[card.event].content
    await stage.say("admin", f"!c reject {card.id}", "admins")
    kept.hand.ms += 2 * DAY
    await kept.service.round()
    assert not events[card.event].content


async def test_a_shorter_time_holds_after_a_day_in_which_it_can_be_taken_back(
    server: FakeHomeserver, store: Store, hand: Hand
) -> None:
    async with keeping(server, store, hand, retention="90d") as kept:
        old = await kept.say()
        hand.ms += 2 * DAY
        await kept.service.round()
        assert kept.deletions() == []
        await kept.stage.say("admin", "!c group set Madrid retention 24h")
        for _ in range(23):
            await kept.service.round()
            hand.ms += HOUR
        assert kept.deletions() == []
        hand.ms += 2 * HOUR
        await kept.service.round()
        assert kept.deletions() == [old]


async def test_taken_back_within_a_day_nothing_has_gone(kept: Kept) -> None:
    await kept.say()
    kept.hand.ms += 5 * DAY
    await kept.stage.say("admin", "!c group set Madrid retention off")
    await kept.stage.say("admin", "!c group set Madrid retention 24h")
    await kept.service.round()
    kept.hand.ms += 20 * HOUR
    await kept.service.round()
    assert kept.deletions() == []


async def test_a_time_that_can_only_be_a_mistake_is_not_obeyed(kept: Kept) -> None:
    await kept.say()
    seconds_taken_for_milliseconds = {"max_lifetime": 7 * 24 * 3_600}
    await kept.stage.person("owner").send_state(
        kept.room, "m.room.retention", "", seconds_taken_for_milliseconds
    )
    kept.hand.ms += 30 * DAY
    await kept.stage.engine.rooms.observe()
    await kept.service.round()
    assert kept.deletions() == []


async def test_nothing_is_deleted_where_it_is_off_or_the_community_rests(kept: Kept) -> None:
    await kept.say()
    await kept.stage.say("admin", "!c group set Madrid retention off")
    kept.hand.ms += 200 * DAY
    await kept.service.round()
    assert kept.deletions() == []
    await kept.stage.say("admin", "!c group set Madrid retention 24h")
    await kept.stage.say("owner", "!c deactivate Fathers")
    await kept.service.round()
    assert kept.deletions() == []


async def test_a_group_that_keeps_nothing_for_long_from_now_on_wakes_it(kept: Kept) -> None:
    await kept.say()
    kept.hand.ms += 2 * DAY
    await kept.service.noticed(await kept.stage.room("general"))
    assert not kept.service._wake.is_set()
    await kept.service.noticed(kept.room)
    assert kept.service._wake.is_set()


async def test_nothing_is_said_about_it(kept: Kept) -> None:
    await kept.say()
    kept.hand.ms += 2 * DAY
    kept.stage.forget()
    await kept.service.round()
    assert kept.stage.server.faults.count("send_message") == 0


@pytest.mark.parametrize("by", ["bot", "server"])
async def test_it_is_the_bots_affair_only_where_the_operator_says_so(
    server: FakeHomeserver, store: Store, by: str
) -> None:
    async with staged(server, store, configured=Settings(retention=by), empty=True) as stage:
        service = open_disappearing(stage.engine, stage.services.desk, stage.services.messages)
        assert (service.run in stage.engine.besides) is (by == "bot")
