"""The arithmetic of the benchmarks: percentiles, who goes when, and what became of a stream of messages. Pure."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of all values do not exceed (nearest rank); `share` is in 0..1.

    Raises ValueError when there are no values.
    """
    if not values:
        raise ValueError("no values, no percentile")
    rank = max(1, math.ceil(share * len(values)))
    return sorted(values)[rank - 1]


def median(values: Sequence[float]) -> float:
    """The value in the middle, see `percentile`."""
    return percentile(values, 0.5)


def rotations(names: Sequence[str], rounds: int) -> Iterator[tuple[str, ...]]:
    """The order of each round: everybody takes each place in turn, so that no one always goes first or always follows the same."""
    for number in range(rounds):
        place = number % len(names)
        order = (*names[place:], *names[:place])
        yield order if (number // len(names)) % 2 == 0 else tuple(reversed(order))


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of a stream of messages, each unlike all others: how many were lost, came again, came too early or too late."""

    sent: int
    lost: int
    doubled: int
    inversions: int

    @property
    def faultless(self) -> bool:
        """Whether each came once, in order."""
        return (self.lost, self.doubled, self.inversions) == (0, 0, 0)

    def __add__(self, other: "Arrival") -> "Arrival":
        return Arrival(
            self.sent + other.sent,
            self.lost + other.lost,
            self.doubled + other.doubled,
            self.inversions + other.inversions,
        )


def arrival(sent: Sequence[str], arrived: Sequence[str]) -> Arrival:
    """Compares what was said, in its order, with what arrived, in its order. Foreign messages are not regarded.

    An inversion is a pair of neighbours on arrival whose later one was said before the earlier one; a repeated message counts as doubled
    and not again as an inversion.
    """
    place = {message: number for number, message in enumerate(sent)}
    counts = Counter(message for message in arrived if message in place)
    places = [place[message] for message in dict.fromkeys(arrived) if message in place]
    inversions = sum(later < earlier for earlier, later in itertools.pairwise(places))
    return Arrival(
        sent=len(sent),
        lost=len(sent) - len(counts),
        doubled=sum(times - 1 for times in counts.values()),
        inversions=inversions,
    )
