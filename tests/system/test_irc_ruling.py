"""Operators, kicks and bans that the bridge gives on IRC, where it is an operator itself; on InspIRCd."""

from collections.abc import AsyncIterator

import pytest

from bridge.networks.base import ListsMembers
from bridge.networks.events import Joined, Left, Person, Role
from bridge.networks.people import Bans, ListsBans, PutsOut, SetsRoles
from embedded.chatter import Line
from embedded.irc import IrcServer
from haven.errors import Missing, Refused
from haven.ids import RemoteUserId
from tests.system.irc_world import IrcWorld, irc_world

pytestmark = pytest.mark.system


@pytest.fixture
async def world(inspircd: IrcServer) -> AsyncIterator[IrcWorld]:
    async with irc_world(inspircd) as world:
        await world.join("bob")
        yield world


async def bob(world: IrcWorld) -> Person:
    return (await world.log.wait(Joined, lambda event: event.person.name == "bob")).person


async def rule(world: IrcWorld) -> None:
    """The founder makes the bridge an operator."""
    ours = world.connection.nick
    await world.founder.send(f"MODE {world.chat} +o {ours}")
    await seen(world, "MODE", ours)


async def seen(world: IrcWorld, command: str, about: str) -> Line:
    return await world.founder.wait_for(lambda line: line.command == command and about in line.params)


def test_what_irc_can_do_about_people() -> None:
    from bridge.networks.irc import IrcNetwork

    for port in (SetsRoles, PutsOut, Bans, ListsBans, ListsMembers):
        assert issubclass(IrcNetwork, port)


async def test_who_is_no_operator_is_refused(world: IrcWorld) -> None:
    person = await bob(world)
    for act in (
        world.irc.put_out(world.chat, person.id),
        world.irc.set_role(world.chat, person.id, Role.OPERATOR),
        world.irc.ban(world.chat, person.id),
    ):
        with pytest.raises(Refused):
            await act


async def test_operators_are_made_and_unmade(world: IrcWorld) -> None:
    person = await bob(world)
    await rule(world)
    await world.irc.set_role(world.chat, person.id, Role.OPERATOR)
    await world.log.wait(
        Joined, lambda event: event.person.role is Role.OPERATOR and event.person.name == "bob"
    )
    mark = len(world.log.events)
    await world.irc.set_role(world.chat, person.id, Role.OPERATOR)
    await world.irc.set_role(world.chat, person.id, Role.MEMBER)
    await world.log.wait(Joined, lambda event: event.person.role is Role.MEMBER, after=mark)
    with pytest.raises(Missing):
        await world.irc.set_role(world.chat, RemoteUserId("nick:nobody"), Role.OPERATOR)


async def test_who_is_banned_stays_out_until_they_are_let_in(world: IrcWorld) -> None:
    person = await bob(world)
    await rule(world)
    await world.rename("bob", "robert")
    await world.founder.wait_for(lambda line: line.command == "NICK" and line.text == "robert")
    await world.irc.ban(world.chat, person.id)
    assert (await world.log.wait(Left)).person.id == person.id
    assert person.id in await world.irc.banned(world.chat)
    robert = world.people["robert"]
    await robert.send(f"JOIN {world.chat}")
    await robert.wait_for(lambda line: line.command == "474")
    await world.irc.unban(world.chat, person.id)
    assert await world.irc.banned(world.chat) == ("nick:robert",)
    await robert.rename("bob")
    await robert.join(world.chat)


async def test_who_is_put_out_may_come_again(world: IrcWorld) -> None:
    person = await bob(world)
    await rule(world)
    await world.irc.put_out(world.chat, person.id)
    assert (await world.log.wait(Left)).person.id == person.id
    await world.irc.put_out(world.chat, person.id)
    await world.people["bob"].join(world.chat)


async def test_only_bans_of_nicks_are_somebodys(world: IrcWorld) -> None:
    await world.founder.send(f"MODE {world.chat} +bbb *!*@10.0.0.1 Eve!*@* mal*!*@*")
    await world.founder.wait_for(lambda line: line.command == "MODE" and "Eve!*@*" in line.params)
    assert await world.irc.banned(world.chat) == ("nick:eve",)
    for nobody in ("account:ada", "nick:ada/2"):
        with pytest.raises(Missing):
            await world.irc.ban(world.chat, RemoteUserId(nobody))
