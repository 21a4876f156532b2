"""`mute`, `unmute`, `lockdown`, `open`: who may speak, until when, and that all is as it was afterwards."""

import pytest

from embedded.waiting import eventually
from haven.errors import Refused
from haven.ids import RoomId
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import BRIDGE, Stage, staged
from tests.plugin.commands.test_report import card, decide, flag, wrote
from tests.plugin.commands.test_strays import awake

HOUR = 3_600_000


async def can_speak(stage: Stage, name: str, room: str = "general") -> bool:
    """Whether somebody can say something."""
    where, client = await stage.room(room), stage.person(name)
    count = len(stage.server.rooms[where].events)
    try:
        await client.send_message(where, "m.room.message", {"msgtype": "m.text", "body": "x"}, f"s{count}")
    except Refused:
        return False
    return True


async def test_who_is_muted_cannot_speak_anywhere_until_unmuted(stage: Stage) -> None:
    assert "is quiet in every room" in await stage.answer("moderator", "!c mute @member:haven.test")
    assert not await can_speak(stage, "member")
    assert not await can_speak(stage, "member", "Madrid")
    assert "may speak again" in await stage.answer("moderator", "!c unmute @member:haven.test")
    assert await can_speak(stage, "member")
    assert await can_speak(stage, "member", "Madrid")


async def test_a_mute_can_be_about_one_group(stage: Stage) -> None:
    await stage.say("moderator", "!c mute @member:haven.test --group Madrid")
    assert not await can_speak(stage, "member", "Madrid")
    assert await can_speak(stage, "member")


async def test_a_second_mute_never_ends_the_first_sooner(stage: Stage) -> None:
    await stage.say("moderator", "!c mute @member:haven.test")
    assert "until `!c unmute`" in await stage.answer("moderator", "!c mute @member:haven.test --for 1h")


async def over(stage: Stage) -> None:
    """Let the time of every mute be over."""
    timers = stage.services.desk.timers
    epoch = timers.epoch

    def later() -> int:
        return epoch() + 3 * HOUR

    timers.epoch = later
    stage.engine.communities.epoch = later


async def spoken(stage: Stage) -> None:
    """Wait until the member may speak."""

    async def check() -> bool:
        return stage.power(await stage.room("general"), "member") == 0

    await eventually(check, "the member may speak", timeout=5, interval=0.005)


async def test_a_mute_ends_by_itself(stage: Stage) -> None:
    assert "until 20" in await stage.answer("moderator", "!c mute @member:haven.test --for 2h")
    await over(stage)
    async with awake(stage):
        await spoken(stage)

        async def written() -> bool:
            deeds = await stage.services.desk.audit.store.deeds(stage.space, 5)
            return ("mute_over", "timer") in [(deed.what, str(deed.door)) for deed in deeds]

        await eventually(written, "it is written down", timeout=5, interval=0.005)
    assert await can_speak(stage, "member")
    assert (await stage.community()).muted == {}


async def test_who_was_unmuted_before_has_no_end_written_down(stage: Stage) -> None:
    await stage.say("moderator", "!c mute @member:haven.test --for 2h")
    await stage.say("moderator", "!c unmute @member:haven.test")
    assert await stage.services.desk.timers.store.timers("mute") == ()


async def test_a_mute_ends_also_where_its_timer_was_lost(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store) as stage:
        await stage.say("moderator", "!c mute @member:haven.test --for 2h")
        space, room = stage.space, await stage.room("general")
    await store._database.execute("DELETE FROM timer")
    async with staged(server, store, empty=True) as stage:
        stage.space = space
        await over(stage)
        async with awake(stage):
            await spoken(stage)
        assert stage.power(room, "member") == 0


REFUSED = [
    ("moderator", "mute @moderator:haven.test", "to yourself"),
    ("moderator", "mute @bot:haven.test", "keep the community going"),
    ("moderator", f"mute @{BRIDGE}:haven.test", "keep the community going"),
    ("admin", "mute @owner:haven.test", "the owner"),
    ("moderator", "mute @admin:haven.test", "is `admin`"),
    ("moderator", "mute @nobody:haven.test", "is not in any room"),
    ("moderator", "mute @member:haven.test --for ever", "no span of time"),
    ("moderator", "mute @member:haven.test --group Lisbon", "no group “Lisbon”"),
    ("moderator", "unmute @member:haven.test", "is not muted"),
    ("greeter", "mute @member:haven.test", "cannot do that as `greeter`"),
    ("member", "mute @greeter:haven.test", "cannot do that as `member`"),
    ("stranger", "unmute @member:haven.test", "Only members"),
    ("moderator", "lockdown", "cannot do that as `moderator`"),
    ("member", "open", "cannot do that as `member`"),
    ("stranger", "lockdown", "Only members"),
]


@pytest.mark.parametrize(("name", "command", "words"), REFUSED, ids=str)
async def test_refusals_say_why_and_write_nothing(stage: Stage, name: str, command: str, words: str) -> None:
    stage.forget()
    assert words in await stage.answer(name, f"!c {command}")
    assert stage.written() == []


LOOK = ("m.room.power_levels", "m.room.join_rules")


async def frame(stage: Stage) -> dict[tuple[RoomId, str], object]:
    """Levels and join rules of all rooms."""
    rooms = (stage.space, *(group.room for group in (await stage.community()).groups))
    return {(room, kind): stage.server.rooms[room].content(kind) for room in rooms for kind in LOOK}


@pytest.mark.parametrize("version", ["10", "12"])
async def test_lockdown_closes_everything_and_open_opens_it_as_it_was(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, version) as stage:
        await stage.engine.communities.repair(stage.space)
        before = await frame(stage)
        assert "Everything is closed" in await stage.answer("admin", "!c lockdown a raid")
        assert not await can_speak(stage, "member")
        assert await can_speak(stage, "moderator")
        with pytest.raises(Refused):
            await stage.person("stranger").join(stage.space)
        assert "closed already" in await stage.answer("admin", "!c lockdown")
        assert "as it was" in await stage.answer("owner", "!c open")
        assert await frame(stage) == before
        assert await can_speak(stage, "member")
        assert "Nothing was closed" in await stage.answer("admin", "!c open")


async def test_a_reported_author_is_muted_for_a_day_by_a_reaction(stage: Stage) -> None:
    await flag(stage, "greeter", await wrote(stage))
    assert "quiet for a day" in await decide(stage, "moderator", "🔇")
    assert not await can_speak(stage, "member")
    (mute,) = (await stage.community()).muted.values()
    assert mute.until is not None


async def test_a_reported_author_is_put_out_by_a_reaction(stage: Stage) -> None:
    await flag(stage, "greeter", await wrote(stage))
    assert "put out" in await decide(stage, "moderator", "👢")
    assert stage.server.rooms[stage.space].membership(stage.user("member")) == "leave"


async def test_a_reported_admin_is_not_put_out_by_a_moderator(stage: Stage) -> None:
    await flag(stage, "member", await wrote(stage, "admin"))
    before = (await card(stage))[1]
    assert await decide(stage, "moderator", "👢") == before
    assert stage.server.rooms[stage.space].membership(stage.user("admin")) == "join"
