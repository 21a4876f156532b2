"""What must not get into Matrix from outside: numbers and addresses where a name should stand.

What people write in their own words is theirs to say. But a name that a program put there (of a contact, in a mention, above a quote) is
often the number or address itself.
"""

import re

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
FEWEST = 7
"""Digits from which on a name counts as a number."""


def name_or(name: str, otherwise: str) -> str:
    """``name``, or ``otherwise`` where it is a telephone number or an address (or nothing)."""
    digits = sum(char.isdigit() for char in name)
    return otherwise if digits >= FEWEST or _ADDRESS.search(name) or not name.strip() else name
