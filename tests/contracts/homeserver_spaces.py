"""What a homeserver keeps about spaces: joining through one, and what it shows of its rooms."""

import pytest

from haven.errors import Missing, Refused
from haven.ids import RoomId, RoomVersion
from haven.ports import Content, Homeserver
from tests.contracts.homeserver_world import (
    NOWHERE,
    HomeserverContract,
    World,
    joining,
    make,
    membership,
    public,
    set_levels,
    space,
    state,
)

CHILD = "m.space.child"
VIA: Content = {"via": ["haven.test"]}


class SpacesContract(HomeserverContract):
    """Restricted joins and the hierarchy. In these rooms ana is the creator."""

    async def test_members_of_the_space_join_and_others_do_not(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben, eve = [await world.person(name) for name in ("ana", "ben", "eve")]
        home = await space(ana, version, ben)
        room = await make(ana, version, joining("restricted", home))
        with pytest.raises(Refused):
            await eve.join(room)
        await ben.join(room)
        member = await ana.state_content(room, "m.room.member", ben.user)
        assert member["join_authorised_via_users_server"] == ana.user

    async def test_leaving_the_space_removes_nobody_from_its_rooms(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        home = await space(ana, version, ben)
        room = await make(ana, version, joining("restricted", home))
        await ben.join(room)
        await ben.leave(home)
        assert await membership(ana, room, ben.user) == "join"
        await ben.leave(room)
        with pytest.raises(Refused):
            await ben.join(room)

    async def test_being_invited_or_banned_is_not_being_in_the_space(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        home = await space(ana, version, cam)
        room = await make(ana, version, joining("restricted", home))
        await ana.invite(home, ben.user)
        await ana.ban(home, cam.user)
        for outsider in (ben, cam):
            with pytest.raises(Refused):
                await outsider.join(room)

    async def test_kicked_one_walks_back_in_and_banned_one_does_not(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        home = await space(ana, version, ben)
        room = await make(ana, version, joining("restricted", home))
        await ben.join(room)
        await ana.kick(room, ben.user)
        await ben.join(room)
        await ana.ban(room, ben.user)
        with pytest.raises(Refused):
            await ben.join(room)

    async def test_an_invite_opens_a_restricted_room(self, world: World, version: RoomVersion) -> None:
        ana, eve = await world.person("ana"), await world.person("eve")
        home = await space(ana, version)
        room = await make(ana, version, joining("restricted", home))
        await ana.invite(room, eve.user)
        await eve.join(room)
        member = await ana.state_content(room, "m.room.member", eve.user)
        assert "join_authorised_via_users_server" not in member

    async def test_somebody_with_the_power_to_invite_must_be_there(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben, cam, dan = [await world.person(name) for name in ("ana", "ben", "cam", "dan")]
        home = await space(ana, version, ben, cam, dan)
        room = await make(ana, version, joining("restricted", home), power={"invite": 40}, invite=[ben.user])
        await ben.join(room)
        await set_levels(ana, room, users={ben.user: 40})
        await ana.leave(room)
        await cam.join(room)
        await ben.leave(room)
        for nobody_to_authorise in (dan, ana):
            with pytest.raises(Missing):
                await nobody_to_authorise.join(room)

    async def test_any_of_several_rooms_lets_in(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        home = await space(ana, version, ben)
        room = await make(ana, version, joining("restricted", NOWHERE[version], home))
        await ben.join(room)
        closed = await make(ana, version, state("m.room.join_rules", {"join_rule": "restricted"}))
        with pytest.raises(Refused):
            await ben.join(closed)

    async def test_others_may_knock_where_both_are_allowed(self, world: World, version: RoomVersion) -> None:
        ana, ben, eve = [await world.person(name) for name in ("ana", "ben", "eve")]
        home = await space(ana, version, ben)
        room = await make(ana, version, joining("knock_restricted", home))
        await ben.join(room)
        with pytest.raises(Refused):
            await eve.join(room)
        await eve.knock(room)
        await ana.invite(room, eve.user)
        await eve.join(room)

    async def test_the_hierarchy_shows_to_each_what_they_may_see(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben, eve, guest = [await world.person(name) for name in ("ana", "ben", "eve", "guest")]
        home = await space(ana, version, ben)
        open_, asks = await public(ana, version), await make(ana, version, joining("knock"))
        ours = await make(ana, version, joining("restricted", home))
        both = await make(ana, version, joining("knock_restricted", home))
        hidden = await make(ana, version, invite=[guest.user])
        await _add(ana, home, open_, asks, ours, both, hidden, NOWHERE[version])
        assert set(await ana.hierarchy(home)) == {open_, asks, ours, both, hidden}
        assert set(await ben.hierarchy(home)) == {open_, asks, ours, both}
        assert set(await eve.hierarchy(home)) == {open_, asks, both}
        assert set(await guest.hierarchy(home)) == {open_, asks, both, hidden}

    async def test_a_child_counts_only_with_a_via(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        home = await space(ana, version)
        damaged: tuple[Content, ...] = ({}, {"via": []}, {"via": "haven.test"}, {"via": None}, {"order": "a"})
        for content in damaged:
            child = await public(ana, version)
            await ana.send_state(home, CHILD, child, content)
        child = await public(ana, version)
        await _add(ana, home, child)
        assert await ana.hierarchy(home) == (child,)
        await ana.send_state(home, CHILD, child, {})
        assert await ana.hierarchy(home) == ()

    async def test_children_come_in_their_order(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        home = await space(ana, version)
        rooms = [await public(ana, version) for _ in range(4)]
        orders = (None, "b", "a", "x" * 51)
        for room, order in zip(rooms, orders, strict=True):
            await ana.send_state(home, CHILD, room, {**VIA, **({"order": order} if order else {})})
        assert await ana.hierarchy(home) == (rooms[2], rooms[1], rooms[0], rooms[3])

    async def test_the_hierarchy_is_one_level_deep(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        home, inner, room = await space(ana, version), await space(ana, version), await public(ana, version)
        await _add(ana, home, inner)
        await _add(ana, inner, room)
        assert await ana.hierarchy(home) == (inner,)

    async def test_only_spaces_have_children(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room, child = await public(ana, version), await public(ana, version)
        await _add(ana, room, child)
        assert await ana.hierarchy(room) == ()

    async def test_a_private_space_shows_nothing_to_strangers(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, eve = await world.person("ana"), await world.person("eve")
        home = await make(ana, version, creation={"type": "m.space"})
        room = await public(ana, version)
        await _add(ana, home, room)
        with pytest.raises(Refused):
            await eve.hierarchy(home)
        await ana.invite(home, eve.user)
        assert await eve.hierarchy(home) == (room,)

    async def test_the_hierarchy_has_more_than_one_page(self, world: World) -> None:
        ana = await world.person("ana")
        version = RoomVersion("12")
        home = await space(ana, version)
        rooms = [await make(ana, version) for _ in range(55)]
        await _add(ana, home, *rooms)
        assert set(await ana.hierarchy(home)) == set(rooms)


async def _add(who: Homeserver, home: RoomId, *rooms: RoomId) -> None:
    for room in rooms:
        await who.send_state(home, CHILD, room, VIA)
