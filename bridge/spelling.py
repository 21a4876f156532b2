"""Neutral values as JSON and back: what the inbox keeps of an event until it is handled.

Only frozen dataclasses of ``message`` and ``networks.events`` are spelled; each is a JSON object with its
type's name under ``"is"``. Reading is lenient where it can be: a field that an older version did not write
takes its default.
"""

import json
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from haven.errors import Invalid

from . import message
from .networks import events

T = TypeVar("T")

SPELLED: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(message.Mention, message.Span, message.Reply, message.Attachment, message.Message),
        *(message.Location, message.Contact, message.Poll, message.Gathering),
        *(events.Person, *get_args(events.ChatEvent)),
    )
}


def spell(value: object) -> str:
    """``value`` as JSON text."""
    return json.dumps(_out(value), separators=(",", ":"), ensure_ascii=False)


def read(text: str, kind: type[T] | UnionType) -> T:
    """The value that ``text`` spells; raises ``Invalid`` (key ``damaged``) when it spells nothing of
    ``kind``.
    """
    try:
        value = _in(json.loads(text), kind)
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid("damaged") from error
    if not isinstance(value, kind):
        raise Invalid("damaged")
    return value


def _out(value: object) -> object:
    if type(value).__name__ in SPELLED:
        spelled: dict[str, object] = {"is": type(value).__name__}
        for field in fields(value):  # type: ignore[arg-type]  # all that is in SPELLED is a dataclass
            part = getattr(value, field.name)
            if field.default is MISSING or part != field.default:
                spelled[field.name] = _out(part)
        return spelled
    if isinstance(value, tuple):
        return [_out(part) for part in value]
    if isinstance(value, frozenset):
        return sorted(str(part) for part in value)
    return value


@cache
def _readers(kind: type) -> dict[str, Callable[[Any], object]]:
    return {name: _reader(hint) for name, hint in get_type_hints(kind).items()}


def _reader(hint: Any) -> Callable[[Any], object]:  # type hints have no type of their own
    return lambda value: _in(value, hint)


def _in(value: Any, hint: Any) -> Any:  # JSON on one side, a type hint on the other
    origin, parts = get_origin(hint), get_args(hint)
    if value is None:
        return None
    if isinstance(value, dict):
        kind = SPELLED[value["is"]]
        readers = _readers(kind)
        return kind(**{name: readers[name](part) for name, part in value.items() if name in readers})
    if origin in (tuple, frozenset):
        return origin(_in(part, parts[0]) for part in value)
    if parts:
        return next((_in(value, part) for part in parts if part is not type(None)), value)
    return hint(value) if isinstance(hint, type) and not isinstance(value, hint) else value
