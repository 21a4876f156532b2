"""Reading content that comes from anybody: each reader takes what fits and passes over what does not."""

from collections.abc import Mapping, Sequence

from haven.ids import EventId

Raw = Mapping[str, object]
"""A JSON object as somebody sent it."""


def mapping(content: Raw, *keys: str) -> Raw:
    """The object under the first of ``keys`` that holds one; else an empty one."""
    found = (content.get(key) for key in keys)
    return next((value for value in found if isinstance(value, Mapping)), {})


def listed(content: Raw, key: str) -> Sequence[object]:
    """The list under ``key``; else an empty one."""
    value = content.get(key)
    return value if isinstance(value, list) else ()


def text(content: Raw, key: str) -> str:
    """The text under ``key``; else ""."""
    value = content.get(key)
    return value if isinstance(value, str) else ""


def amount(content: Raw, key: str) -> int | None:
    """The whole number under ``key``, from 0 on; fractions are cut (some clients write them)."""
    value = content.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return None
    return int(value)


def event_in(relation: Raw) -> EventId | None:
    """The event that a relation names."""
    value = relation.get("event_id")
    return EventId(value) if isinstance(value, str) and value.startswith("$") else None
