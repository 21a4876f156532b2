"""What must not get into Matrix from outside: numbers and addresses where a name should stand.

What people write in their own words is theirs to say. But a name that a program put there (of a contact, in a mention, above a quote) is
often the number or address itself.
"""

from .names import without_numbers


def name_or(name: str, otherwise: str) -> str:
    """``name``, or ``otherwise`` where there is a telephone number or an address in it (or nothing)."""
    return name if name.strip() and without_numbers(name) == name else otherwise
