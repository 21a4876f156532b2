"""The cards of reports: what they say, and what is done to a message and its author when somebody decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haven.errors import Invalid, Missing, NotAllowed
from haven.ids import EventId, RoomId, UserId
from haven.measures import Mute
from haven.model import Community
from haven.permissions import Right

from ..addresses import room_link
from ..audit import Audit, Deed
from ..cards import Card, Word
from ..durations import DAY
from ..homeserver_messages import Messenger
from ..rights import require
from ..service.communities import Communities
from ..service.groups import servers
from ..service.notes import Notes, Place
from ..store import now_ms
from ..wording import Line, Shown, Term, Value, head, line, link, person
from .expulsions import Expulsions, Verb, Wish
from .mutes import Mutes, Silence
from .reports import reasons, reporters

DELETE, WARN, MUTE, REMOVE, DISMISS = "delete", "warn", "mute", "remove", "dismiss"

RIGHTS = {
    DELETE: Right.DELETE,
    WARN: Right.HANDLE_REPORTS,
    MUTE: Right.MUTE,
    REMOVE: Right.REMOVE_PEOPLE,
    DISMISS: Right.HANDLE_REPORTS,
}
"""What each decision takes, beside the right to handle reports."""


@dataclass(frozen=True, slots=True)
class ReportCards:
    """Implements `plugin.cards.Dealer` for reports."""

    communities: Communities
    messages: Messenger
    notes: Notes
    audit: Audit
    expulsions: Expulsions
    mutes: Mutes

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {
            "\N{WASTEBASKET}": DELETE,
            "\N{WARNING SIGN}": WARN,
            "\N{SPEAKER WITH CANCELLATION STROKE}": MUTE,
            "\N{WOMANS BOOTS}": REMOVE,
            "\N{WHITE HEAVY CHECK MARK}": DISMISS,
        }

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        choices = (line(f"report.choice_{choice}", emoji=emoji) for emoji, choice in self.choices.items())
        return (*await self._about(card), *choices)

    async def _about(self, card: Card) -> tuple[Line, ...]:
        community = (await self.communities.intent()).communities.get(card.space)
        values = self.values(community, card)
        why = (line("report.reason", reason=reason) for reason in reasons(card))
        return (head("report.head", **values), line("report.count", n=len(reporters(card))), *why)

    def values(self, community: Community | None, card: Card) -> dict[str, Value]:
        """What a line about a report is filled with: the message as a link, and who wrote it."""
        return {"message": self._message(community, card), "who": person(UserId(card.payload["author"]))}

    def _message(self, community: Community | None, card: Card) -> Shown:
        room = RoomId(card.payload["room"])
        group = community.group(room) if community else None
        if community is None or group is None:
            return link(room, room_link(room, (), card.payload["event"]))
        via = servers(self.communities.rooms.world, room, community)
        return link(group.name, room_link(room, via, card.payload["event"]))

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`. Rights are those of this moment; nobody decides about what they have written themselves."""
        community = await self.communities.fresh(card.space)
        world, author = self.communities.rooms.world, UserId(card.payload["author"])
        for right in (Right.HANDLE_REPORTS, RIGHTS[word.choice]):
            require(world, community, word.who, right)
        if author == word.who:
            raise NotAllowed("report_own")
        await self._carry_out(card, word, community, author)
        if word.choice not in {MUTE, REMOVE}:  # which have deeds of their own
            await self._note(community, card, word, author)
        done = Term(f"report.done_{word.choice}")
        return (*await self._about(card), line("report.done", done=done, by=person(word.who)))

    async def _note(self, community: Community, card: Card, word: Word, author: UserId) -> None:
        deed = Deed(
            f"report.{card.id}",
            card.space,
            word.who,
            f"report_{word.choice}",
            word.door,
            now_ms(),
            {"whom": author},
            word.reason,
        )
        await self.audit.record(community, deed)

    async def _carry_out(self, card: Card, word: Word, community: Community, author: UserId) -> None:
        room, event = RoomId(card.payload["room"]), EventId(card.payload["event"])
        if word.choice == DELETE:
            await self._delete(card, room, event, community)
        elif word.choice == WARN:
            told = line("report.warning", room=self._message(community, card))
            language = community.settings.language
            await self.notes.give(author, language, (told,), Place(room, about=event), f"warn.{card.id}")
        elif word.choice == MUTE:
            mute = Mute(self.mutes.timers.epoch() + DAY)
            await self.mutes.carry_out(
                card.space, Silence(author, word.who, word.door, word.event, mute, again=True)
            )
        elif word.choice == REMOVE:
            wish = Wish(Verb.REMOVE, (author,), word.who, word.door, word.event, word.reason, again=True)
            await self.expulsions.carry_out(card.space, wish)

    async def _delete(self, card: Card, room: RoomId, event: EventId, community: Community) -> None:
        reason = self.notes.replies.wording(community.settings.language).text(Term("report.deleted"))
        take_out = self.messages.take_out
        try:
            await self.notes.replies.patiently(lambda: take_out(room, event, reason, f"delete.{card.id}"))
        except (Missing, Invalid):
            return

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return await self._about(card)
