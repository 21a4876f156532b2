"""The errors of Haven, each able to say what a person should read.

::

    HavenError                   anything we foresaw
    ├── TryLater                 may work later: wait ``after`` seconds, then again
    │   ├── RateLimited          the other side told us to wait (429)
    │   └── Unreachable          the other side did not answer, or answered 5xx
    └── GiveUp                   will not work however often it is tried
        ├── Refused              the homeserver or a network said no (403)
        ├── Missing              what was asked for is not there (404)
        ├── Invalid              the input breaks a rule (name too long, damaged content ...)
        ├── NotAllowed           the person lacks the right
        ├── Guarded              a guard refused a plan
        └── Misconfigured        a configuration cannot be used

An error carries a key into the catalogues and the values that fill it, never a finished sentence: faces turn it into the
reader's language. ``str(error)`` is for logs: the key and the names of its values, without the values, since these may be personal.
"""

from collections.abc import Mapping


class HavenError(Exception):
    """What Haven foresaw going wrong.

    ``key`` names the phrase in the catalogues (``error.<key>``); ``values`` fill its gaps.
    """

    def __init__(self, key: str, **values: str | int) -> None:
        super().__init__(key)
        self.key = key
        self.values: Mapping[str, str | int] = values

    def __str__(self) -> str:
        return f"{self.key}({', '.join(self.values)})" if self.values else self.key


class TryLater(HavenError):
    """May work later.

    ``after``: seconds to wait at least before the next try; ``None`` leaves it to the caller's back-off.
    """

    def __init__(self, key: str, after: float | None = None, **values: str | int) -> None:
        super().__init__(key, **values)
        self.after = after


class RateLimited(TryLater):
    """The other side told us to wait (Matrix: 429 ``M_LIMIT_EXCEEDED`` with ``retry_after_ms``)."""

    def __init__(self, after: float) -> None:
        super().__init__("rate_limited", after, seconds=max(1, round(after)))


class Unreachable(TryLater):
    """No answer, or an answer that speaks of the other side's own trouble (5xx, timeouts, resets)."""

    def __init__(self, key: str = "unreachable", after: float | None = None, **values: str | int) -> None:
        super().__init__(key, after, **values)


class GiveUp(HavenError):
    """Will not work however often it is tried; someone has to change something first."""


class Refused(GiveUp):
    """The homeserver or the network said no: missing power, a ban, a policy server (Matrix: 403)."""


class Missing(GiveUp):
    """What was asked for does not exist or cannot be seen (Matrix: 404)."""


class Invalid(GiveUp):
    """The input breaks a rule: too long, empty, control characters, a damaged event (Matrix: 400)."""


class NotAllowed(GiveUp):
    """The person who asked lacks the right."""


class Guarded(GiveUp):
    """A guard refused a plan; ``values`` say how much was too much."""


class Misconfigured(GiveUp):
    """A configuration cannot be used; ``values["setting"]`` names the key at fault."""
