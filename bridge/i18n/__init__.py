"""The bridge's catalogues, one TOML file per language, and the phrases made of them."""

import tomllib
from functools import cache
from importlib.resources import files

from haven.phrases import Phrases, flattened


@cache
def phrases() -> Phrases:
    """Every language that there is a catalogue for."""
    catalogues = {
        file.name.removesuffix(".toml"): flattened(tomllib.loads(file.read_text(encoding="utf-8")))
        for file in files(__package__).iterdir()
        if file.name.endswith(".toml")
    }
    return Phrases(catalogues)


class Voice:
    """The bridge's words in one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def say(self, key: str, **values: str | int) -> str:
        """The phrase ``key`` with its gaps filled."""
        return phrases().say(self._language, key, **values)
