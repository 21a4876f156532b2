"""What a homeserver keeps of aliases, in words: who may have one lead where, and that a room forgets one that is dropped."""

import uuid
from typing import Protocol

import pytest

from haven.errors import Invalid, Missing, Refused
from haven.ids import RoomVersion, UserId, server_of
from haven.ports import Homeserver
from plugin.service.alias_moves import CANONICAL, NamesRooms
from tests.contracts.homeserver_world import HomeserverContract, make, set_levels


class Named(Homeserver, NamesRooms, Protocol):
    """A homeserver whose directory can be written."""


class NamedWorld(Protocol):
    """People who can."""

    async def person(self, name: str) -> Named:
        """See `tests.contracts.homeserver_world.World`."""


def new_alias(user: UserId) -> str:
    """One that nobody has."""
    return f"#{uuid.uuid4().hex}:{server_of(user)}"


class AliasContract(HomeserverContract):
    """A subclass gives the ``named`` world."""

    async def test_an_alias_leads_to_one_room(self, named: NamedWorld, version: RoomVersion) -> None:
        ana = await named.person("ana")
        old, new, alias = await make(ana, version), await make(ana, version), new_alias(ana.user)
        await ana.add_alias(alias, old)
        assert (await ana.resolve(alias))[0] == old
        assert await ana.aliases(old) == (alias,)
        with pytest.raises(Invalid):
            await ana.add_alias(alias, new)
        await ana.drop_alias(alias)
        with pytest.raises(Missing):
            await ana.resolve(alias)
        with pytest.raises(Missing):
            await ana.drop_alias(alias)
        await ana.add_alias(alias, new)
        assert (await ana.resolve(alias))[0] == new

    async def test_a_room_forgets_what_is_dropped(self, named: NamedWorld, version: RoomVersion) -> None:
        ana = await named.person("ana")
        room, main, more = await make(ana, version), new_alias(ana.user), new_alias(ana.user)
        for alias in (main, more):
            await ana.add_alias(alias, room)
        await ana.send_state(room, CANONICAL, "", {"alias": main, "alt_aliases": [more]})
        await ana.drop_alias(more)
        assert await ana.state_content(room, CANONICAL) == {"alias": main}
        await ana.drop_alias(main)
        assert await ana.state_content(room, CANONICAL) == {}

    async def test_only_who_made_it_or_has_the_power_drops_it(
        self, named: NamedWorld, version: RoomVersion
    ) -> None:
        ana, bo = await named.person("ana"), await named.person("bo")
        room, alias = await make(ana, version, invite=[bo.user]), new_alias(ana.user)
        await bo.join(room)
        await ana.add_alias(alias, room)
        with pytest.raises(Refused):
            await bo.drop_alias(alias)
        await set_levels(ana, room, users={bo.user: 100})
        await bo.drop_alias(alias)
        assert await ana.aliases(room) == ()

    async def test_no_alias_of_another_server(self, named: NamedWorld, version: RoomVersion) -> None:
        ana = await named.person("ana")
        with pytest.raises(Invalid):
            await ana.add_alias("#room:elsewhere.test", await make(ana, version))
