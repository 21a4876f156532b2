"""Chaos by lot: what the proxies do to requests, drawn from a seed."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, replace

from embedded.proxy import Answered, Asked, Drop, Proxy, broken, rate_limited

PUSH = "/_matrix/app/v1/transactions/"
STATUSES = (500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely each fault is, from 0 to 1, and how long things take, in seconds.

    ``reset``: the connection is closed before the request is passed on; ``lost``: after it was done. ``cut`` and ``slow``
    are about the body of the answer. ``twice``: the request is passed on twice; ``again``: its events come once more in a
    transaction of another name (pushes only).
    """

    late: float = 0.0
    broken: float = 0.0
    limited: float = 0.0
    reset: float = 0.0
    lost: float = 0.0
    cut: float = 0.0
    slow: float = 0.0
    twice: float = 0.0
    again: float = 0.0


STUMBLING = Odds(late=0.2, broken=0.2, reset=0.05, lost=0.05, cut=0.05, slow=0.1)
LIMITING = Odds(limited=0.3)
PUSHING = Odds(late=0.1, reset=0.05, lost=0.1, cut=0.05, slow=0.1, twice=0.2, again=0.2)


class Chaos:
    """The hooks of one proxy. ``odds`` may be changed at any time; ``happened`` counts what was done to whom."""

    def __init__(self, proxy: Proxy, seed: str) -> None:
        self.odds = Odds()
        self.happened: Counter[str] = Counter()
        self.early = 0
        """Requests that came again before the time they were told to wait was over."""
        self._proxy = proxy
        self._chance = random.Random(seed)
        self._not_before: dict[str, float] = {}

    async def before(self, asked: Asked) -> Answered | None:
        """What happens on the way there."""
        odds, chance = self.odds, self._chance
        await asyncio.sleep(chance.uniform(0, odds.late))
        self._note_whether_early(asked)
        if chance.random() < odds.reset:
            self.happened["reset"] += 1
            raise Drop
        if chance.random() < odds.broken:
            self.happened["5xx"] += 1
            return broken(chance.choice(STATUSES))
        if chance.random() < odds.limited:
            self.happened["429"] += 1
            return self._limit(asked, chance.uniform(0.05, 0.5))
        if chance.random() < odds.twice:
            self.happened["twice"] += 1
            await self._proxy.forward(asked)
        if asked.path.startswith(PUSH) and chance.random() < odds.again:
            self.happened["again"] += 1
            await self._proxy.forward(replace(asked, path=f"{asked.path}again{chance.getrandbits(64):x}"))
        return None

    async def after(self, _asked: Asked, answer: Answered) -> Answered | None:
        """What happens on the way back."""
        odds, chance = self.odds, self._chance
        if chance.random() < odds.lost:
            self.happened["lost"] += 1
            raise Drop
        if chance.random() < odds.cut and len(answer.body) > 1:
            self.happened["cut"] += 1
            return replace(answer, cut=chance.randrange(len(answer.body)))
        if chance.random() < odds.slow:
            self.happened["slow"] += 1
            return replace(answer, seconds=chance.uniform(0, 0.4))
        return None

    def _limit(self, asked: Asked, seconds: float) -> Answered:
        if asked.method == "PUT":
            now = asyncio.get_running_loop().time()
            self._not_before[asked.path] = now + 0.9 * seconds  # R9 allows a tenth
        return rate_limited(seconds)

    def _note_whether_early(self, asked: Asked) -> None:
        due = self._not_before.pop(asked.path, None)
        if due is not None and asyncio.get_running_loop().time() < due:
            self.early += 1


def texts_of(asked: Asked) -> list[str]:
    """The texts of the messages in a pushed transaction, in its order."""
    if not asked.path.startswith(PUSH):
        return []
    events = json.loads(asked.body).get("events", [])
    return [str(event["content"].get("body")) for event in events if event["type"] == "m.room.message"]
