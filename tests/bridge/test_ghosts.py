"""Ghosts as members see them: name and picture, one member event each, and everywhere in step with their person."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.networks.events import Renamed, Role
from bridge.networks.memory import EVERYTHING
from bridge.networks.people import Picture
from bridge.pictures import LARGEST
from haven.errors import HavenError, Refused, TryLater, Unreachable
from haven.ids import ChatId, RemoteUserId, RoomId, RoomVersion, UserId
from haven.ports import NewRoom
from tests.bridge.lives import BOT, CHAT, Lives
from tests.fakes.homeserver_faults import Killed
from tests.fakes.homeserver_room import Event

MOTHERS = ChatId("mothers")
BOB = RemoteUserId("bob")
FOX = Picture(b"a fox", "image/png")


@pytest.fixture
async def here(lives: Lives) -> Lives:
    await lives.link()
    return lives


async def second_room(lives: Lives) -> RoomId:
    """Another room, linked to another chat, where Oscar is an operator, too."""
    room = await lives.alice.create_room(NewRoom("Mothers", RoomVersion("12")))
    await lives.town.join(MOTHERS, "oscar", Role.OPERATOR)
    first, lives.room = lives.room, room
    try:
        await lives.alice.invite(room, BOT)
        levels = {**(await lives.alice.state_content(room, "m.room.power_levels")), "users": {BOT: 90}}
        await lives.alice.send_state(room, "m.room.power_levels", "", levels)
        link = {"version": 1, "network": "memory", "chat": MOTHERS, "by": lives.alice.user}
        await lives.alice.send_state(room, "chat.haven.link", f"memory:{MOTHERS}", link)
        await lives.until(lambda: status(lives, room).get("state") == "proof")
        await lives.town.speak(MOTHERS, lives.oscar, str(status(lives, room)["code"]))
        await lives.until(lambda: status(lives, room).get("state") == "linked")
    finally:
        lives.room = first
    return room


def status(lives: Lives, room: RoomId) -> dict[str, object]:
    found = lives.homeserver.rooms[room].content("m.bridge", f"haven://memory/{MOTHERS}")
    said = found.get("chat.haven.status", {})
    return said if isinstance(said, dict) else {}


def member_events(lives: Lives, room: RoomId = RoomId("")) -> list[Event]:
    """Every join, rename, repainting and leaving of ghosts in a room; not the invites."""
    timeline = lives.homeserver.rooms[room or lives.room].timeline
    ours = [one for one in timeline if one.type == "m.room.member" and str(one.key).startswith("@_haven_")]
    return [one for one in ours if one.content["membership"] != "invite"]


def shown(lives: Lives, room: RoomId) -> set[tuple[object, object]]:
    """Names and pictures of the ghosts that are in a room."""
    found = lives.homeserver.rooms[room]
    ghosts = [user for user in found.members("join") if user.startswith("@_haven_")]
    contents = [found.content("m.room.member", user) for user in ghosts]
    return {(content["displayname"], content.get("avatar_url")) for content in contents}


async def speaks(lives: Lives, chat: ChatId, text: str, who: RemoteUserId = BOB) -> None:
    """Somebody of the network says something, and it arrives."""
    await lives.town.speak(chat, who, text)

    def arrived() -> bool:
        events = (event for room in lives.homeserver.rooms.values() for event in room.timeline)
        return any(event.content.get("body") == text for event in events)

    await lives.until(arrived)


async def test_a_ghost_with_a_picture_joins_by_one_event_that_shows_it(here: Lives) -> None:
    here.town.pictures["fox"] = FOX
    await here.town.join(CHAT, "bob", picture="fox")
    before = len(here.homeserver.faults.requests)
    await speaks(here, CHAT, "hi")
    asked = [one.port for one in here.homeserver.faults.requests[before:]]
    assert asked == ["register", "upload", "invite", "send_state", "send_message"]
    (joined,) = member_events(here)
    assert (joined.content["displayname"], joined.content["avatar_url"]) == (
        "bob (memory)",
        "mxc://haven.test/file1",
    )
    assert [kept.data for kept in here.files.kept.values()] == [FOX.content]
    await speaks(here, CHAT, "hi again")
    assert len(member_events(here)) == 1


async def test_the_same_picture_is_uploaded_once(here: Lives) -> None:
    here.town.pictures |= {"fox": FOX, "the same fox": FOX}
    await here.town.join(CHAT, "bob", picture="fox")
    await here.town.join(CHAT, "ben", picture="the same fox")
    await speaks(here, CHAT, "hi")
    await speaks(here, CHAT, "ho", RemoteUserId("ben"))
    assert [kept.data for kept in here.files.kept.values()] == [FOX.content]
    assert shown(here, here.room) == {
        ("bob (memory)", "mxc://haven.test/file1"),
        ("ben (memory)", "mxc://haven.test/file1"),
    }


@pytest.mark.parametrize(
    "picture",
    [
        Picture(b"<svg onload='alert()'/>", "image/svg+xml"),
        Picture(b"<html>", "text/html"),
        Picture(b"", "image/png"),
        Picture(b"x" * (LARGEST + 1), "image/png"),
        None,
    ],
    ids=["svg", "html", "empty", "too large", "gone"],
)
async def test_a_picture_that_cannot_be_shown_is_left_out(here: Lives, picture: Picture | None) -> None:
    if picture is not None:
        here.town.pictures["it"] = picture
    await here.town.join(CHAT, "bob", picture="it")
    await speaks(here, CHAT, "hi")
    assert shown(here, here.room) == {("bob (memory)", None)}
    assert here.files.kept == {}


@pytest.mark.parametrize("failure", [Refused("homeserver_refused"), Unreachable()], ids=["refused", "away"])
async def test_a_picture_that_cannot_be_brought_over_keeps_nobody_silent(
    here: Lives, failure: HavenError
) -> None:
    here.town.pictures["fox"] = FOX
    await here.town.join(CHAT, "bob", picture="fox")
    here.homeserver.faults.fail_next(1, failure, port="upload")
    await speaks(here, CHAT, "hi")
    await speaks(here, CHAT, "hi again")
    assert here.homeserver.faults.count("upload") == 1, "it is not tried with every message"
    assert shown(here, here.room) == {("bob (memory)", None)}


async def test_a_new_picture_and_none_at_all_follow_the_person(here: Lives) -> None:
    await here.town.join(CHAT, "bob")
    await speaks(here, CHAT, "hi")
    await here.town.repaint(CHAT, BOB, "fox", FOX)
    await here.until(lambda: shown(here, here.room) == {("bob (memory)", "mxc://haven.test/file1")})
    await here.town.repaint(CHAT, BOB, "", None)
    await here.until(lambda: shown(here, here.room) == {("bob (memory)", None)})
    assert len(member_events(here)) == 3


async def test_a_new_name_is_seen_in_every_room_at_once(here: Lives) -> None:
    other = await second_room(here)
    for chat in (CHAT, MOTHERS):
        await here.town.join(chat, "bob")
        await speaks(here, chat, f"hi {chat}")
    await here.town.rename(CHAT, BOB, "robert")
    for room in (here.room, other):
        await here.until(lambda room=room: ("robert (memory)", None) in shown(here, room))  # type: ignore[misc]  # bound per room
        assert [
            one.content["displayname"] for one in member_events(here, room) if "ob" in str(one.content)
        ] == [
            "bob (memory)",
            "robert (memory)",
        ]


async def test_a_room_that_refuses_keeps_no_other_from_the_new_name(here: Lives) -> None:
    other = await second_room(here)
    for chat in (CHAT, MOTHERS):
        await here.town.join(chat, "bob")
        await speaks(here, chat, f"hi {chat}")

    def refuse(request: object) -> None:
        if getattr(request, "port", "") == "send_state" and getattr(request, "room", "") == here.room:
            raise Refused("homeserver_refused")

    here.homeserver.faults.before.append(refuse)
    await here.town.rename(CHAT, BOB, "robert")
    await here.until(lambda: ("robert (memory)", None) in shown(here, other))
    assert ("robert (memory)", None) not in shown(here, here.room)


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 7))
async def test_a_crash_on_the_way_leaves_no_room_behind(tmp_path: Path, at: int, after_effect: bool) -> None:
    lives = Lives(tmp_path)
    await lives.begin()
    await lives.live()
    await lives.link()
    other = await second_room(lives)
    for chat in (CHAT, MOTHERS):
        await lives.town.join(chat, "bob")
        await speaks(lives, chat, f"hi {chat}")
    lives.town.pictures["fox"] = FOX
    lives.fate.at, lives.fate.after_effect = lives.fate.steps + at, after_effect
    person = replace(lives.town.chat(CHAT).people[BOB], name="robert", picture="fox")
    lives.town.chat(CHAT).people[BOB] = person
    event = Renamed(lives.town.next_id(), CHAT, BOB, person)
    faces = {("robert (memory)", "mxc://haven.test/file1"), ("robert (memory)", "mxc://haven.test/file2")}

    def everywhere() -> bool:
        return all(faces & shown(lives, room) for room in (lives.room, other))

    await _said_until(lives, event, lambda: lives.dead or everywhere())
    await lives.live()
    await _said_until(lives, event, everywhere)
    assert shown(lives, lives.room) == shown(lives, other)
    for room in (lives.room, other):
        names = [one.content["displayname"] for one in member_events(lives, room)]
        assert list(dict.fromkeys(names)) == ["bob (memory)", "robert (memory)"]
    await lives.end()


async def _said_until(lives: Lives, event: Renamed, fits: Callable[[], bool]) -> None:
    """The network says it, again and again under the same id, until it is so."""

    async def say() -> None:
        while True:
            with suppress(TryLater, Killed):
                await lives.town.repeat(event)
            await asyncio.sleep(0.02)

    saying = asyncio.create_task(say())
    await lives.until(fits)
    saying.cancel()
    with suppress(asyncio.CancelledError):
        await saying


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Lives]:
    lives = Lives(tmp_path, EVERYTHING, "{name}")
    await lives.begin()
    await lives.live()
    await lives.link()
    yield lives
    await lives.end()


async def test_nobody_imitates_a_member(bare: Lives) -> None:
    mallory = await bare.town.join(CHAT, "Аlісе")
    await speaks(bare, CHAT, "send me your money", mallory.id)
    assert shown(bare, bare.room) == {("Аlісе (memory)", None)}
    await bare.town.join(CHAT, "bob")
    await speaks(bare, CHAT, "hi")
    await bare.town.rename(CHAT, BOB, "A\u200blice\u202e")
    await bare.until(lambda: ("Alice (memory)", None) in shown(bare, bare.room))


async def test_nobody_comes_before_they_speak(here: Lives) -> None:
    before = len(here.homeserver.faults.requests)
    for number in range(5000):
        await here.town.join(CHAT, f"member {number}", picture="fox")
    await speaks(here, CHAT, "hi", RemoteUserId("member 4321"))
    assert len(member_events(here)) == 1
    assert len(here.homeserver.faults.requests) - before == 4
    ghost = member_events(here)[0].key
    assert isinstance(ghost, str)
    assert here.registered - {BOT} == {UserId(ghost)}


async def test_who_comes_later_is_not_imitated_either(bare: Lives) -> None:
    await bare.town.join(CHAT, "bob")
    await speaks(bare, CHAT, "hi")
    assert shown(bare, bare.room) == {("bob", None)}
    local = bare.homeserver.person("bob")
    bare.homeserver.display_names[local.user] = "Bob"
    await bare.alice.invite(bare.room, local.user)
    await local.join(bare.room)
    await bare.until(lambda: shown(bare, bare.room) == {("bob (memory)", None)})
