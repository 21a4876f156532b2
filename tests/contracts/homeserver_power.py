"""What a homeserver keeps about power: who may send, and who may change whose level, in each room version."""

import pytest

from haven.errors import Invalid, Refused
from haven.ids import RoomId, RoomVersion
from haven.ports import Content, Homeserver
from tests.contracts.homeserver_messages import reaction
from tests.contracts.homeserver_world import (
    LEVELS,
    TEXT,
    HomeserverContract,
    World,
    joining,
    level_of,
    levels,
    make,
    public,
    set_levels,
)

TOPIC: Content = {"topic": "mine"}


class PowerContract(HomeserverContract):
    """Power levels as they are enforced. In these rooms ana is the creator."""

    async def test_state_takes_power(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        room = await public(ana, version, ben, cam)
        await set_levels(ana, room, users={cam.user: 50}, events={"chat.haven.group": 90})
        with pytest.raises(Refused):
            await ben.send_state(room, "m.room.topic", "", TOPIC)
        await cam.send_state(room, "m.room.topic", "", TOPIC)
        with pytest.raises(Refused):
            await cam.send_state(room, "chat.haven.group", "", {})

    async def test_everybody_has_the_default(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben, users_default=50)
        await ben.send_state(room, "m.room.topic", "", TOPIC)
        await set_levels(ana, room, users={ben.user: 49})
        with pytest.raises(Refused):
            await ben.send_state(room, "m.room.topic", "", {"topic": "again"})

    async def test_announcements_only_take_reactions(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        by_type = {"m.reaction": 0, "m.room.redaction": 0}
        room = await public(ana, version, ben, cam, events_default=70, events=by_type)
        await set_levels(ana, room, users={cam.user: 70})
        said = await cam.send_message(room, "m.room.message", TEXT, "t")
        with pytest.raises(Refused):
            await ben.send_message(room, "m.room.message", TEXT, "t")
        with pytest.raises(Refused):
            await ben.send_message(room, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2"}, "e")
        reacted = await ben.send_message(room, "m.reaction", reaction(said), "r")
        await ben.redact(room, reacted, "", "u")
        with pytest.raises(Refused):
            await ben.redact(room, said, "", "v")

    async def test_levels_take_the_level_for_levels(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        await set_levels(ana, room, users={ben.user: 99})
        with pytest.raises(Refused):
            await set_levels(ben, room, kick=40)
        await set_levels(ana, room, events={LEVELS: 90})
        await set_levels(ben, room, kick=40)

    async def test_nobody_gives_more_than_they_have(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        room = await _with_deputy(version, ana, ben, cam)
        for beyond in (cam, ben):
            with pytest.raises(Refused):
                await set_levels(ben, room, users={beyond.user: 91})
        await set_levels(ben, room, users={cam.user: 90})
        assert await level_of(ana, room, cam.user) == 90

    async def test_nobody_changes_their_equals_or_betters(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam, dan = [await world.person(name) for name in ("ana", "ben", "cam", "dan")]
        room = await _with_deputy(version, ana, ben, cam, dan)
        await set_levels(ana, room, users={cam.user: 90, dan.user: 95})
        now = await levels(ben, room)
        for other in (cam, dan):
            with pytest.raises(Refused):
                await set_levels(ben, room, users={other.user: 0})
            with pytest.raises(Refused):
                await ben.send_state(room, LEVELS, "", _without(now, other))
        await set_levels(ana, room, users={cam.user: 89})
        await ben.send_state(room, LEVELS, "", _without(await levels(ben, room), cam))
        assert await level_of(ana, room, cam.user) is None

    async def test_everybody_may_lower_themselves(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await _with_deputy(version, ana, ben)
        await set_levels(ben, room, users={ben.user: 10})
        assert await level_of(ana, room, ben.user) == 10
        with pytest.raises(Refused):
            await set_levels(ben, room, users={ben.user: 90})

    async def test_no_level_is_moved_from_or_to_above_ones_own(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await _with_deputy(version, ana, ben)
        await set_levels(ana, room, ban=95, events={"m.room.tombstone": 100})
        beyond: tuple[dict[str, Content | int], ...] = (
            {"users_default": 91},
            {"kick": 91},
            {"ban": 50},
            {"events": {"m.room.tombstone": 50}},
            {"events": {"chat.haven.group": 91}},
            {"notifications": {"room": 91}},
        )
        for change in beyond:
            with pytest.raises(Refused):
                await set_levels(ben, room, **change)
        await set_levels(ben, room, kick=90, events={"chat.haven.group": 90}, notifications={"room": 20})

    async def test_levels_are_whole_numbers_of_real_users(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await public(ana, version)
        damaged: tuple[Content, ...] = (
            {"ban": "50"},
            {"ban": 50.5},
            {"ban": True},
            {"users": []},
            {"users": {"@ben:haven.test": "50"}},
            {"users": {"ben": 50}},
            {"events": {"m.room.name": None}},
        )
        now = await levels(ana, room)
        for change in damaged:
            with pytest.raises(Invalid):
                await ana.send_state(room, LEVELS, "", {**now, **change})

    async def test_unknown_fields_of_levels_are_kept(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await public(ana, version)
        now = await levels(ana, room)
        await ana.send_state(room, LEVELS, "", {**now, "org.example.odd": 1000})
        assert (await ana.state_content(room, LEVELS))["org.example.odd"] == 1000

    async def test_only_the_levels_without_a_key_count(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        await ana.send_state(room, LEVELS, "other", {"users": {ben.user: 50}})
        with pytest.raises(Refused):
            await ben.send_state(room, "m.room.topic", "", TOPIC)

    async def test_a_user_as_key_is_that_users_own(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        await ana.send_state(room, "chat.haven.wish", ana.user, {"a": 1})
        with pytest.raises(Refused):
            await ana.send_state(room, "chat.haven.wish", ben.user, {"a": 1})
        with pytest.raises(Refused):
            await ana.send_state(room, "chat.haven.wish", "@nobody", {"a": 1})

    async def test_creators_may_be_listed_before_version_12_only(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        await set_levels(ana, room, users={ben.user: 100})
        if version == "12":
            for level in (0, 100):
                with pytest.raises(Invalid):
                    await set_levels(ana, room, users={ana.user: level})
                with pytest.raises(Invalid):
                    await set_levels(ben, room, users={ana.user: level})
        else:
            with pytest.raises(Refused):
                await set_levels(ben, room, users={ana.user: 0})
            await set_levels(ana, room, users={ana.user: 95})
            assert await level_of(ben, room, ana.user) == 95

    async def test_creators_stand_above_100_from_version_12(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        await set_levels(ana, room, users={ben.user: 100})
        if version == "12":
            await set_levels(ana, room, users={ben.user: 50}, ban=150)
            assert await level_of(ana, room, ben.user) == 50
        else:
            with pytest.raises(Refused):
                await set_levels(ana, room, users={ben.user: 50})
            with pytest.raises(Refused):
                await set_levels(ana, room, ban=150)

    async def test_nobody_removes_a_creator(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        await set_levels(ana, room, users={ben.user: 100})
        with pytest.raises(Refused):
            await ben.kick(room, ana.user)
        with pytest.raises(Refused):
            await ben.ban(room, ana.user)

    async def test_more_creators_are_equals_from_version_12(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        room = await make(ana, version, joining("public"), creation={"additional_creators": [ben.user]})
        await ben.join(room)
        await cam.join(room)
        if version != "12":
            with pytest.raises(Refused):
                await ben.send_state(room, "m.room.topic", "", TOPIC)
            return
        await set_levels(ben, room, users={cam.user: 100})
        for one, other in ((ana, ben), (ben, ana), (cam, ben)):
            with pytest.raises(Refused):
                await one.kick(room, other.user)
            with pytest.raises(Refused):
                await one.ban(room, other.user)
        with pytest.raises(Invalid):
            await set_levels(ana, room, users={ben.user: 100})

    async def test_damaged_creators_are_invalid_from_version_12(
        self, world: World, version: RoomVersion
    ) -> None:
        ana = await world.person("ana")
        for damaged in ("@ben:haven.test", ["ben"]):
            if version == "12":
                with pytest.raises(Invalid):
                    await make(ana, version, creation={"additional_creators": damaged})
            else:
                await make(ana, version, creation={"additional_creators": damaged})


async def _with_deputy(
    version: RoomVersion, ana: Homeserver, deputy: Homeserver, *others: Homeserver
) -> RoomId:
    """A room whose levels a deputy of level 90 may change."""
    room = await public(ana, version, deputy, *others)
    await set_levels(ana, room, users={deputy.user: 90}, events={LEVELS: 90})
    return room


def _without(now: Content, user: Homeserver) -> Content:
    """Levels without one user."""
    users = now["users"]
    assert isinstance(users, dict)
    return {**now, "users": {name: level for name, level in users.items() if name != user.user}}
