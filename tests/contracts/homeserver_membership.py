"""What a homeserver keeps about coming and going: invites, joins, kicks, bans and knocks."""

import pytest

from haven.errors import Refused
from haven.ids import RoomVersion, UserId
from tests.contracts.homeserver_world import (
    TEXT,
    HomeserverContract,
    World,
    joining,
    make,
    membership,
    public,
    set_levels,
)


class MembershipContract(HomeserverContract):
    """Who is in, who may let in, and who may put out. In these rooms ana is the creator."""

    async def test_by_invitation_only(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await make(ana, version)
        with pytest.raises(Refused):
            await ben.join(room)
        await ana.invite(room, ben.user)
        await ana.invite(room, ben.user)
        await ben.join(room)
        await ben.join(room)
        assert await membership(ana, room, ben.user) == "join"
        await ben.send_message(room, "m.room.message", TEXT, "t")

    async def test_a_member_goes_by_their_name(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        member = await ana.state_content(room, "m.room.member", ben.user)
        assert member == {"membership": "join", "displayname": ben.user[1:].partition(":")[0]}

    async def test_an_invite_may_be_refused_or_taken_back(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        room = await make(ana, version, invite=[ben.user, cam.user])
        await ben.leave(room)
        await ana.kick(room, cam.user)
        for former in (ben, cam):
            assert await membership(ana, room, former.user) == "leave"
            with pytest.raises(Refused):
                await former.join(room)

    async def test_inviting_takes_power_and_presence(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam, eve = [await world.person(name) for name in ("ana", "ben", "cam", "eve")]
        room = await public(ana, version, ben, invite=50)
        for unable in (ben, eve):
            with pytest.raises(Refused):
                await unable.invite(room, cam.user)
        await set_levels(ana, room, users={ben.user: 50})
        await ben.invite(room, cam.user)
        with pytest.raises(Refused):
            await ana.invite(room, ben.user)

    async def test_who_has_never_been_anywhere_may_be_invited(
        self, world: World, version: RoomVersion
    ) -> None:
        ana = await world.person("ana")
        room = await make(ana, version)
        await ana.invite(room, UserId("@not-yet-born:haven.test"))
        assert await membership(ana, room, UserId("@not-yet-born:haven.test")) == "invite"

    async def test_kicked_from_an_open_room_one_walks_back_in(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        await ana.kick(room, ben.user, "a break")
        gone = await ana.state_content(room, "m.room.member", ben.user)
        assert gone == {"membership": "leave", "reason": "a break"}
        assert await ben.joined_rooms() == ()
        await ben.join(room)

    async def test_kicking_takes_more_power_than_theirs(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam, eve = [await world.person(name) for name in ("ana", "ben", "cam", "eve")]
        room = await public(ana, version, ben, cam)
        with pytest.raises(Refused):
            await ben.kick(room, cam.user)
        await set_levels(ana, room, users={ben.user: 50, cam.user: 50})
        with pytest.raises(Refused):
            await ben.kick(room, cam.user)
        with pytest.raises(Refused):
            await ben.ban(room, cam.user)
        with pytest.raises(Refused):
            await eve.kick(room, cam.user)
        await set_levels(ana, room, users={cam.user: 49})
        await ben.kick(room, cam.user)

    async def test_who_is_not_there_cannot_be_kicked(self, world: World, version: RoomVersion) -> None:
        ana, ben, eve = [await world.person(name) for name in ("ana", "ben", "eve")]
        room = await public(ana, version, ben)
        await ana.kick(room, ben.user)
        for absent in (ben, eve):
            with pytest.raises(Refused):
                await ana.kick(room, absent.user)

    async def test_a_ban_shuts_every_door(self, world: World, version: RoomVersion) -> None:
        ana, ben, eve = [await world.person(name) for name in ("ana", "ben", "eve")]
        for rule in ("public", "knock", "invite"):
            room = await make(ana, version, joining(rule), invite=[ben.user])
            await ben.join(room)
            for unwanted in (ben, eve):
                await ana.ban(room, unwanted.user, "spam")
                await ana.ban(room, unwanted.user, "spam")
                assert await membership(ana, room, unwanted.user) == "ban"
                with pytest.raises(Refused):
                    await unwanted.join(room)
                with pytest.raises(Refused):
                    await unwanted.knock(room)
                with pytest.raises(Refused):
                    await unwanted.leave(room)
                with pytest.raises(Refused):
                    await ana.invite(room, unwanted.user)
                with pytest.raises(Refused):
                    await ana.kick(room, unwanted.user)
                with pytest.raises(Refused):
                    await unwanted.room_state(room)

    async def test_lifting_a_ban(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        room = await public(ana, version, ben, cam)
        await ana.ban(room, ben.user)
        with pytest.raises(Refused):
            await cam.unban(room, ben.user)
        await ana.unban(room, ben.user)
        assert await membership(ana, room, ben.user) == "leave"
        with pytest.raises(Refused):
            await ana.unban(room, ben.user)
        with pytest.raises(Refused):
            await ana.unban(room, cam.user)
        await ben.join(room)

    async def test_banning_takes_the_level_for_bans(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        room = await public(ana, version, ben, cam, ban=90, kick=50)
        await set_levels(ana, room, users={ben.user: 50})
        with pytest.raises(Refused):
            await ben.ban(room, cam.user)
        await ana.ban(room, cam.user)
        with pytest.raises(Refused):
            await ben.unban(room, cam.user)
        await set_levels(ana, room, users={ben.user: 90})
        await ben.unban(room, cam.user)

    async def test_leaving(self, world: World, version: RoomVersion) -> None:
        ana, ben, eve = [await world.person(name) for name in ("ana", "ben", "eve")]
        room = await public(ana, version, ben)
        await ben.leave(room)
        await ben.leave(room)
        assert await ben.joined_rooms() == ()
        assert await membership(ana, room, ben.user) == "leave"
        with pytest.raises(Refused):
            await eve.leave(room)

    async def test_knock_and_be_let_in(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await make(ana, version, joining("knock"))
        with pytest.raises(Refused):
            await ben.join(room)
        await ben.knock(room, ["haven.test"], "I am Ben")
        await ben.knock(room, ["haven.test"], "Ben from Lima")
        asked = await ana.state_content(room, "m.room.member", ben.user)
        assert (asked["membership"], asked["reason"]) == ("knock", "Ben from Lima")
        with pytest.raises(Refused):
            await ben.join(room)
        with pytest.raises(Refused):
            await ben.room_state(room)
        await ana.invite(room, ben.user)
        assert await membership(ana, room, ben.user) == "invite"
        await ben.join(room)

    async def test_a_knock_may_be_refused_or_taken_back(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await make(ana, version, joining("knock"))
        await ben.knock(room)
        await ana.kick(room, ben.user, "not now")
        assert await membership(ana, room, ben.user) == "leave"
        await ben.knock(room)
        await ben.leave(room)
        assert await membership(ana, room, ben.user) == "leave"
        await ben.knock(room)
        await ana.ban(room, ben.user)
        with pytest.raises(Refused):
            await ben.knock(room)

    async def test_answering_a_knock_takes_power(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        room = await make(ana, version, joining("knock"), power={"invite": 40}, invite=[ben.user])
        await ben.join(room)
        await cam.knock(room)
        with pytest.raises(Refused):
            await ben.invite(room, cam.user)
        with pytest.raises(Refused):
            await ben.kick(room, cam.user)
        await set_levels(ana, room, users={ben.user: 40})
        await ben.invite(room, cam.user)

    async def test_where_and_when_one_cannot_knock(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        for rule in ("public", "invite", "restricted"):
            room = await make(ana, version, joining(rule))
            with pytest.raises(Refused):
                await ben.knock(room)
        room = await make(ana, version, joining("knock"), invite=[ben.user, cam.user])
        await ben.join(room)
        for known in (ben, cam):
            with pytest.raises(Refused):
                await known.knock(room)
