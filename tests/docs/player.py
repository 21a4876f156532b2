"""Plays the examples of a page before a homeserver, and holds what the bot says to what the page tells."""

import re
from collections.abc import Sequence
from typing import Protocol

from embedded.waiting import NeverHappened, eventually
from tests.docs.script import Done, Heard, Said, Step, Words, shown


class Theatre(Protocol):
    """A homeserver with a bot, and people by their names. Places are called as on the page."""

    async def say(self, who: str, place: str, text: str, to: str) -> str:
        """Somebody says something, in answer to the last message of ``to`` where that is somebody; gives the event."""

    async def said(self, place: str) -> Sequence[tuple[str, str, str]]:
        """What the bot has said in a place, each as it reads in the end: the event, what it answers or "", the text."""

    async def join(self, who: str, place: str) -> None:
        """Somebody joins a room, or the community."""

    async def knock(self, who: str, place: str, reason: str) -> None:
        """Somebody asks to join."""

    async def leave(self, who: str, place: str) -> None:
        """Somebody leaves a room, or the community."""

    async def react(self, who: str, place: str, to: str, emoji: str) -> None:
        """Somebody reacts to the last message of somebody, "" being the bot's last that was looked at."""

    async def own_room(self, who: str, name: str) -> None:
        """Somebody has a room of their own, by an alias made of its name, with the bot as an administrator of it."""

    async def ban_list(self, who: str, name: str, banned: str) -> None:
        """Somebody keeps a ban list that anybody can read, by an alias made of its name, with one person on it."""


class Player:
    """Plays one page."""

    def __init__(self, theatre: Theatre, words: Words) -> None:
        self.theatre, self.words = theatre, words
        self._told: set[str] = set()
        self._asked: tuple[str, str] | None = None

    async def play(self, steps: Sequence[Step]) -> None:
        """All of it, in order. Raises `AssertionError` with the step that went another way."""
        for step in steps:
            match step:
                case Said(who, place, text, to):
                    await self._nothing_untold()
                    event = await self.theatre.say(who, place, self.words.typed(text), to)
                    self._asked = (place, event) if text.startswith("!c") else None
                case Heard():
                    await self._hear(step)
                case Done(who, place, what):
                    await self._nothing_untold()
                    await self._do(who, place, what)
        await self._nothing_untold()

    async def _hear(self, step: Heard) -> None:
        async def heard() -> str:
            for event, to, body in await self.theatre.said(step.place):
                # What nobody asked for, such as the audit log, is gathered in one message when much happens at once.
                parts = [shown(body), *(() if to else shown(body).splitlines())]
                if event not in self._told and any(self.words.fits(step.text, part) for part in parts):
                    return event
            return ""

        try:
            self._told.add(await eventually(heard, step.text))
        except NeverHappened:
            new = [
                shown(body)
                for event, _, body in await self.theatre.said(step.place)
                if event not in self._told
            ]
            raise AssertionError(
                f"in {step.place} the page has\n{step.text}\nand there is\n" + "\n".join(new[-5:])
            ) from None

    async def _nothing_untold(self) -> None:
        """Every answer to a command stands on the page."""
        if self._asked is None:
            return
        place, asked = self._asked
        self._asked = None
        left = [
            shown(body)
            for event, to, body in await self.theatre.said(place)
            if to == asked and event not in self._told
        ]
        assert not left, f"the page does not tell that the bot says\n{left}"

    async def _do(self, who: str, place: str, what: str) -> None:
        theatre = self.theatre
        if found := re.fullmatch(r"joins (.+)", what):
            for each in re.split(r", | and ", found[1]):
                await theatre.join(who, each)
        elif found := re.fullmatch(r"asks to join ([^:]+): (.+)", what):
            await theatre.knock(who, found[1], self.words.typed(found[2]))
        elif found := re.fullmatch(r"leaves (.+)", what):
            await theatre.leave(who, found[1])
        elif found := re.fullmatch(r"presses (\S+)(?: under what (\w+) wrote)?", what):
            await theatre.react(who, place, found[2] or "", found[1])
        elif found := re.fullmatch(
            r"has a room of h\w+ own, “(.+)”, and makes Haven its administrator", what
        ):
            await theatre.own_room(who, found[1])
        elif found := re.fullmatch(r"keeps a ban list, “(.+)”, with (\S+) on it", what):
            await theatre.ban_list(who, found[1], found[2])
        else:
            raise AssertionError(f"nobody can tell what {who} does: {what}")
