"""The catalogues: one TOML file per language, named by its code."""

import tomllib
from collections.abc import Awaitable, Callable

from haven.phrases import Phrases, flattened

LANGUAGES = ("en", "es", "cs")
"""The languages we speak. Adding one is adding its file, and its code here."""


async def read_phrases(read: Callable[[str], Awaitable[bytes]]) -> Phrases:
    """Everything that can be said, in every language. ``read`` gives the bytes of a file of this folder by its name."""
    catalogues = {}
    for language in LANGUAGES:
        text = (await read(f"{language}.toml")).decode()
        catalogues[language] = flattened(tomllib.loads(text))
    return Phrases(catalogues)
