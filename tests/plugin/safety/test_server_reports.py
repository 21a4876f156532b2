"""What members report by their client's own button: fetched from the homeserver, each once, whatever happens meanwhile."""

import pytest

from embedded.waiting import eventually
from haven.errors import Refused, Unreachable
from haven.ids import EventId, RoomId
from plugin.config import Settings
from plugin.safety.server_reports import PLACE, Reported
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.stage import Stage
from tests.plugin.commands.test_report import BAD, card, cards, wrote
from tests.plugin.entrance.lives import living


async def reported(
    stage: Stage, name: str, event: EventId, reason: str = "", room: RoomId | None = None
) -> None:
    """Somebody has reported a message by their client."""
    reports = stage.server.reports
    where = room or await stage.room("general")
    reports.append(Reported(len(reports) + 1, where, event, stage.user(name), reason))


@pytest.fixture
async def told(stage: Stage) -> Stage:
    """A stage whose homeserver tells the bot what is reported, from now on."""
    stage.server.admins.add(stage.bot)
    await stage.services.safety.server_reports.look()
    return stage


async def look(stage: Stage) -> None:
    await stage.services.safety.server_reports.look()


async def test_a_report_becomes_the_same_card(told: Stage) -> None:
    event = await wrote(told)
    await reported(told, "greeter", event, "It hurts")
    await look(told)
    _, said = await card(told)
    assert f"https://matrix.to/#/{await told.room('general')}/{event}" in said
    assert "One person" in said
    assert "They say: It hurts" in said
    assert BAD not in said
    assert told.user("greeter") not in said


async def test_who_flags_and_reports_counts_once_and_many_are_one_card(told: Stage) -> None:
    event, general = await wrote(told), await told.room("general")
    flag = await told.person("greeter").send_message(general, "m.reaction", {"x": 1}, "f")
    await told.services.safety.reports.take(general, event, told.user("greeter"), flag)
    for name in ("greeter", "groupadmin", "announcer", "groupadmin", "admin"):
        await reported(told, name, event)
    await look(told)
    assert "4 people" in (await card(told))[1]


async def test_nothing_is_taken_twice_though_it_was_decided(told: Stage) -> None:
    event = await wrote(told)
    await reported(told, "greeter", event)
    await look(told)
    await look(told)
    (open_card,) = await told.services.desk.cards.open("report", told.space)
    await told.services.desk.cards.withdraw(open_card, ())
    await look(told)
    assert await told.services.desk.cards.open("report", told.space) == ()


async def test_what_is_not_ours_or_older_than_the_bot_is_left_alone(stage: Stage) -> None:
    event, direct = await wrote(stage), await stage.direct("member")
    await reported(stage, "greeter", event)
    stage.server.admins.add(stage.bot)
    await look(stage)
    await look(stage)
    said = await stage.person("member").send_message(
        direct, "m.room.message", {"msgtype": "m.text", "body": "x"}, "x"
    )
    await reported(stage, "member", said, room=direct)
    await reported(stage, "greeter", event, room=RoomId("!elsewhere:haven.test"))
    await reported(stage, "greeter", EventId("$gone"))
    await look(stage)
    assert await cards(stage) == []
    assert await stage.engine.store.recall(PLACE) == "4"


async def test_where_the_homeserver_does_not_tell_us_it_is_said(stage: Stage) -> None:
    with pytest.raises(Refused):
        await look(stage)
    assert "does not reach me here" in await stage.answer("admin", "!c reports", "admins")


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("at", range(1, 8))
async def test_dying_over_reports_loses_none_and_counts_each_once(
    server: FakeHomeserver, store: Store, at: int, after_effect: bool
) -> None:
    settings = Settings(server_admin=True)
    async with living(server, store) as life:
        stage, space = life.stage, life.space
        server.admins.add(stage.bot)
        await look(stage)
        events = [await wrote(stage), await wrote(stage)]
        for event in events:
            await reported(stage, "greeter", event)
            await reported(stage, "groupadmin", event)
        server.faults.kill(at=at, user=stage.bot, after_effect=after_effect)
        await survives(look(stage))
    server.faults.forgive()
    async with living(server, store, space=space, ahead=120_000, configured=settings) as life:
        general = await life.stage.room("general")
        for event in events:
            await life.told("admins", f"https://matrix.to/#/{general}/{event}")

        async def counted() -> bool:
            return [text.count("2 people have reported it") for _, text in await cards(life.stage)] == [1, 1]

        await eventually(counted, "both count two people", interval=0.01)
        assert len(await cards(life.stage)) == len(events)
        assert life.stage.services.safety.server_reports.able


async def test_a_homeserver_in_trouble_is_asked_again(server: FakeHomeserver, store: Store) -> None:
    server.admins.add(server.person("bot").user)
    server.faults.fail_next(3, Unreachable(), port="event_reports")
    async with living(server, store, configured=Settings(server_admin=True)) as life:
        await life.until(lambda: server.faults.count("event_reports") >= 4, "it is asked until it answers")
        assert life.stage.services.safety.server_reports.able


async def test_a_homeserver_that_refuses_is_left_in_peace(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store, configured=Settings(server_admin=True)) as life:
        await life.until(lambda: not life.stage.services.safety.server_reports.able, "it was refused")
        await reported(life.stage, "greeter", await wrote(life.stage))
        assert "does not reach me here" in await life.stage.answer("admin", "!c reports", "admins")
        assert server.faults.count("event_reports") == 1
