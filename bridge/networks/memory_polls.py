"""What the people of the memory network decide together: votes on polls, their ends, and for how long messages stay.

``Forum`` is the part of the server that they act through, ``Teller`` the part of an account that acts for Matrix members.
"""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from haven.errors import Missing
from haven.ids import ChatId, RemoteMessageId, RemoteUserId, UserId

from .acts import ClosePoll, Outgoing, Vote
from .events import PollClosed, TimerChanged, Voted
from .memory_people import Crowd, Ground, Warden

Choices = tuple[int, ...]


@dataclass(slots=True)
class Assembly(Crowd):
    """One chat's votes by poll and voter (people of the network, and members on Matrix), the polls that are over, and its timer in
    seconds.
    """

    votes: dict[RemoteMessageId, dict[RemoteUserId | UserId, Choices]] = field(default_factory=dict)
    closed: set[RemoteMessageId] = field(default_factory=set)
    timer: int | None = None

    def count(self, poll: RemoteMessageId, voter: RemoteUserId | UserId, choices: Choices) -> None:
        """Take a vote in the place of any earlier one of the same voter. ``Missing`` where the poll is over."""
        if poll in self.closed:
            raise Missing("network_poll_over")
        votes = self.votes.setdefault(poll, {})
        votes.pop(voter, None)
        if choices:
            votes[voter] = choices


A = TypeVar("A", bound=Assembly)


class Forum(Ground[A]):
    """The server as far as polls and timers go."""

    async def vote(self, chat: ChatId, who: RemoteUserId, poll: RemoteMessageId, *choices: int) -> None:
        """Someone votes; without choices they take their vote back."""
        here = self.chat(chat)
        here.count(poll, who, choices)
        await self.tell(Voted(self.next_id(), chat, here.people[who], poll, choices))

    async def close_poll(self, chat: ChatId, who: RemoteUserId, poll: RemoteMessageId) -> None:
        """Someone ends a poll."""
        here = self.chat(chat)
        here.closed.add(poll)
        await self.tell(PollClosed(self.next_id(), chat, here.people[who], poll))

    async def set_timer(self, chat: ChatId, who: RemoteUserId, seconds: int | None) -> None:
        """Someone sets after how many seconds messages disappear."""
        here = self.chat(chat)
        here.timer = seconds
        await self.tell(TimerChanged(self.next_id(), chat, here.people[who], seconds))


class Teller(Warden[A], Generic[A]):
    """An account as far as polls and timers go."""

    async def set_timer(self, chat: ChatId, seconds: int | None) -> int | None:
        """Set it to exactly that; our own change is not said to us."""
        self._ruled(chat).timer = seconds
        return seconds

    def _counted(self, outgoing: Outgoing) -> None:
        """Do what a vote or an end asks for."""
        here = self._ground.chat(outgoing.chat)
        match outgoing.act:
            case Vote(target=poll, choices=choices) if outgoing.sender is not None:
                here.count(poll, outgoing.sender.user, choices)
            case ClosePoll(target=poll):
                here.closed.add(poll)
            case _:
                pass
