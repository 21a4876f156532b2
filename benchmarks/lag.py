"""How late the event loop of a maubot is, seen from inside: builds a tiny plugin, uploads it beside ours, and asks what it saw."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.maubot import Maubot

PROBE = "haven_lag_probe"
_INSTANCE = "lag"
_META = f"""\
maubot: 0.1.0
id: chat.haven.benchmark.lag
version: "1.0.0"
license: AGPL-3.0-or-later
modules: [{PROBE}]
main_class: LagProbe
webapp: true
"""


@dataclass(frozen=True, slots=True)
class Lag:
    """What was seen in a while: how many looks there were, and of each that was late by how many ms, and how many of these the
    process was at work itself, all its threads together (in the rest somebody else had the processors).
    """

    looks: int
    late: Sequence[tuple[float, float]]

    @property
    def worst(self) -> float:
        """The longest lateness in ms."""
        return max((late for late, _ in self.late), default=0.0)

    @property
    def busiest(self) -> float:
        """The longest lateness that the process itself can have made, in ms."""
        return max((min(late, worked) for late, worked in self.late), default=0.0)

    def over(self, ms: float) -> int:
        """How often it was later than that."""
        return sum(late > ms for late, _ in self.late)


async def add_probe(maubot: Maubot, user: str, directory: Path) -> None:
    """Builds the probe, uploads it and starts it, under an account that is there already."""
    mbp = directory / "probe.mbp"
    with zipfile.ZipFile(mbp, "w") as archive:
        archive.writestr("maubot.yaml", _META)
        archive.writestr(f"{PROBE}.py", Path(__file__).with_name("lag_probe.py").read_text())
    await maubot.add_instance(_INSTANCE, await maubot.upload(mbp), user)


async def lag_since(maubot: Maubot) -> Lag:
    """What the probe saw since it was last asked."""
    async with maubot.session.get(maubot.page(_INSTANCE, "late")) as answer:
        answer.raise_for_status()
        told = await answer.json()
    return Lag(told["looks"], [(late * 1000, worked * 1000) for late, worked in told["late"]])
