"""What every network must keep, whichever it is: inherited by the memory network and by each real one.

A subclass gives a ``world`` fixture: a running network with the chat open, and people of that network who
can act.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from bridge.message import Attachment, Message, plain, spans
from bridge.networks.acts import Outgoing, Say, Sender
from bridge.networks.base import LooksUp, Network, Place, SetsTopic
from bridge.networks.events import (
    ChatEvent,
    Connection,
    ConnectionState,
    Event,
    Joined,
    Left,
    Renamed,
    Role,
    Said,
    TopicChanged,
)
from bridge.networks.media import PIECE, Body, DownloadsMedia, UploadsMedia
from haven.errors import TryLater
from haven.ids import ChatId, UserId

E = TypeVar("E", bound=Event)

ALICE = Sender(UserId("@alice:example.org"), "Alice")
PATIENCE = 20.0
"""Seconds after which something that should have happened has not."""


class World(Protocol):
    """A network with people on it. ``network`` is running with ``log`` as its receiver and ``chat`` is
    open.
    """

    network: Network
    chat: ChatId
    log: "Log"

    async def join(self, name: str) -> None:
        """A person enters the chat."""

    async def speak(self, name: str, text: str) -> None:
        """A person who is in the chat says something."""

    async def rename(self, name: str, new: str) -> None:
        """A person takes another name."""

    async def leave(self, name: str) -> None:
        """A person leaves the chat."""

    async def make_operator(self, name: str) -> None:
        """A person becomes an operator of the chat."""

    async def set_topic(self, name: str, topic: str) -> None:
        """A person sets the topic."""

    async def drop(self) -> None:
        """The bridge's connection breaks; the server stays reachable."""

    async def heard(self, number: int) -> list[str]:
        """The texts that a person in the chat saw from the bridge, once there are at least ``number``."""

    async def topic(self, expected: str) -> str:
        """The topic as a person in the chat sees it, once it is ``expected``."""


class Log:
    """A receiver that remembers all it was told, and lets tests wait for more."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._more = asyncio.Condition()

    async def __call__(self, event: Event) -> None:
        async with self._more:
            self.events.append(event)
            self._more.notify_all()

    async def wait(self, kind: type[E], fits: Callable[[E], bool] = lambda _: True, *, after: int = 0) -> E:
        """The first event of ``kind`` that fits, from position ``after`` on."""

        def found() -> list[E]:
            return [event for event in self.events[after:] if isinstance(event, kind) and fits(event)]

        async with asyncio.timeout(PATIENCE), self._more:
            await self._more.wait_for(found)
        return found()[0]


async def always(_part: int) -> bool:
    """Claim every part."""
    return True


def words(world: World, text: str, key: str = "k1") -> Outgoing:
    """Alice says ``text`` in the world's chat."""
    return Outgoing(key, world.chat, ALICE, Say(Message(spans(text))))


async def pieces(data: bytes) -> Body:
    """``data`` as a body."""
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


