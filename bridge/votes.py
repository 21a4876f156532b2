"""Votes on polls, and ends of polls, both ways."""

from collections.abc import Sequence

from haven.ids import EventId, RemoteMessageId

from .ballots import Asked, Ballots
from .convert.polls import answers_in, ending, vote
from .convert.shapes import event_in, mapping
from .convert.to_matrix import Draft
from .gestures import Gesture
from .ghosts import Ghosts
from .i18n import Voice
from .links import Linked
from .message import Kind, Message, spans
from .networks.acts import Act, ClosePoll, Say, Vote
from .networks.base import Network
from .networks.events import Person, PollClosed, Voted
from .rooms import Rooms
from .spoken import Doing, Spoken
from .store import Pair, Store


class Votes:
    """Finds the poll that is voted on, and says the vote as the other side spells it."""

    def __init__(self, store: Store, rooms: Rooms, ghosts: Ghosts, ballots: Ballots, voice: Voice) -> None:
        self._store = store
        self._rooms = rooms
        self._ghosts = ghosts
        self._ballots = ballots
        self._voice = voice

    # --- to Matrix ------------------------------------------------------------------------------------------

    async def voted(self, link: Linked, event: Voted) -> Draft | None:
        """The event that votes so; ``None`` where the poll is not known."""
        found = await self._poll(link, event.target)
        if found is None:
            return None
        pair, asked = found
        return Draft(*vote(asked.ballot, pair.event, event.choices))

    async def closed(self, link: Linked, event: PollClosed) -> tuple[Draft, Person | None] | None:
        """The event that ends the poll, and as whom: who asked it, where that was somebody on the network; else (``None``) the bot."""
        found = await self._poll(link, event.target)
        if found is None:
            return None
        pair, asked = found
        owner = self._ghosts.person(asked.sender)
        words = self._say("poll_closed", question=asked.ballot.poll.question)
        draft = Draft(*ending(asked.ballot, pair.event, words))
        return draft, Person(owner.remote, owner.name) if owner else None

    async def _poll(self, link: Linked, target: RemoteMessageId) -> tuple[Pair, Asked] | None:
        pairs = await self._store.events_of(link.network, link.chat, target, link.room)
        for pair in pairs:
            asked = await self._ballots.find(link.room, pair.event)
            if asked is not None:
                return pair, asked
        return None

    # --- to the network -------------------------------------------------------------------------------------

    async def vote(self, link: Linked, network: Network, spoken: Spoken) -> Doing | None:
        """What to do in the chat for a member's vote."""
        poll, asked = await self._asked(link, spoken)
        if poll is None or asked is None:
            return None
        choices = asked.ballot.choices(answers_in(spoken.content))
        target = await self._message(link, poll)
        if target is not None and network.capabilities.votes:
            return Doing(Vote(target, choices), Gesture(target, spoken.event).name)
        if asked.ballot.poll.secret:
            return None
        words = self._vote_in_words(link, spoken, asked, choices)
        return Doing(words, Gesture(Gesture.NOWHERE, spoken.event).name)

    async def end(self, link: Linked, network: Network, spoken: Spoken) -> Doing | None:
        """What to do in the chat where a member ends a poll; nothing where they may not (MSC3381: its author, and who may redact)."""
        poll, asked = await self._asked(link, spoken)
        view = self._rooms.view(link.room)
        if poll is None or asked is None:
            return None
        if spoken.sender != asked.sender and view.power_of(spoken.sender) < view.levels.redact:
            return None
        target = await self._message(link, poll)
        if target is not None and network.capabilities.polls:
            return Doing(ClosePoll(target))
        return Doing(self._said("poll_closed", question=asked.ballot.poll.question))

    async def _asked(self, link: Linked, spoken: Spoken) -> tuple[EventId | None, Asked | None]:
        poll = event_in(mapping(spoken.content, "m.relates_to"))
        return poll, await self._ballots.find(link.room, poll) if poll is not None else None

    async def _message(self, link: Linked, event: EventId) -> RemoteMessageId | None:
        pairs = await self._store.messages_of(link.room, event, link.network, link.chat)
        return pairs[0].message if pairs else None

    def _vote_in_words(self, link: Linked, spoken: Spoken, asked: Asked, choices: Sequence[int]) -> Act:
        poll = asked.ballot.poll
        name = self._rooms.name_of(link.room, spoken.sender)
        answers = ", ".join(poll.options[choice] for choice in choices)
        key = "voted" if choices else "unvoted"
        return self._said(key, name=name, question=poll.question, answers=answers)

    def _said(self, key: str, **values: str) -> Say:
        return Say(Message(spans(self._say(key, **values)), Kind.NOTICE))

    def _say(self, key: str, **values: str) -> str:
        return self._voice.say(f"said.{key}", **values)
