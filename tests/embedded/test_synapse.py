"""Synapse and the people on it."""

import asyncio
from pathlib import Path

import pytest

from embedded.matrix import MatrixRefused
from embedded.synapse import Synapse
from tests.conftest import Newcomer

pytestmark = pytest.mark.system


async def test_people_talk(newcomer: Newcomer) -> None:
    ana = await newcomer("ana")
    luis = await newcomer("luis")
    room = await ana.create_room("Padres", invite=[luis.user_id])
    await luis.wait_for_invite(room)
    await luis.join(room)
    said = await ana.say(room, "Hola")
    heard = await luis.wait_for(room, lambda event: event.body == "Hola")
    assert (heard.id, heard.sender) == (said, ana.user_id)


async def test_what_comes_after_a_message_is_told_apart(newcomer: Newcomer) -> None:
    eva = await newcomer("eva")
    room = await eva.create_room()
    await eva.say(room, "same")
    question = await eva.say(room, "?")
    second = await eva.say(room, "same")
    found = await eva.wait_for(room, lambda event: event.body == "same", after=question)
    assert found.id == second


async def test_edits_reactions_and_redactions_point_at_their_message(newcomer: Newcomer) -> None:
    rosa = await newcomer("rosa")
    room = await rosa.create_room()
    first = await rosa.say(room, "on")
    await rosa.edit(room, first, "one")
    await rosa.react(room, first, "👍")
    await rosa.reply(room, first, "yes")
    await rosa.redact(room, first, "oops")
    seen = await rosa.messages(room)
    edit, reaction, answer, redaction = seen[-4:]
    assert edit.body == "one"
    assert reaction.relates_to == {"rel_type": "m.annotation", "event_id": first, "key": "👍"}
    assert answer.relates_to == {"m.in_reply_to": {"event_id": first}}
    assert redaction.type == "m.room.redaction"
    assert (await rosa.event(room, first)).content == {}


async def test_a_refusal_says_what_the_homeserver_said(newcomer: Newcomer) -> None:
    ivan = await newcomer("ivan")
    mallory = await newcomer("mallory")
    room = await ivan.create_room()
    with pytest.raises(MatrixRefused) as refusal:
        await mallory.join(room)
    assert (refusal.value.status, refusal.value.errcode) == (403, "M_FORBIDDEN")


async def test_state_members_and_power_can_be_asked_for(newcomer: Newcomer) -> None:
    pablo = await newcomer("pablo")
    room = await pablo.create_room("Sala", room_version="11")
    assert await pablo.state(room, "m.room.name") == {"name": "Sala"}
    assert await pablo.state(room, "m.room.topic") is None
    assert {"m.room.create", "m.room.name"} <= {event.type for event in await pablo.all_state(room)}
    assert await pablo.joined(room) == {pablo.user_id}
    assert await pablo.power(room, pablo.user_id) == 100
    assert room in await pablo.joined_rooms()


async def test_a_knock_is_let_in(newcomer: Newcomer) -> None:
    owner = await newcomer("owner")
    guest = await newcomer("guest")
    room = await owner.create_room()
    await owner.send_state(room, "m.room.join_rules", {"join_rule": "knock"})
    await guest.knock(room, "please")
    assert (await owner.members(room))[guest.user_id].membership == "knock"
    await owner.invite(room, guest.user_id)
    await guest.wait_for_invite(room)


async def test_a_kill_loses_nothing_and_the_port_stays(own_data: Path) -> None:
    async with Synapse(own_data) as homeserver:
        carla = await homeserver.register("carla", "secret")
        assert carla.user_id == "@carla:haven.test"
        room = await carla.create_room("Before")
        await homeserver.kill()
        assert not homeserver.process.running
        await homeserver.start()
        assert await carla.state(room, "m.room.name") == {"name": "Before"}
        again = await homeserver.login("carla", "secret")
        assert room in await again.joined_rooms()


async def test_default_limits_are_those_of_an_operator(own_data: Path) -> None:
    async with Synapse(own_data, limits="default") as strict:
        nina = (await strict.register("nina")).impatient()
        room = await nina.create_room()
        with pytest.raises(MatrixRefused) as refusal:
            await asyncio.gather(*(nina.say(room, f"{number}") for number in range(30)))
        assert (refusal.value.status, refusal.value.errcode) == (429, "M_LIMIT_EXCEEDED")
        assert refusal.value.retry_after is not None
