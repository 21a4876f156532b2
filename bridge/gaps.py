"""Transactions that the homeserver skipped.

Synapse numbers its transactions. One that it makes in the very moment in which it takes us for healthy again can be left lying until our
next trouble, while later ones come at once (synapse/appservice/scheduler.py: stored while the state says "down", after the
last look for what is left). So after trouble the first gap in the numbers is answered with trouble: it looks again, and sends all in order.
"""


class Gaps:
    """Which transactions came. Numbers that others share (several appservices of one homeserver) have gaps all the time: so one
    transaction after each trouble is refused, and no more.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._suspicious = True

    def skipped(self, transaction: str) -> bool:
        """Whether one before ``transaction`` is missing and to be asked for, by refusing this one."""
        number = _number(transaction)
        if number is None or self._last is None:
            return False
        if number <= self._last:
            self.trouble()  # it comes again: the homeserver was in doubt
            return False
        gap = self._suspicious and number > self._last + 1
        if gap:
            self._suspicious = False
        return gap

    def came(self, transaction: str) -> None:
        """It was accepted."""
        number = _number(transaction)
        if number is not None:
            self._last = max(number, self._last or 0)

    def trouble(self) -> None:
        """The homeserver could not reach us, or was told to send again."""
        self._suspicious = True


def _number(transaction: str) -> int | None:
    return int(transaction) if transaction.isascii() and transaction.isdigit() else None
