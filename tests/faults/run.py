"""Plays a history on a crossing: people speak, things go wrong, the bridge dies and comes back; then every way is judged."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from embedded.proxy import After, Answered, Asked, Before, Drop, broken
from embedded.waiting import NeverHappened, eventually
from tests.faults.chaos import LIMITING, PUSH, PUSHING, STUMBLING, Chaos, Odds, texts_of
from tests.faults.crossing import LONG, Crossing
from tests.faults.history import Kill, Line, Round, Side, Trouble
from tests.faults.memory_of import kept
from tests.faults.verdict import Verdict, Way, judge, never_taken

TROUBLES: dict[Trouble, tuple[Odds, Odds]] = {
    Trouble.NONE: (Odds(), Odds()),
    Trouble.HOMESERVER_STUMBLES: (STUMBLING, Odds()),
    Trouble.HOMESERVER_LIMITS: (LIMITING, Odds()),
    Trouble.PUSHES_STUMBLE: (Odds(), PUSHING),
    Trouble.DATABASE_STUMBLES: (Odds(), Odds()),
    Trouble.EVERYTHING: (STUMBLING, PUSHING),
}
"""What goes wrong on the way to the homeserver, and on the way from it."""


def _carries(asked: Asked) -> bool:
    """Whether a request is a message on its way, in either direction."""
    return asked.method == "PUT" and ("/send/" in asked.path or asked.path.startswith(PUSH))


SHAKES = 5
"""How often in a run the homeserver may leave something lying."""
SOON = 15.0
"""Seconds after which one looks whether the homeserver holds something back."""


@dataclass(slots=True)
class Killer:
    """Kills the bridge when enough has passed the proxies: sends, pushes, and lines for IRC."""

    here: Crossing
    kill: Kill | None = None
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    _passed: int = 0

    def arm(self, kill: Kill | None) -> None:
        """From now on it counts."""
        self.kill, self._passed = kill, 0
        self.struck.clear()

    async def passage(self, *, answered: bool) -> None:
        """Something passes; may be the last thing."""
        if self.kill is None or self.kill.answered != answered:
            return
        self._passed += 1
        if self._passed >= self.kill.passages:
            await self.strike()
            raise Drop

    async def strike(self) -> None:
        """Kills it now."""
        self.kill = None
        self.here.present.clear()
        # A task of its own: a proxy gives up a request whose asker has gone, before the asker is dead.
        await asyncio.shield(asyncio.create_task(self._strike()))

    async def _strike(self) -> None:
        await self.here.bridge.kill()
        self.struck.set()


async def _soon(check: Callable[[], Awaitable[bool]]) -> bool:
    """Whether something comes about before one begins to wonder."""
    try:
        return await eventually(check, "soon", SOON, 0.2)
    except NeverHappened:
        return False


class Run:
    """One history on a crossing that is at rest. ``report`` says what happened, for the terminal."""

    def __init__(self, here: Crossing, seed: int) -> None:
        here.runs += 1
        self.here = here
        self.seed = seed
        self.name = f"r{here.runs}m"
        self.kills = 0
        self.held_back = 0
        self._outwards = Chaos(here.to_homeserver, f"homeserver {seed}")
        self._inwards = Chaos(here.to_bridge, f"pushes {seed}")
        self._killer = Killer(here)
        ways = [(side, number) for side in Side for number in range(len(here.links))]
        self._said: dict[tuple[Side, int], list[str]] = {way: [] for way in ways}
        self._excused: dict[tuple[Side, int], set[str]] = {way: set() for way in ways}
        self._before: dict[tuple[Side, int], int] = {}
        self._messages: dict[int, list[str]] = {number: [] for number in range(len(here.links))}
        self._pushed: dict[str, int] = {}
        """The messages in the order in which the homeserver pushed them, whether or not the push arrived."""

    async def play(self, rounds: Iterable[Round]) -> list[Verdict]:
        """All rounds, from the beginning to the end; what was found."""
        await self.begin()
        for each in rounds:
            await self._round(each)
        return await self.end()

    async def begin(self) -> None:
        """Looks at what was heard before, and takes its place in the proxies."""
        self._before = {way: len(await self._heard(*way)) for way in self._said}
        self._hook()

    async def end(self) -> list[Verdict]:
        """Calm, then a last word on every way; what was found."""
        self.calm()
        await self._last_words()
        await self.here.idle()
        return [await self._judge(*way) for way in self._said]

    @property
    def early(self) -> int:
        """How many requests came before the time that a 429 told was over."""
        return self._outwards.early

    def report(self, verdicts: Iterable[Verdict]) -> str:
        """What was said, what went wrong on the way, and what was missed with an excuse."""
        said = {side: sum(len(self._said[way]) for way in self._said if way[0] is side) for side in Side}
        happened = {**self._outwards.happened}
        happened |= {f"push {name}": number for name, number in self._inwards.happened.items()}
        faults = ", ".join(f"{name} {number}" for name, number in sorted(happened.items())) or "none"
        return (
            f"seed {self.seed}: {said[Side.MATRIX]} lines out, {said[Side.NETWORK]} in, {self.kills} kills,"
            f" faults: {faults}; held back by the homeserver: {self.held_back}; excused and missing: {sum(each.missed for each in verdicts)}"
        )

    # --- one round ------------------------------------------------------------------------------------------

    async def _round(self, each: Round) -> None:
        self._trouble(each.trouble)
        self._killer.arm(each.kill)
        async with asyncio.TaskGroup() as tasks:
            speaking = [
                tasks.create_task(self.speak([line for line in each.lines if line.side is side]))
                for side in Side
            ]
            if each.trouble in {Trouble.DATABASE_STUMBLES, Trouble.EVERYTHING}:
                tasks.create_task(self._cut_the_database(speaking))
            if each.kill is not None:
                tasks.create_task(self._die_and_come_back(speaking))
        assert self.here.bridge.process.running, f"the bridge ended by itself (seed {self.seed})"

    async def speak(self, lines: Iterable[Line]) -> None:
        """Says one line after the other; what is for IRC only while the bridge is there."""
        for line in lines:
            link = self.here.links[line.link]
            if line.side is Side.MATRIX:
                self._messages[line.link].append(line.text)
                self._said[line.side, line.link] += line.text.split("\n")
                await self.here.members[line.speaker].say(link.room, line.text)
            else:
                await self.here.present.wait()
                self._said[line.side, line.link].append(line.text)
                await self.here.speak(self.here.chatters[line.speaker], link.channel, line.text)

    async def _die_and_come_back(self, speaking: list[asyncio.Task[None]]) -> None:
        """Waits for the kill; where not enough happens for it, it comes at the end of everything."""

        async def over() -> bool:
            said = all(task.done() for task in speaking)
            return self._killer.struck.is_set() or (said and await self.here.waiting() == 0)

        await eventually(over, "the round comes to its end", LONG)
        if not self._killer.struck.is_set():
            await self._killer.strike()
        self.kills += 1
        await self.here.kill()
        await self._excuse()
        await self.here.start()

    async def taken(self, number: int) -> None:
        """Waits until the bridge holds so many messages that it cannot carry yet."""

        async def held() -> bool:
            return await self.here.waiting() == number

        await eventually(held, f"the bridge has taken {number} messages", LONG)

    def excuse_everything(self) -> None:
        """Whatever was said so far may be missing, though not come twice or in another order."""
        for way, said in self._said.items():
            self._excused[way] |= set(said)

    async def _excuse(self) -> None:
        """The bridge is dead: what it had not taken from IRC it cannot have, and what it was just writing is in doubt."""
        memory = await kept(self.here.database)
        for number, link in enumerate(self.here.links):
            way = Side.NETWORK, number
            taken = memory.for_matrix | set(await self.here.texts(link.room))
            # What an earlier kill excused was not taken either, and says nothing about what came after it.
            said = [text for text in self._said[way] if text not in self._excused[way]]
            self._excused[way] |= never_taken(said, taken)
            for message in self._messages[number]:
                if parts := memory.claimed.get(message, 0):
                    self._excused[Side.MATRIX, number].add(message.split("\n")[parts - 1])

    async def _cut_the_database(self, speaking: list[asyncio.Task[None]]) -> None:
        wire = self.here.to_database
        while wire is not None and not all(task.done() for task in speaking):
            await asyncio.sleep(0.5)
            wire.refusing = not wire.refusing
            await wire.cut()
        if wire is not None:
            wire.refusing = False

    # --- trouble --------------------------------------------------------------------------------------------

    def _hook(self) -> None:
        here = self.here
        here.to_homeserver.before, here.to_homeserver.after = self._between(self._outwards)
        here.to_bridge.before, here.to_bridge.after = self._between(self._inwards)

        async def to_irc(piece: bytes) -> None:
            if b"PRIVMSG" in piece:
                with suppress(Drop):  # what was written before a kill is still delivered
                    await self._killer.passage(answered=False)

        here.to_irc.sent = to_irc

    def _between(self, chaos: Chaos) -> tuple[Before, After]:
        """The hooks of a proxy: first the killer, then chaos."""

        async def before(asked: Asked) -> Answered | None:
            self._note_push(asked)
            if _carries(asked):
                await self._killer.passage(answered=False)
            return await chaos.before(asked)

        async def after(asked: Asked, answer: Answered) -> Answered | None:
            if _carries(asked):
                await self._killer.passage(answered=True)
            return await chaos.after(asked, answer)

        return before, after

    def _note_push(self, asked: Asked) -> None:
        for text in texts_of(asked):
            self._pushed.setdefault(text, len(self._pushed))

    def _trouble(self, trouble: Trouble) -> None:
        self._outwards.odds, self._inwards.odds = TROUBLES[trouble]

    def calm(self) -> None:
        """Nothing is wrong any more."""
        here = self.here
        for proxy in (here.to_homeserver, here.to_bridge):
            proxy.before = proxy.after = None

        async def note(asked: Asked) -> Answered | None:
            self._note_push(asked)
            return None

        here.to_bridge.before = note
        here.to_irc.sent = None
        if here.to_database is not None:
            here.to_database.refusing = False

    # --- the end --------------------------------------------------------------------------------------------

    async def _last_words(self) -> None:
        """A last line on each way: when it is through, all before it in its lane is done with."""
        await self.here.start()
        for side, number in self._said:
            await self.speak([Line(side, number, 0, f"last {number} of {self.name}")])
        for way in self._said:
            await self._through(*way)

        async def nothing_left() -> bool:
            return not self.here.held_back()

        while self.held_back < SHAKES and not await _soon(nothing_left):
            await self._shake(0)
            await self._through(Side.MATRIX, 0)

    async def _through(self, side: Side, number: int) -> None:
        """Waits until what was said last on a way is heard at its end."""
        last = self._said[side, number][-1]

        async def through() -> bool:
            return last in (await self._heard(side, number))[self._before[side, number] :]

        while not await _soon(through) and self.held_back < SHAKES and self.here.held_back():
            await self._shake(number)
        await eventually(through, f"the last line from {side} {number} arrives (SEED={self.seed})", LONG, 0.2)

    async def _shake(self, number: int) -> None:
        """The homeserver holds back what it was told: give it the trouble for which it looks again."""
        self.held_back += 1
        failed = asyncio.Event()

        async def fail(asked: Asked) -> Answered | None:
            self._note_push(asked)
            if failed.is_set() or not asked.path.startswith(PUSH):
                return None
            failed.set()
            return broken()

        self.here.to_bridge.before = fail
        await self.speak([Line(Side.MATRIX, number, 0, f"shake {self.held_back} of {self.name}")])
        async with asyncio.timeout(LONG):
            await failed.wait()

    async def _heard(self, side: Side, number: int) -> list[str]:
        link = self.here.links[number]
        return self.here.lines(link.channel) if side is Side.MATRIX else await self.here.texts(link.room)

    async def _judge(self, side: Side, number: int) -> Verdict:
        heard = (await self._heard(side, number))[self._before[side, number] :]
        excused = frozenset(self._excused[side, number])
        said = self._said[side, number] if side is Side.NETWORK else self._as_pushed(number)
        return judge(Way(f"from {side} {number}", tuple(said), tuple(heard), excused))

    def _as_pushed(self, number: int) -> list[str]:
        """What members said, in the order in which the homeserver told of it; what it never told of comes last.

        Synapse now and then holds a transaction back until its next trouble, while later ones go out: it is stored while
        the state still says "down" and after the last look for what waits (scheduler.py). That is its order, not ours.
        """
        messages = self._messages[number]
        pushed = sorted(messages, key=lambda text: self._pushed.get(text, len(self._pushed)))
        self.held_back += sum(
            place > 0 and messages.index(text) < messages.index(pushed[place - 1])
            for place, text in enumerate(pushed)
        )
        return [line for text in pushed for line in text.split("\n")]