async def patiently(send: Callable[[], Awaitable[object]]) -> None:
    """Try until it works, as the relay does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await send()
            except TryLater:
                await asyncio.sleep(0.05)
            else:
                return


class NetworkContract:
    """The contract. Tests whose capability a network lacks pass over it by asking ``capabilities``."""

    async def test_says_that_it_is_connected(self, world: World) -> None:
        said = await world.log.wait(Connection, lambda event: event.state is ConnectionState.CONNECTED)
        assert said.reason is None

    async def test_says_what_people_say_in_order_and_each_with_its_own_id(self, world: World) -> None:
        await world.join("bob")
        for number in range(20):
            await world.speak("bob", f"line {number}")
        await world.log.wait(Said, lambda event: plain(event.message.text) == "line 19")
        said = [event for event in world.log.events if isinstance(event, Said)]
        assert [plain(event.message.text) for event in said] == [f"line {number}" for number in range(20)]
        assert len({event.id for event in said}) == 20
        assert {event.chat for event in said} == {world.chat}
        assert {event.person.name for event in said} == {"bob"}

    async def test_says_who_comes_goes_and_renames(self, world: World) -> None:
        if not world.network.capabilities.lists_members:
            return
        await world.join("bob")
        joined = await world.log.wait(Joined, lambda event: event.person.name == "bob")
        await world.rename("bob", "robert")
        renamed = await world.log.wait(Renamed, lambda event: event.person.name == "robert")
        assert renamed.before == joined.person.id
        await world.leave("robert")
        await world.log.wait(Left, lambda event: event.person.name == "robert")

    async def test_says_who_is_an_operator(self, world: World) -> None:
        if not world.network.capabilities.roles:
            return
        await world.join("bob")
        await world.speak("bob", "before")
        before = await world.log.wait(Said, lambda event: plain(event.message.text) == "before")
        await world.make_operator("bob")
        await world.log.wait(
            Joined, lambda event: event.person.name == "bob" and event.person.role is Role.OPERATOR
        )
        await world.speak("bob", "after")
        after = await world.log.wait(Said, lambda event: plain(event.message.text) == "after")
        assert (before.person.role, after.person.role) == (Role.MEMBER, Role.OPERATOR)

    async def test_carries_the_topic_both_ways(self, world: World) -> None:
        await world.join("bob")
        if world.network.capabilities.topic_from_network:
            await world.make_operator("bob")
            await world.set_topic("bob", "Tomorrow at eight")
            await world.log.wait(TopicChanged, lambda event: event.topic == "Tomorrow at eight")
        if world.network.capabilities.topic_to_network and isinstance(world.network, SetsTopic):
            await world.network.set_topic(world.chat, "Not before nine")
            assert await world.topic("Not before nine") == "Not before nine"

    async def test_sends_every_part_that_it_claims(self, world: World) -> None:
        await world.join("bob")
        claimed: list[int] = []

        async def claim(part: int) -> bool:
            claimed.append(part)
            return True

        await patiently(lambda: world.network.send(words(world, "one\ntwo"), claim))
        parts = 2 if world.network.capabilities.line_bytes else 1
        assert len(await world.heard(parts)) == parts
        assert claimed == list(range(parts))

    async def test_leaves_out_what_went_out_earlier(self, world: World) -> None:
        await world.join("bob")

        async def claim(part: int) -> bool:
            return part > 0

        await patiently(lambda: world.network.send(words(world, "one\ntwo"), claim))
        await patiently(lambda: world.network.send(words(world, "three", "k2"), always))
        many = world.network.capabilities.line_bytes is not None
        assert await world.heard(2 if many else 1) == (["two", "three"] if many else ["three"])

    async def test_finds_again_what_it_sent_and_nothing_else(self, world: World) -> None:
        network = world.network
        if not (network.capabilities.history and isinstance(network, LooksUp)):
            return
        await world.join("bob")
        known = len([event for event in world.log.events if isinstance(event, Said)])
        await patiently(lambda: network.send(words(world, "ours"), always))
        await world.heard(1)
        assert await network.sent(words(world, "ours"), 0) is not None
        assert await network.sent(words(world, "ours", "another key"), 0) is None
        assert known == len([event for event in world.log.events if isinstance(event, Said)])

    async def test_does_not_say_what_the_bridge_sent(self, world: World) -> None:
        await world.join("bob")
        await patiently(lambda: world.network.send(words(world, "ours"), always))
        await world.heard(1)
        await world.speak("bob", "theirs")
        await world.log.wait(Said)
        said = [plain(event.message.text) for event in world.log.events if isinstance(event, Said)]
        assert said == ["theirs"]

    async def test_gives_back_the_file_that_it_took(self, world: World) -> None:
        network = world.network
        if not isinstance(network, UploadsMedia) or not isinstance(network, DownloadsMedia):
            return
        data = bytes(range(256)) * 1000
        attachment = Attachment("cat.png", "", "image/png", len(data))
        url = await network.upload(world.chat, attachment, pieces(data))
        async with network.download(replace(attachment, url=url)) as body:
            assert b"".join([piece async for piece in body]) == data

    async def test_comes_back_after_a_broken_connection(self, world: World) -> None:
        await world.join("bob")
        before = len(world.log.events)
        await world.drop()
        await world.log.wait(Connection, lambda event: event.state is ConnectionState.LOST, after=before)
        await world.log.wait(Connection, lambda event: event.state is ConnectionState.CONNECTED, after=before)
        await patiently(lambda: world.network.open(world.chat))
        await world.speak("bob", "still here")
        await world.log.wait(Said, lambda event: plain(event.message.text) == "still here", after=before)
        await patiently(lambda: world.network.send(words(world, "so are we"), always))
        assert (await world.heard(1))[-1] == "so are we"

    async def test_says_what_was_missed_in_order_and_before_anything_live(self, world: World) -> None:
        if not world.network.capabilities.history:
            return
        await world.join("bob")
        await world.speak("bob", "known")
        known = await world.log.wait(Said, lambda event: plain(event.message.text) == "known")
        await patiently(lambda: world.network.send(words(world, "ours"), always))
        await world.heard(1)
        await world.network.close(world.chat)
        for number in range(5):
            await world.speak("bob", f"missed {number}")
        before = len(world.log.events)
        # The time of our own clock is what the inbox keeps where the network gives none.
        at = known.at if known.at is not None else time.time_ns() // 1_000_000
        await patiently(lambda: world.network.open(world.chat, Place(known.id, at)))
        await world.speak("bob", "live")
        await world.log.wait(Said, lambda event: plain(event.message.text) == "live", after=before)
        said = [plain(event.message.text) for event in world.log.events[before:] if isinstance(event, Said)]
        new = [text for text in said if text != "known"]
        assert new == [*(f"missed {number}" for number in range(5)), "live"]

    async def test_tells_a_message_of_the_past_with_the_id_that_it_had_live(self, world: World) -> None:
        if not world.network.capabilities.history:
            return
        await world.join("bob")
        await world.speak("bob", "first")
        first = await world.log.wait(Said, lambda event: plain(event.message.text) == "first")
        await world.speak("bob", "second")
        live = await world.log.wait(Said, lambda event: plain(event.message.text) == "second")
        await world.network.close(world.chat)
        before = len(world.log.events)
        at = first.at if first.at is not None else time.time_ns() // 1_000_000
        await patiently(lambda: world.network.open(world.chat, Place(first.id, at)))
        again = await world.log.wait(Said, lambda event: plain(event.message.text) == "second", after=before)
        assert again.id == live.id

    async def test_says_nothing_of_a_closed_chat(self, world: World) -> None:
        await world.join("bob")
        await world.speak("bob", "before")
        await world.log.wait(Said)
        await world.network.close(world.chat)
        await world.network.close(world.chat)
        before = len(world.log.events)
        await world.speak("bob", "behind our back")
        await patiently(lambda: world.network.open(world.chat))
        await world.speak("bob", "back again")
        await world.log.wait(Said, lambda event: plain(event.message.text) == "back again", after=before)
        assert not [
            event
            for event in world.log.events[before:]
            if isinstance(event, Said) and plain(event.message.text) == "behind our back"
        ]

    async def test_every_event_has_an_id_of_its_own(self, world: World) -> None:
        await world.join("bob")
        await world.speak("bob", "one")
        await world.rename("bob", "robert")
        await world.speak("robert", "two")
        await world.log.wait(Said, lambda event: plain(event.message.text) == "two")
        ids = [event.id for event in world.log.events if isinstance(event, ChatEvent)]
        assert len(ids) == len(set(ids))
