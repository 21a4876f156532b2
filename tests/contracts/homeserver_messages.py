"""What a homeserver keeps about messages, transaction ids and redactions."""

import pytest

from haven.errors import Invalid, Refused
from haven.ids import EventId, RoomVersion
from haven.ports import Content
from tests.contracts.homeserver_world import LEVELS, TEXT, HomeserverContract, World, public

MESSAGE = "m.room.message"


def reaction(to: EventId, key: str = "👍") -> Content:
    """The content of a reaction."""
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": to, "key": key}}


class MessagesContract(HomeserverContract):
    """Saying things once, and unsaying them."""

    async def test_the_same_transaction_is_the_same_event(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await public(ana, version)
        first = await ana.send_message(room, MESSAGE, TEXT, "one")
        assert await ana.send_message(room, MESSAGE, TEXT, "one") == first
        assert await ana.send_message(room, MESSAGE, {**TEXT, "body": "other words"}, "one") == first
        assert await ana.send_message(room, MESSAGE, TEXT, "two") != first

    async def test_transactions_belong_to_a_sender_and_a_room(
        self, world: World, version: RoomVersion
    ) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room, other = await public(ana, version, ben), await public(ana, version)
        first = await ana.send_message(room, MESSAGE, TEXT, "one")
        assert await ben.send_message(room, MESSAGE, TEXT, "one") != first
        assert await ana.send_message(other, MESSAGE, TEXT, "one") != first

    async def test_transaction_ids_may_be_anything(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await public(ana, version)
        sent = {await ana.send_message(room, MESSAGE, TEXT, one) for one in ("a/b", "a%2Fb", "a b?c#d", "ñ")}
        assert len(sent) == 4
        assert await ana.send_message(room, MESSAGE, TEXT, "a/b") in sent

    async def test_damaged_messages_are_invalid(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await public(ana, version)
        damaged: tuple[Content, ...] = (
            {"msgtype": "m.text"},
            {"body": "no type"},
            {**TEXT, "half": 0.5},
            {**TEXT, "huge": 2**60},
            {**TEXT, "body": "x" * 70_000},
        )
        for number, content in enumerate(damaged):
            with pytest.raises(Invalid):
                await ana.send_message(room, MESSAGE, content, f"t{number}")

    async def test_nobody_reacts_twice_alike(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        said = await ana.send_message(room, MESSAGE, TEXT, "t")
        first = await ben.send_message(room, "m.reaction", reaction(said), "r1")
        with pytest.raises(Invalid):
            await ben.send_message(room, "m.reaction", reaction(said), "r2")
        await ben.send_message(room, "m.reaction", reaction(said, "🎉"), "r3")
        await ben.redact(room, first, "", "r4")
        await ben.send_message(room, "m.reaction", reaction(said), "r5")

    async def test_everybody_unsays_their_own(self, world: World, version: RoomVersion) -> None:
        ana, ben = await world.person("ana"), await world.person("ben")
        room = await public(ana, version, ben)
        said = await ben.send_message(room, MESSAGE, TEXT, "t")
        redaction = await ben.redact(room, said, "a slip", "u")
        assert await ben.redact(room, said, "a slip", "u") == redaction
        assert await ben.redact(room, said, "a slip", "v") != redaction

    async def test_unsaying_others_takes_power(self, world: World, version: RoomVersion) -> None:
        ana, ben, cam = [await world.person(name) for name in ("ana", "ben", "cam")]
        room = await public(ana, version, ben, cam)
        said = await ana.send_message(room, MESSAGE, TEXT, "t")
        with pytest.raises(Refused):
            await ben.redact(room, said, "", "u")
        levels = await ana.state_content(room, LEVELS)
        users = levels["users"]
        assert isinstance(users, dict)
        await ana.send_state(room, LEVELS, "", {**levels, "users": {**users, cam.user: 50}})
        await cam.redact(room, said, "", "u")

    async def test_redacted_state_is_empty_but_there(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await public(ana, version)
        topic = await ana.send_state(room, "m.room.topic", "", {"topic": "secret"})
        await ana.redact(room, topic, "", "t")
        assert await ana.state_content(room, "m.room.topic") == {}
        (event,) = [event for event in await ana.room_state(room) if event.type == "m.room.topic"]
        assert (event.event, event.content) == (topic, {})

    async def test_redacted_levels_keep_what_counts(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await public(ana, version, invite=40, kick=45)
        (event,) = [event for event in await ana.room_state(room) if event.type == LEVELS]
        await ana.redact(room, event.event, "", "t")
        left = await ana.state_content(room, LEVELS)
        assert left["kick"] == 45
        assert left.get("invite") == (None if version == "10" else 40)
        assert "historical" not in left

    async def test_the_founding_cannot_be_redacted(self, world: World, version: RoomVersion) -> None:
        ana = await world.person("ana")
        room = await public(ana, version)
        (create,) = [event for event in await ana.room_state(room) if event.type == "m.room.create"]
        with pytest.raises(Refused):
            await ana.redact(room, create.event, "", "t")
