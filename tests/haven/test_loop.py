"""The loop over a homeserver that enforces its rules: foundings, promotions, and everything that comes between."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haven.errors import HavenError, RateLimited, Refused, Unreachable
from haven.founding import WishedGroup
from haven.guards import Bounds
from haven.ids import RoomId, RoomVersion
from haven.model import Community, Role
from haven.reconcile import LANES, ROUNDS
from tests.fakes.homeserver_faults import Request
from tests.haven.town import Town, inhabited, level_everywhere, open_wish, slots
from tests.haven.worlds import ANA, BO, BOT, CY, EVA, STRANGER, VERSIONS, Edit

SLOTS = sorted(f"wish/{part}" for part in ("space", "announcements", "general", "admins", "0", "1", "2"))

each_version = pytest.mark.parametrize("version", VERSIONS)


def _promote(community: Community) -> Community:
    return community.with_role(EVA, Role.ADMIN)


def _demote(community: Community) -> Community:
    return community.with_role(BO, Role.MEMBER)


@each_version
async def test_a_community_is_founded_from_nothing_and_stays(version: RoomVersion) -> None:
    town = Town(version)
    told: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        told.append((done, total))

    outcome = await town.found(open_wish(), progress)
    assert outcome.in_step
    assert slots(town) == SLOTS
    assert told == [(number, len(outcome.done)) for number in range(1, len(outcome.done) + 1)]
    written = town.server.faults.writes(BOT)
    assert (await town.found(open_wish())).done == ()
    assert (await town.settle(outcome.community.space)).in_step
    assert town.server.faults.writes(BOT) == written


@each_version
async def test_a_promotion_is_one_write_per_room_and_one_invite(version: RoomVersion) -> None:
    town, space = await inhabited(version)
    before = town.server.faults.writes(BOT)
    outcome = await town.settle(space, _promote)
    assert outcome.in_step
    assert level_everywhere(town, EVA) == {90}
    assert town.server.faults.writes(BOT) - before == len(SLOTS) + 1
    before = town.server.faults.writes(BOT)
    assert (await town.settle(space, _demote)).in_step
    assert level_everywhere(town, BO) == {0}
    assert town.server.faults.writes(BOT) - before == len(SLOTS) + 1
    admins = next(
        room for room in town.server.rooms.values() if room.content("m.room.name") == {"name": "Admins"}
    )
    assert admins.membership(BO) == "leave"


async def test_a_role_by_hand_while_nobody_looked_is_in_step_at_the_next_look() -> None:
    town, space = await inhabited()
    levels = town.server.rooms[space].content("m.room.power_levels")
    users = levels["users"]
    assert isinstance(users, dict)
    wanted = {**levels, "users": {**users, EVA: 50}}
    await town.server.client(ANA).send_state(space, "m.room.power_levels", "", wanted)
    assert (await town.settle(space)).in_step
    assert level_everywhere(town, EVA) == {50}


async def test_everything_ends_in_step_under_rate_limits_and_waits_what_it_was_told() -> None:
    town, space = await inhabited()
    rate, burst = 0.2, 3
    told: list[float] = []
    flying = most = 0
    town.server.faults.limit(rate, burst, lambda: town.clock.now)
    limiter = town.server.faults.before.pop()

    def limited(request: Request) -> None:
        try:
            limiter(request)
        except RateLimited as limit:
            told.append(limit.after or 0)
            raise

    async def takes_off(request: Request) -> None:
        nonlocal flying, most
        flying += request.writes
        most = max(most, flying) if told else most
        await asyncio.sleep(0)

    def lands(request: Request) -> None:
        nonlocal flying
        flying -= request.writes

    town.server.faults.before += [limited, takes_off]
    town.server.faults.after.append(lands)
    outcome = await town.settle(space, _promote)
    assert outcome.in_step
    assert level_everywhere(town, EVA) == {90}
    assert set(town.clock.waits) <= set(told)
    least = (len(outcome.done) - burst) / rate
    assert least <= town.clock.now <= 1.15 * least
    assert most <= 1


async def test_once_limited_nobody_asks_without_waiting_for_their_turn() -> None:
    """Each change is refused once more at most, after those that were on their way when the first refusal came."""
    town = Town()
    groups = tuple(WishedGroup(f"Group {number}") for number in range(10))
    space = (await town.found(replace(open_wish(), groups=groups))).community.space
    before = town.server.faults.writes(BOT)
    town.server.faults.limit(0.2, 3, lambda: town.clock.now)
    outcome = await town.settle(space, _promote)
    assert outcome.in_step
    refusals = town.server.faults.writes(BOT) - before - len(outcome.done)
    assert refusals <= len(outcome.done) - 3 + LANES


async def test_a_founding_survives_the_limits_for_making_rooms() -> None:
    town = Town()
    town.server.faults.limit(0.016, 2, lambda: town.clock.now)
    assert (await town.found(open_wish())).in_step
    assert slots(town) == SLOTS


async def test_rooms_are_done_side_by_side_where_nobody_limits_us() -> None:
    town, space = await inhabited()
    flying = most = 0

    async def takes_off(request: Request) -> None:
        nonlocal flying, most
        flying += request.writes
        most = max(most, flying)
        await asyncio.sleep(0)

    def lands(request: Request) -> None:
        nonlocal flying
        flying -= request.writes

    town.server.faults.before.append(takes_off)
    town.server.faults.after.append(lands)
    await town.settle(space, _promote)
    assert 1 < most <= LANES


@pytest.mark.parametrize("lose_answer", [False, True])
async def test_a_server_that_falters_is_asked_again(lose_answer: bool) -> None:
    town, space = await inhabited()
    tries: Counter[str] = Counter()

    def falter(request: Request) -> None:
        tries[request.room] += request.writes
        if request.writes and tries[request.room] <= 2:
            raise Unreachable

    (town.server.faults.after if lose_answer else town.server.faults.before).append(falter)
    assert (await town.settle(space, _promote)).in_step
    assert sorted(town.clock.waits) == [2.0] * len(SLOTS) + [4.0] * len(SLOTS)
    assert level_everywhere(town, EVA) == {90}


@pytest.mark.parametrize(("port", "edit"), [("kick", _demote), ("invite", _promote)])
async def test_who_was_removed_or_invited_by_a_lost_try_is_no_failure(port: str, edit: Edit) -> None:
    town, space = await inhabited()
    town.server.faults.fail_next(1, Unreachable(), port=port, lose_answer=True)
    outcome = await town.settle(space, edit)
    assert outcome.in_step
    assert town.server.faults.count(port, user=BOT) >= 2


@pytest.mark.parametrize("lose_answer", [False, True])
@pytest.mark.parametrize("at", range(7))
async def test_a_room_whose_making_got_lost_is_made_once(lose_answer: bool, at: int) -> None:
    town, count = Town(), 0
    hooks = town.server.faults.after if lose_answer else town.server.faults.before

    def lose(request: Request) -> None:
        nonlocal count
        count += request.port == "create_room"
        if request.port == "create_room" and count == at + 1:
            raise Unreachable

    hooks.append(lose)
    first = await town.found(open_wish())
    assert [type(failure.error) for failure in first.failures] == [Unreachable]
    assert (await town.found(open_wish())).in_step
    assert slots(town) == SLOTS


async def test_a_room_that_refuses_keeps_nobody_else_waiting() -> None:
    town, space = await inhabited()
    stubborn = next(
        room.id
        for room in town.server.rooms.values()
        if room.content("m.room.name") == {"name": "Announcements"}
    )

    def refuse(request: Request) -> None:
        if request.writes and request.room == stubborn:
            raise Refused("homeserver_refused", code="M_FORBIDDEN")

    town.server.faults.before.append(refuse)
    outcome = await town.settle(space, _promote)
    assert [failure.change.room for failure in outcome.failures] == [stubborn]
    assert not outcome.in_step
    assert town.server.rooms[stubborn].content("m.room.power_levels")["users"] == {ANA: 100, BO: 90, CY: 50}
    others = [room for room in town.server.rooms.values() if room.id != stubborn]
    assert all(EVA in str(room.content("m.room.power_levels")) for room in others)
    town.server.faults.forgive()
    assert (await town.settle(space)).in_step
    assert level_everywhere(town, EVA) == {90}


async def test_nothing_more_is_tried_in_a_room_that_refused() -> None:
    town, space = await inhabited()
    admins = next(
        room for room in town.server.rooms.values() if room.content("m.room.name") == {"name": "Admins"}
    )

    def refuse(request: Request) -> None:
        if (request.room, request.about) == (admins.id, "m.room.power_levels"):
            raise Refused("homeserver_refused", code="M_FORBIDDEN")

    town.server.faults.before.append(refuse)
    assert len((await town.settle(space, _promote)).failures) == 1
    assert admins.membership(EVA) == ""


async def test_a_server_that_stays_away_is_given_up_for_now() -> None:
    town, space = await inhabited()
    town.server.faults.fail_next(10_000, Unreachable(), port="send_state")
    outcome = await town.settle(space, _promote)
    assert [type(failure.error) for failure in outcome.failures] == [Unreachable]
    assert town.clock.waits == sorted(town.clock.waits)
    assert sum(town.clock.waits) > 60


async def test_a_plan_that_removes_too_many_is_refused_and_insisted_on() -> None:
    town, space = await inhabited()
    admins = next(
        room for room in town.server.rooms.values() if room.content("m.room.name") == {"name": "Admins"}
    )
    for number in range(11):
        await town.server.client(ANA).invite(admins.id, town.server.person(f"guest{number}").user)
    before = town.server.faults.writes(BOT)
    outcome = await town.settle(space, _promote)
    assert outcome.refused is not None
    assert outcome.refused.key == "guard_removals"
    assert town.server.faults.writes(BOT) == before
    assert (await town.settle(space, _promote, Bounds(insisted=True))).in_step
    assert len(admins.members("invite")) == 1


async def test_a_fight_with_another_bot_ends_and_is_reported() -> None:
    town, space = await inhabited()
    books = next(
        room for room in town.server.rooms.values() if room.content("m.room.name") == {"name": "Books"}
    )
    rival = town.server.client(ANA)
    await rival.send_state(books.id, "m.room.join_rules", "", {"join_rule": "invite"})

    async def undo(request: Request) -> None:
        if (request.user, request.port, request.about) == (BOT, "send_state", "m.room.join_rules"):
            await rival.send_state(books.id, "m.room.join_rules", "", {"join_rule": "invite"})

    town.server.faults.after.append(undo)
    outcome = await town.settle(space)
    assert outcome.left == 1
    assert not outcome.in_step
    assert len(outcome.done) == ROUNDS


async def test_progress_that_cannot_be_told_stops_nothing() -> None:
    async def progress(done: int, total: int) -> None:
        raise RateLimited(5)

    assert (await Town().found(open_wish(), progress)).in_step


people = st.sampled_from([ANA, BO, CY, EVA, STRANGER])
deeds = st.tuples(
    people,
    st.integers(0, 6),
    st.one_of(
        st.tuples(st.just("level"), people, st.integers(-5, 100)),
        st.tuples(st.just("join"), st.just(EVA), st.just(0)),
        st.tuples(st.just("leave"), st.just(EVA), st.just(0)),
        st.tuples(st.sampled_from(["kick", "ban", "invite"]), people, st.just(0)),
        st.tuples(st.sampled_from(["name", "topic", "join_rules", "pins"]), st.just(EVA), st.just(0)),
    ),
)
Deed = tuple[str, int, tuple[str, str, int]]


@given(st.lists(deeds, max_size=12), st.sampled_from(VERSIONS))
@settings(max_examples=20)
async def test_whatever_people_do_that_the_server_lets_them_is_in_step_after(
    history: list[Deed], version: RoomVersion
) -> None:
    town, space = await inhabited(version)
    rooms = sorted(town.server.rooms)
    for actor, place, deed in history:
        try:
            await _do(town, actor, rooms[place], deed)
        except HavenError:
            continue
    outcome = await town.settle(space, bounds=Bounds(insisted=True))
    assert outcome.in_step, outcome
    before = town.server.faults.writes(BOT)
    assert (await town.settle(space)).in_step
    assert town.server.faults.writes(BOT) == before


async def _do(town: Town, actor: str, room: RoomId, deed: tuple[str, str, int]) -> None:
    verb, about, level = deed
    client = town.server.client(type(ANA)(actor))
    levels = town.server.rooms[room].content("m.room.power_levels")
    users = levels["users"]
    assert isinstance(users, dict)
    match verb:
        case "level":
            await client.send_state(
                room, "m.room.power_levels", "", {**levels, "users": {**users, about: level}}
            )
        case "join":
            await client.join(room, ["home.org"])
        case "leave":
            await client.leave(room)
        case "kick" | "ban" | "invite":
            await getattr(client, verb)(room, about)
        case "join_rules":
            await client.send_state(room, "m.room.join_rules", "", {"join_rule": "public"})
        case _:
            await client.send_state(room, f"m.room.{verb}", "", {verb: f"By {actor}"})
