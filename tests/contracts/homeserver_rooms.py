"""What a homeserver keeps about making rooms and about their state."""

import re

import pytest

from haven.errors import Invalid, Missing, Refused
from haven.ids import EventId, RoomVersion, UserId
from haven.ports import NewRoom
from tests.contracts.homeserver_world import (
    LEVELS,
    NOWHERE,
    TEXT,
    HomeserverContract,
    World,
    joining,
    make,
    membership,
    public,
    state,
)


class RoomsContract(HomeserverContract):
    """Making rooms; reading and replacing state."""

    async def test_everyone_is_who_they_are(self, world: World) -> None:
        ana, other = await world.person("ana"), await world.person("ana")
        assert ana.user.startswith("@ana")
        assert ana.user != other.user

    async def test_a_new_room_is_joined_and_private(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await make(ana, version)
        assert await ana.joined_rooms() == (room,)
        assert await membership(ana, room, ana.user) == "join"
        found = {event.type: event.content for event in await ana.room_state(room)}
        assert found["m.room.join_rules"] == {"join_rule": "invite"}
        assert found["m.room.history_visibility"] == {"history_visibility": "shared"}
        assert found["m.room.guest_access"] == {"guest_access": "can_join"}
        assert found["m.room.name"] == {"name": "A room"}
        assert "m.room.topic" not in found

    async def test_a_new_room_has_the_shape_of_its_version(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await make(ana, version)
        (create,) = [event for event in await ana.room_state(room) if event.type == "m.room.create"]
        assert create.sender == ana.user
        assert create.content["room_version"] == version
        assert create.content.get("creator") == (ana.user if version == "10" else None)
        shape = r"![\w-]{43}" if version == "12" else r"![A-Za-z]{18}:[a-z.]+"
        assert re.fullmatch(shape, room)

    async def test_a_new_room_carries_what_it_was_given(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        creation = {"type": "m.space", "predecessor": {"room_id": "!old:haven.test"}, "chat.haven.job": "7"}
        given = (
            joining("knock"),
            state("chat.haven.group", {"version": 1, "kind": "group", "odd": [1, "ž"]}),
        )
        room = await ana.create_room(NewRoom("Padres", version, "Hola", creation, given))
        found = {event.type: event.content for event in await ana.room_state(room)}
        assert creation.items() <= found["m.room.create"].items()
        assert found["m.room.join_rules"] == {"join_rule": "knock"}
        assert found["chat.haven.group"] == given[1].content
        assert (found["m.room.name"]["name"], found["m.room.topic"]["topic"]) == ("Padres", "Hola")

    async def test_its_first_levels_are_the_servers_own(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        first = await ana.state_content(await make(ana, version), LEVELS)
        assert first == {
            "users": {} if version == "12" else {ana.user: 100},
            "users_default": 0,
            "events_default": 0,
            "state_default": 50,
            "ban": 50,
            "kick": 50,
            "redact": 50,
            "invite": 0,
            "historical": 100,
            "events": {
                "m.room.name": 50,
                "m.room.avatar": 50,
                "m.room.canonical_alias": 50,
                "m.room.power_levels": 100,
                "m.room.history_visibility": 100,
                "m.room.encryption": 100,
                "m.room.server_acl": 100,
                "m.room.tombstone": 150 if version == "12" else 100,
            },
        }

    async def test_its_levels_are_overridden_name_by_name(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await make(ana, version, power={"invite": 40, "events": {"m.space.child": 90}})
        found = await ana.state_content(room, LEVELS)
        assert (found["invite"], found["kick"]) == (40, 50)
        assert found["events"] == {"m.space.child": 90}

    async def test_levels_in_the_initial_state_stand_alone(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        given = {"users": {} if version == "12" else {ana.user: 100}, "ban": 7}
        room = await make(ana, version, state(LEVELS, given), power={"kick": 9})
        assert await ana.state_content(room, LEVELS) == given

    async def test_the_creator_is_listed_before_version_12_and_never_after(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        listed, unlisted = {"users": {ana.user: 100, ben.user: 90}}, {"users": {ben.user: 90}}
        good, bad = (unlisted, listed) if version == "12" else (listed, unlisted)
        with pytest.raises(Invalid):
            await make(ana, version, power=bad)
        room = await make(ana, version, power=good)
        assert (await ana.state_content(room, LEVELS))["users"] == good["users"]

    async def test_nothing_is_left_of_what_is_wrong_from_the_start(
        self, world: World, version: RoomVersion
    ) -> None:
        ana = await world.person("ana")
        with pytest.raises(Invalid):
            await make(ana, version, invite=[UserId("nobody")])
        with pytest.raises(Invalid):
            await make(ana, RoomVersion("99"))
        assert await ana.joined_rooms() == ()

    async def test_damaged_initial_state_leaves_a_bare_room_behind(
        self, world: World, version: RoomVersion
    ) -> None:
        ana = await world.person("ana")
        creation = {"chat.haven.job": "7"}
        damaged = (state("chat.haven.group", {"version": 1}), state("m.room.topic", {"topic": 7}))
        with pytest.raises(Invalid):
            await make(ana, version, *damaged, creation=creation)
        (room,) = await ana.joined_rooms()
        assert {event.type for event in await ana.room_state(room)} == {"m.room.create", "m.room.member"}
        assert (await ana.state_content(room, "m.room.create"))["chat.haven.job"] == "7"

    async def test_an_impossible_invite_leaves_a_whole_room_behind(
        self, world: World, version: RoomVersion
    ) -> None:
        ana = await world.person("ana")
        with pytest.raises(Refused):
            await make(ana, version, state("m.room.topic", {"topic": "x"}), invite=[ana.user])
        (room,) = await ana.joined_rooms()
        assert await ana.state_content(room, "m.room.topic") == {"topic": "x"}
        assert await ana.state_content(room, "m.room.name") == {"name": "A room"}

    async def test_invited_at_birth(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await make(ana, version, invite=[ben.user])
        assert await membership(ana, room, ben.user) == "invite"
        await ben.join(room)
        assert await ben.joined_rooms() == (room,)

    async def test_state_is_replaced_whole(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await make(ana, version)
        first = await ana.send_state(room, "chat.haven.group", "", {"version": 1, "kind": "group"})
        second = await ana.send_state(
            room, "chat.haven.group", "", {"version": 1, "odd": {"deep": [None, True]}}
        )
        assert first != second
        assert await ana.state_content(room, "chat.haven.group") == {
            "version": 1,
            "odd": {"deep": [None, True]},
        }
        (event,) = [event for event in await ana.room_state(room) if event.type == "chat.haven.group"]
        assert (event.event, event.sender, event.key) == (second, ana.user, "")
        assert event.at > 0

    async def test_state_keys_may_be_anything(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await make(ana, version)
        keys = ("irc:#padres/ñ", "a%2Fb", "haven://irc/#chan?x=1&y", " ")
        for number, key in enumerate(keys):
            await ana.send_state(room, "chat.haven.link", key, {"number": number})
        found = {
            event.key: event.content
            for event in await ana.room_state(room)
            if event.type == "chat.haven.link"
        }
        assert found == {key: {"number": number} for number, key in enumerate(keys)}
        for number, key in enumerate(keys[:3]):
            assert await ana.state_content(room, "chat.haven.link", key) == {"number": number}

    async def test_the_same_state_again_is_the_same_event(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben, state_default=0)
        first = await ana.send_state(room, "m.room.topic", "", {"topic": "x"})
        assert await ana.send_state(room, "m.room.topic", "", {"topic": "x"}) == first
        assert await ben.send_state(room, "m.room.topic", "", {"topic": "x"}) != first

    async def test_absent_state_is_missing(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await make(ana, version)
        with pytest.raises(Missing):
            await ana.state_content(room, "chat.haven.group")
        with pytest.raises(Missing):
            await ana.state_content(room, "m.room.name", "other key")

    async def test_strangers_and_invited_see_and_change_nothing(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben, eve = [await world.person(name) for name in ("ana", "ben", "eve")]
        room = await make(ana, version, invite=[ben.user])
        for outsider in (ben, eve):
            with pytest.raises(Refused):
                await outsider.room_state(room)
            with pytest.raises(Refused):
                await outsider.state_content(room, "m.room.name")
            with pytest.raises(Refused):
                await outsider.send_state(room, "m.room.topic", "", {"topic": "mine"})
            with pytest.raises(Refused):
                await outsider.send_message(room, "m.room.message", TEXT, "t")

    async def test_everyone_may_look_into_a_world_readable_room(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, eve = await world.person("ana"), await world.person("eve")
        open_book = state("m.room.history_visibility", {"history_visibility": "world_readable"})
        room = await make(ana, version, open_book)
        assert await eve.state_content(room, "m.room.name") == {"name": "A room"}

    async def test_who_left_sees_what_was_then(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        await ana.send_state(room, "m.room.topic", "", {"topic": "then"})
        await ben.leave(room)
        await ana.send_state(room, "m.room.topic", "", {"topic": "now"})
        assert await ben.state_content(room, "m.room.topic") == {"topic": "then"}
        assert {"topic": "then"} in [event.content for event in await ben.room_state(room)]
        with pytest.raises(Refused):
            await ben.send_message(room, "m.room.message", TEXT, "t")

    async def test_a_room_that_nobody_knows(self, world: World, version: RoomVersion) -> None:
        ana, nowhere = await world.person("ana"), NOWHERE[version]
        other = UserId("@other:haven.test")
        refused = (
            lambda: ana.room_state(nowhere),
            lambda: ana.state_content(nowhere, "m.room.name"),
            lambda: ana.send_state(nowhere, "m.room.topic", "", {"topic": "x"}),
            lambda: ana.send_message(nowhere, "m.room.message", TEXT, "t"),
            lambda: ana.invite(nowhere, other),
            lambda: ana.ban(nowhere, other),
            lambda: ana.hierarchy(nowhere),
        )
        missing = (
            lambda: ana.join(nowhere, ["haven.test"]),
            lambda: ana.knock(nowhere, ["haven.test"]),
            lambda: ana.leave(nowhere),
            lambda: ana.kick(nowhere, other),
            lambda: ana.unban(nowhere, other),
            lambda: ana.redact(nowhere, EventId("$nothing"), "", "t"),
        )
        for ask in refused:
            with pytest.raises(Refused):
                await ask()
        for ask in missing:
            with pytest.raises(Missing):
                await ask()
