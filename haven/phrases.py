"""Chooses words: a key, a language and values become one sentence; the catalogues themselves belong to the faces.

A catalogue maps keys to a text with ``{gaps}``, or to a table of plural forms (``one``, ``few``, ``other``) chosen by the
value ``n`` after the rules of the Unicode CLDR for the languages we speak.
"""

import string
from collections.abc import Mapping
from typing import TypeAlias

Catalogue: TypeAlias = Mapping[str, str | Mapping[str, str]]
"""One language: dotted keys to texts or plural tables."""

DEFAULT_LANGUAGE = "en"


def plural(language: str, n: int) -> str:
    """The CLDR plural category of the whole number ``n``: ``one``, ``few`` or ``other``."""
    if n == 1:
        return "one"
    return "few" if language == "cs" and 2 <= n <= 4 else "other"


def flattened(tree: Mapping[str, object], prefix: str = "") -> dict[str, str | Mapping[str, str]]:
    """A nested table (as TOML gives it) as dotted keys. A table with the key ``other`` is a plural table."""
    flat: dict[str, str | Mapping[str, str]] = {}
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, str):
            flat[key] = value
        elif isinstance(value, Mapping) and "other" in value:
            flat[key] = {str(form): str(text) for form, text in value.items()}
        elif isinstance(value, Mapping):
            flat.update(flattened(value, f"{key}."))
    return flat


def gaps(text: str | Mapping[str, str]) -> frozenset[str]:
    """The names of the gaps of a text, over all its plural forms."""
    texts = (text,) if isinstance(text, str) else tuple(text.values())
    found = (name for one in texts for _, name, _, _ in string.Formatter().parse(one) if name)
    return frozenset(found)


class Phrases:
    """The catalogues of a face, by language code."""

    def __init__(self, languages: Mapping[str, Catalogue]) -> None:
        self._languages = languages

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages there are, sorted."""
        return tuple(sorted(self._languages))

    def has(self, key: str) -> bool:
        """Whether there is a phrase of that key."""
        return key in self._languages[DEFAULT_LANGUAGE]

    def say(self, language: str, key: str, **values: str | int) -> str:
        """The phrase ``key`` in ``language`` (English where the language or the phrase is missing), its gaps filled.

        Raises `KeyError` for a key that no catalogue has: that is a bug, and tests look for it.
        """
        spoken = language if key in self._languages.get(language, {}) else DEFAULT_LANGUAGE
        text = self._languages[spoken][key]
        if not isinstance(text, str):
            count = values.get("n", 0)
            form = plural(spoken, count if isinstance(count, int) else 0)
            text = text.get(form, text["other"])
        return text.format(**values)
