"""One section of the configuration file, read key by key with types; what is wrong becomes one sentence that
names the key.
"""

import difflib
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from haven.errors import Misconfigured

_NOTHING = object()


class Section:
    """A mapping of the configuration. Read every key, then call ``done()``, which refuses keys that nobody
    read.

    ``path`` is where the section stands, e.g. ``networks.irc``; errors are ``Misconfigured`` with
    ``setting`` = the full key.
    """

    def __init__(self, path: str, values: Mapping[str, object]) -> None:
        self.path = path
        self._values = values
        self._read: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty; without ``default`` it must be there. (An empty ``default`` allows the
        empty text.)
        """
        value = self._value(key, default)
        if not isinstance(value, str):
            raise self.wrong("setting_not_text", key)
        if not value and default != "":
            raise self.wrong("setting_missing", key)
        return value

    def integer(self, key: str, default: int | None = None, *, least: int = 0, most: int = 2**31) -> int:
        """A whole number from ``least`` to ``most``, both allowed."""
        value = self._value(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong("setting_not_number", key)
        if not least <= value <= most:
            raise self.wrong("setting_range", key, least=least, most=most)
        return value

    def number(self, key: str, default: float | None = None, *, least: float = 0, most: float = 1e9) -> float:
        """A number, whole or not, from ``least`` to ``most``."""
        value = self._value(key, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise self.wrong("setting_not_number", key)
        if not least <= value <= most:
            raise self.wrong("setting_range", key, least=int(least), most=int(most))
        return float(value)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """``true`` or ``false``."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.wrong("setting_not_flag", key)
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of ``allowed``."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong("setting_choice", key, allowed=", ".join(allowed))
        return value

    def url(self, key: str, schemes: tuple[str, ...], default: str | None = None) -> str:
        """An absolute URL with one of ``schemes``, without a slash at its end."""
        value = self.text(key, default)
        try:
            parts = urlsplit(value)
            fits = parts.scheme in schemes and bool(parts.netloc) and (parts.port or 1) > 0
        except ValueError:
            fits = False
        if not fits:
            raise self.wrong("setting_url", key, allowed=", ".join(f"{scheme}://" for scheme in schemes))
        return value.rstrip("/")

    def texts(self, key: str, default: tuple[str, ...], form: re.Pattern[str]) -> tuple[str, ...]:
        """A list of texts, each of which has the form ``form``."""
        value = self._value(key, list(default))
        if not isinstance(value, list) or not all(
            isinstance(one, str) and form.fullmatch(one) for one in value
        ):
            raise self.wrong("setting_not_list", key)
        return tuple(value)

    def section(self, key: str) -> "Section":
        """The section below ``key``; an empty one where it is absent (and nothing else looks like a misspelling of it)."""
        value = self._value(key, {})
        if key not in self._values and self._near(key):
            raise self._missing(key)
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise self.wrong("setting_not_section", key)
        return Section(self._full(key), value)

    def names(self) -> tuple[str, ...]:
        """The keys that stand in this section, in their order."""
        return tuple(self._values)

    def done(self) -> None:
        """Refuse keys that nobody asked for: a mistyped key never passes in silence."""
        for key in self._values:
            if key not in self._read:
                raise self.wrong("setting_unknown", key)

    def wrong(self, reason: str, key: str, **values: str | int) -> Misconfigured:
        """The error that says what is wrong with ``key``; ``reason`` is a key of the catalogue
        (``error.<reason>``).
        """
        return Misconfigured(reason, setting=self._full(key), **values)

    def _value(self, key: str, default: object) -> object:
        self._read.add(key)
        value = self._values.get(key, _NOTHING)
        if value is not _NOTHING and value is not None:
            return value
        if default is None:
            raise self._missing(key)
        return default

    def _missing(self, key: str) -> Misconfigured:
        """That ``key`` is missing, and what was perhaps meant to be it: something much like it that nobody has read so far."""
        if near := self._near(key):
            return self.wrong("setting_misspelt", key, near=self._full(near))
        return self.wrong("setting_missing", key)

    def _near(self, key: str) -> str:
        unread = [name for name in self._values if name not in self._read]
        return next(iter(difflib.get_close_matches(key, unread, n=1, cutoff=0.7)), "")

    def _full(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key
