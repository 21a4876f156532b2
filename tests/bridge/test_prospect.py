"""What `haven-bridge plan` says of whole communities, and what `bridge chats` is answered."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.config import Secrets
from bridge.prospect import Prospect, prospects
from bridge.rooms import Rooms
from bridge.store import Store
from haven.ids import RoomVersion
from haven.ports import NewRoom, StateEvent
from haven.stateevents import GROUP
from haven.wishes import LOOK
from tests.bridge.lives import BOT, FakeAppservice
from tests.bridge.parish import Parish


@pytest.fixture
async def parish(tmp_path: Path) -> AsyncIterator[Parish]:
    parish = Parish(tmp_path)
    await parish.begin("Madrid")
    yield parish
    await parish.lives.end()


async def planned(parish: Parish) -> list[Prospect]:
    """What the command finds while no bridge runs."""
    lives = parish.lives
    assert lives.bridge is not None
    settings = lives.bridge._settings
    await lives.die()
    lives.fate.dead = False
    homeserver, rooms = FakeAppservice(lives.homeserver, BOT, set(), lives._pinged, lives.files), Rooms()
    for room in await homeserver.joined_rooms():
        rooms.read(room, await homeserver.room_state(room))
    async with Store(f"sqlite:{lives.place}/bridge.db") as store:
        secrets = Secrets("as", "hs", b"0123456789abcdef")
        return [each async for each in prospects(settings, secrets, store, homeserver, rooms)]


async def test_the_plan_says_what_would_be_done_and_does_nothing(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid"))
    await parish.land.add(parish.chat, "Praga")
    await parish.lives.until(lambda: bool(parish.asked()))
    before = len(parish.lives.homeserver.faults.requests)
    await parish.lives.alice.send_state(parish.rooms["Madrid"], "m.room.name", "", {"name": "Madrid centro"})
    await parish.until_named("Madrid centro", "Praga")
    (found,) = await planned(parish)
    assert found.wrong is None
    assert found.lines == (
        ("found_here", {"name": "Praga", "chat": parish.land.named(parish.chat, "Praga")}),
    )
    writes = parish.lives.homeserver.faults.requests[before:]
    assert not [each for each in writes if each.user == BOT and each.port == "send_message"]


async def test_the_plan_says_what_stands_in_its_way(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid"))
    parish.land.parishes[parish.chat].forgetful = True
    (found,) = await planned(parish)
    assert found.wrong is not None
    assert found.wrong.key == "accord_empty"


async def test_admins_are_told_what_can_be_linked_once(parish: Parish) -> None:
    admins = parish.rooms["Admins"]
    await parish.lives.alice.send_state(admins, LOOK, "memory", {"version": 1, "by": parish.lives.alice.user})
    room = parish.lives.homeserver.rooms[admins]
    await parish.lives.until(lambda: room.content(LOOK, "memory") == {})
    (said,) = parish.told()
    assert f"{parish.chat} – Fathers (a whole community: add --whole)" in said
    await parish.lives.alice.send_state(admins, LOOK, "smoke", {"version": 1})
    await parish.lives.until(lambda: "I know no network smoke." in parish.told())


async def test_what_is_another_communitys_is_not_named(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid"))
    mallory = parish.lives.homeserver.person("mallory")
    levels = {"users": {BOT: 90}, "state_default": 90}
    theirs = StateEvent(GROUP, "", mallory.user, {"version": 1, "community": "!theirs", "kind": "admins"})
    room = await mallory.create_room(
        NewRoom("Admins", RoomVersion("12"), state=(theirs,), power=levels, invite=(BOT,))
    )
    inside = parish.lives.homeserver.rooms[room]
    await parish.lives.until(lambda: BOT in inside.members("join"))
    await mallory.send_state(room, LOOK, "memory", {"version": 1})
    await parish.lives.until(lambda: inside.content(LOOK, "memory") == {})
    (said,) = [str(event.content["body"]) for event in inside.timeline if event.type == "m.room.message"]
    assert "Fathers" not in said
    assert "Madrid" not in said
    assert "Brno" not in said


async def test_nobody_else_is_answered(parish: Parish) -> None:
    mallory = parish.lives.homeserver.person("mallory")
    admins = parish.rooms["Admins"]
    await parish.lives.alice.invite(admins, mallory.user)
    await mallory.join(admins)
    levels = await parish.lives.alice.state_content(admins, "m.room.power_levels")
    users = {**dict(levels["users"]), mallory.user: 90}  # type: ignore[call-overload]
    await parish.lives.alice.send_state(admins, "m.room.power_levels", "", {**levels, "users": users})
    await mallory.send_state(admins, LOOK, "memory", {"version": 1})
    await parish.link()
    assert parish.told() == []
