"""Who takes part: fathers in several countries on Matrix, and how they talk with the bot."""

from collections.abc import Mapping
from dataclasses import dataclass

from embedded.matrix import Event, MatrixRefused
from embedded.person import Person
from embedded.waiting import eventually

PASSWORD = "padres-demo"  # noqa: S105 - of accounts that live on loopback as long as the demo

FATHERS: Mapping[str, tuple[str, str]] = {
    "diego": ("Diego", "México"),
    "javier": ("Javier", "España"),
    "luis": ("Luis", "Colombia"),
    "tomas": ("Tomás", "Chile"),
}
STRANGER = ("mateo", "Mateo")


@dataclass(frozen=True, slots=True)
class Father:
    """One person on Matrix: a client, and a name to be called by."""

    person: Person
    name: str

    @property
    def user_id(self) -> str:
        """The Matrix id."""
        return self.person.user_id

    async def ask(self, room: str, command: str, bot: str) -> str:
        """Says a command; the bot's answer to it."""
        return text_of(await self.answer(room, command, bot))

    async def answer(self, room: str, command: str, bot: str) -> Event:
        """Says a command; the event by which the bot answers."""
        asked = await self.person.say(room, command)
        return await self.person.wait_for(room, lambda event: _answers(event, asked, bot))

    async def refused(self, room: str, text: str) -> bool:
        """Tries to say something; whether the homeserver refuses it."""
        try:
            await self.person.impatient().say(room, text)
        except MatrixRefused as refusal:
            return refusal.status == 403
        return False

    async def join(self, room: str) -> None:
        """Joins a room, whose doors may open a moment later."""

        async def try_it() -> bool:
            try:
                await self.person.join(room)
            except MatrixRefused as refusal:
                if refusal.status != 403:
                    raise
                return False
            return True

        await eventually(try_it, f"{self.name} joining a room")


def text_of(event: Event) -> str:
    """What an event says; of an edit, the new text."""
    return str((event.content.get("m.new_content") or event.content).get("body", ""))


def relation_of(event: Event) -> Mapping[str, object]:
    """How an event relates to another one."""
    relation = event.content.get("m.relates_to")
    return relation if isinstance(relation, Mapping) else {}


def _answers(event: Event, asked: str, bot: str) -> bool:
    to = relation_of(event).get("m.in_reply_to")
    return event.sender == bot and isinstance(to, Mapping) and to.get("event_id") == asked
