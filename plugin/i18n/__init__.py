"""The catalogues: one TOML file per language, named by its code."""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable

from haven.phrases import Phrases, flattened

LANGUAGES = ("en", "es", "cs")
"""The languages we speak. Adding one is adding its file, and its code here."""


async def read_phrases(read: Callable[[str], Awaitable[bytes]]) -> Phrases:
    """Everything that can be said, in every language. ``read`` gives the bytes of a file of this folder by its name.

    They are parsed beside the event loop, which they would keep for longer than others should wait.
    """
    catalogues = {}
    for language in LANGUAGES:
        text = (await read(f"{language}.toml")).decode()
        catalogues[language] = flattened(await asyncio.to_thread(tomllib.loads, text))
    return Phrases(catalogues)
