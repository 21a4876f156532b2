"""What the messages of one room tell: said, corrected, taken back, reacted to; never what is our own, and nobody reaches what is not theirs."""

from collections.abc import AsyncIterator, Callable, Iterator

from haven.ids import ChatId, RemoteMessageId

from .events import Deleted, Edited, Person, Reacted, Said, Talk
from .xmpp_history import Archive
from .xmpp_known import Author, Known
from .xmpp_own import Own
from .xmpp_people import People
from .xmpp_reading import Gives, Groupchat, read_groupchat
from .xmpp_wanted import MADE

_PAGES_BACK = 4
"""Pages of the archive that are looked through for a message that is corrected."""


class Talker:
    """Tells what messages say, one after the other. ``new_id`` makes an id where the room gives none."""

    def __init__(
        self,
        chat: ChatId,
        *,
        gives: Gives,
        people: People,
        archive: Archive,
        own: Own,
        known: Known,
        new_id: Callable[[], str],
    ) -> None:
        self._chat = chat
        self._gives = gives
        self._people = people
        self._archive = archive
        self._own = own
        self._known = known
        self._new_id = new_id

    def remember(self, said: Groupchat, *, only_own: bool = False) -> None:
        """Take note of a message of the archive that needs no telling; ``only_own``: where it is our own, since others are told yet."""
        person = self._people.person(said.nick, said.occupant)
        if self._is_own(said, archived=True):
            self._remember_own(said, person)
        elif only_own:
            pass
        elif said.reacts is not None:
            self._known.reacted(person.id, said.target, said.reacts)
        elif said.message is not None:
            self._known.said(person.id, said.chosen, self._original(said, person) or RemoteMessageId(said.id))

    async def tell(self, said: Groupchat, *, archived: bool = False) -> tuple[Talk, ...]:
        """What ``said`` tells; nothing where it was told before."""
        person = self._people.person(said.nick, said.occupant)
        if self._is_own(said, archived=archived):
            self._remember_own(said, person)
            return ()
        if not (said.nick or said.moderated) or self._known.was_told(said.id):
            return ()
        message = RemoteMessageId(said.id or MADE + self._new_id())
        events = tuple([event async for event in self._events(said, person, message)])
        # Not before: where the archive did not answer, all of it is told once more.
        self._known.told(said.id)
        return events

    # --- what is our own -------------------------------------------------------------------------------------------------

    def _is_own(self, said: Groupchat, *, archived: bool) -> bool:
        """Live the room says who spoke; of the past we know our own ids, since our occupants may be others now."""
        if archived and self._own.made(self._chat, said.chosen):
            return True
        if self._gives.occupant_ids:
            return self._own.has_occupant(self._chat, said.occupant)
        return not archived and self._own.has_nick(self._chat, said.nick)

    def _remember_own(self, said: Groupchat, person: Person) -> None:
        message = RemoteMessageId(said.id or MADE + said.chosen)
        if said.reacts is not None:
            self._known.reacted(person.id, said.target, said.reacts)
        self._known.said(person.id, said.chosen, self._original(said, person) or message)
        self._known.sent(said.chosen, message)
        self._own.echoed(self._chat, said.chosen, message)

    # --- what others say -------------------------------------------------------------------------------------------------

    async def _events(self, said: Groupchat, person: Person, message: RemoteMessageId) -> AsyncIterator[Talk]:
        if said.retracts:
            if said.moderated or await self._is_theirs(said, person):
                yield Deleted(message, self._chat, person, RemoteMessageId(said.retracts), said.at)
        elif said.reacts is not None:
            for event in self._reactions(said, person, message):
                yield event
        elif said.message is not None:
            target = await self._corrected(said, person, message)
            self._known.said(person.id, said.chosen, target or message)
            if target is not None:
                yield Edited(message, self._chat, person, target, said.message, said.at)
            else:
                yield Said(message, self._chat, person, said.message, said.at)

    def _reactions(self, said: Groupchat, person: Person, message: RemoteMessageId) -> Iterator[Reacted]:
        """A set of reactions as what changed in it. The first change has the message's own id."""
        came, went = self._known.reacted(person.id, said.target, said.reacts or frozenset())
        changes = [(key, True) for key in sorted(went)] + [(key, False) for key in sorted(came)]
        target = RemoteMessageId(said.target)
        for number, (key, removed) in enumerate(changes):
            each = RemoteMessageId(f"{message}{MADE}{number}") if number else message
            yield Reacted(each, self._chat, person, target, key, removed, said.at)

    def _original(self, said: Groupchat, person: Person) -> RemoteMessageId | None:
        return self._known.message(person.id, said.replaces) if said.replaces else None

    async def _corrected(
        self, said: Groupchat, person: Person, message: RemoteMessageId
    ) -> RemoteMessageId | None:
        """The message of the same person that ``said`` corrects; ``None`` where there is none: then it is said as something new."""
        if not said.replaces:
            return None
        oldest: str = message
        for _ in range(_PAGES_BACK):
            found = self._original(said, person)
            if found is not None or not self._gives.archive or MADE in oldest:
                return found
            page = await self._archive.before(oldest)
            for archived in page:
                self.remember(read_groupchat(archived.stanza, self._gives, (archived.id, archived.at)))
            if not page:
                break
            oldest = page[0].id
        return self._original(said, person)

    async def _is_theirs(self, said: Groupchat, person: Person) -> bool:
        """Whether what is taken back is who takes it back's (XEP-0424 section 4)."""
        author = await self.author(RemoteMessageId(said.retracts))
        return author is not None and author.person == person.id

    async def author(self, message: RemoteMessageId) -> Author | None:
        """Who wrote a message, if need be from the archive."""
        known = self._known.author(message)
        if known is None and self._gives.archive:
            archived = await self._archive.one(message)
            if archived is not None:
                self.remember(read_groupchat(archived.stanza, self._gives, (archived.id, archived.at)))
            known = self._known.author(message)
        return known
