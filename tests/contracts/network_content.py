"""What every network must keep of all that people send, as far as it says that it can: inherited beside ``NetworkContract``.

A subclass gives a ``world`` whose people can do all that; tests whose capability a network lacks pass over it.
"""

from collections.abc import Sequence
from typing import Protocol

from bridge.message import (
    Attachment,
    Contact,
    Gathering,
    Location,
    MediaKind,
    Message,
    Poll,
    Reply,
    Span,
    Style,
    spans,
)
from bridge.networks.acts import Act, ClosePoll, Delete, Edit, Outgoing, React, Say, Vote
from bridge.networks.base import Capabilities, SetsTimer
from bridge.networks.events import (
    Deleted,
    Edited,
    PollClosed,
    Reacted,
    Said,
    TimerChanged,
    Voted,
)
from haven.ids import RemoteMessageId
from tests.contracts.network import ALICE, World, always

DAY = 24 * 3600
POLL = Poll("When?", ("Monday", "Tuesday", "never"), most=2)


class ContentWorld(World, Protocol):
    """A network whose people can do more than talk. ``bob`` is in the chat."""

    async def send(self, name: str, message: Message) -> RemoteMessageId:
        """A person sends something; what it is called there."""

    async def edit(self, name: str, target: RemoteMessageId, text: str) -> None:
        """A person corrects what they sent."""

    async def delete(self, name: str, target: RemoteMessageId) -> None:
        """A person takes back what they sent."""

    async def react(self, name: str, target: RemoteMessageId, key: str, *, removed: bool = False) -> None:
        """A person reacts, or takes it back."""

    async def vote(self, name: str, poll: RemoteMessageId, *choices: int) -> None:
        """A person votes."""

    async def close_poll(self, name: str, poll: RemoteMessageId) -> None:
        """A person ends their poll."""

    async def set_timer(self, name: str, seconds: int | None) -> None:
        """A person sets after how many seconds messages disappear."""

    async def seen(self, number: int) -> Sequence[Act]:
        """What a person in the chat saw the bridge do, once it has done so many things."""

    async def timer(self) -> int | None:
        """The timer as a person in the chat sees it."""


def samples(can: Capabilities) -> list[Message]:
    """One message of each kind that a network can show."""
    files = [Attachment("a.bin", "memory://a", "application/x", 3, kind) for kind in MediaKind]
    able = [
        (Style.BOLD in can.formatting, Message((Span("so "), Span("bold", frozenset({Style.BOLD}))))),
        (can.locations, Message((), location=Location(41.5, -2.25, "The mill"))),
        (can.contacts, Message((), contacts=(Contact("Ada", "BEGIN:VCARD\nEND:VCARD"),))),
        (can.polls, Message((), poll=POLL)),
        (can.gatherings, Message((), gathering=Gathering("Feast", 1_700_000_000_000))),
        (can.timers, Message(spans("for a day"), expires=DAY)),
        *((file.kind in can.media, Message((), attachments=(file,))) for file in files),
    ]
    return [Message(spans("plain")), *(message for is_able, message in able if is_able)]


async def done(world: ContentWorld, act: Act, key: str) -> RemoteMessageId:
    """Have Alice do something; what it is called there."""
    receipt = await world.network.send(Outgoing(key, world.chat, ALICE, act), always)
    return receipt.messages[0][1] if receipt.messages else RemoteMessageId("")


class ContentContract:
    """The contract of all that people send."""

    async def test_says_each_thing_that_people_send(self, world: ContentWorld) -> None:
        for message in samples(world.network.capabilities):
            name = await world.send("bob", message)
            said = await world.log.wait(Said, lambda event, name=name: event.id == name)  # type: ignore[misc]  # bound at once
            assert said.message == message

    async def test_sends_each_thing_that_members_send(self, world: ContentWorld) -> None:
        acts = [Say(message) for message in samples(world.network.capabilities)]
        names = [await done(world, act, f"k{number}") for number, act in enumerate(acts)]
        assert len(set(names)) == len(names)
        assert list(await world.seen(len(acts))) == acts

    async def test_replies_and_threads_go_both_ways(self, world: ContentWorld) -> None:
        can = world.network.capabilities
        root = await world.send("bob", Message(spans("root")))
        await world.log.wait(Said)
        reply = Reply(root) if can.replies else None
        message = Message(spans("under it"), reply=reply, thread=root if can.threads else None)
        name = await world.send("bob", message)
        assert (await world.log.wait(Said, lambda event: event.id == name)).message == message
        await done(world, Say(message), "k")
        assert (await world.seen(1))[-1] == Say(message)

    async def test_edits_and_deletions_go_both_ways(self, world: ContentWorld) -> None:
        can = world.network.capabilities
        theirs = await world.send("bob", Message(spans("helo")))
        ours = await done(world, Say(Message(spans("wrld"))), "k1")
        if can.edits:
            await world.edit("bob", theirs, "hello")
            edited = await world.log.wait(Edited)
            assert (edited.target, edited.message) == (theirs, Message(spans("hello")))
            await done(world, Edit(ours, Message(spans("world"))), "k2")
            assert (await world.seen(2))[-1] == Edit(ours, Message(spans("world")))
        if can.deletions:
            await world.delete("bob", theirs)
            assert (await world.log.wait(Deleted)).target == theirs
            await done(world, Delete(ours), "k3")
            assert (await world.seen(3 if can.edits else 2))[-1] == Delete(ours)

    async def test_reactions_go_both_ways_and_are_taken_back(self, world: ContentWorld) -> None:
        if not world.network.capabilities.reactions:
            return
        theirs = await world.send("bob", Message(spans("coffee?")))
        ours = await done(world, Say(Message(spans("tea?"))), "k1")
        for number, removed in enumerate((False, True)):
            before = len(world.log.events)
            await world.react("bob", ours, "☕", removed=removed)
            heard = await world.log.wait(Reacted, after=before)
            assert (heard.target, heard.key, heard.removed) == (ours, "☕", removed)
            await done(world, React(theirs, "👍", removed), f"r{number}")
        assert (await world.seen(3))[1:] == [React(theirs, "👍"), React(theirs, "👍", removed=True)]

    async def test_votes_go_both_ways_until_the_poll_is_over(self, world: ContentWorld) -> None:
        can = world.network.capabilities
        if not can.polls:
            return
        theirs = await world.send("bob", Message((), poll=POLL))
        ours = await done(world, Say(Message((), poll=POLL)), "k1")
        await world.vote("bob", ours, 0, 2)
        await world.vote("bob", ours)
        first = await world.log.wait(Voted)
        second = await world.log.wait(Voted, lambda event: not event.choices)
        assert (first.target, first.choices, second.choices) == (ours, (0, 2), ())
        acts: list[Act] = [Vote(theirs, (1,))] if can.votes else []
        acts.append(ClosePoll(ours))
        for number, act in enumerate(acts):
            await done(world, act, f"v{number}")
        assert list(await world.seen(1 + len(acts)))[1:] == acts
        await world.close_poll("bob", theirs)
        assert (await world.log.wait(PollClosed)).target == theirs

    async def test_the_timer_goes_both_ways(self, world: ContentWorld) -> None:
        if not world.network.capabilities.timers:
            return
        await world.set_timer("bob", DAY)
        await world.log.wait(TimerChanged, lambda event: event.seconds == DAY)
        assert isinstance(world.network, SetsTimer)
        held = await world.network.set_timer(world.chat, 7 * DAY)
        assert held == await world.timer()
        assert await world.network.set_timer(world.chat, None) is None
        assert await world.timer() is None
