"""The bridge's catalogues are whole: every language says everything, with the same gaps, and all that the
code asks for is there.
"""

import re
import tomllib
from importlib.resources import files

import pytest

from bridge.i18n import phrases
from embedded.places import ROOT
from haven.phrases import flattened, gaps

LANGUAGES = ("cs", "en", "es")


def catalogue(language: str) -> dict[str, object]:
    text = files("bridge.i18n").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return dict(flattened(tomllib.loads(text)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_gaps(language: str) -> None:
    english, spoken = catalogue("en"), catalogue(language)
    assert spoken.keys() == english.keys()
    for key, text in english.items():
        other = spoken[key]
        assert isinstance(other, str | dict)
        assert isinstance(text, str | dict)
        assert gaps(other) == gaps(text), key
        if isinstance(text, dict):
            assert isinstance(other, dict)
            assert other.keys() == ({"one", "few", "other"} if language == "cs" else {"one", "other"}), key


def test_there_are_no_other_languages() -> None:
    assert phrases().languages == LANGUAGES


ERRORS = re.compile(
    r"(?:Misconfigured|Refused|Invalid|Missing|TryLater|Unreachable|GiveUp|HavenError|wrong)\(\s*\"(\w+)\""
)


def test_every_error_of_the_bridge_has_its_sentence() -> None:
    found = {
        key
        for file in (ROOT / "bridge").rglob("*.py")
        for key in ERRORS.findall(file.read_text(encoding="utf-8"))
    }
    assert {"setting_unknown", "database", "network_refused"} <= found
    missing = {key for key in found if not phrases().has(f"error.{key}")} - {"proof"}
    assert missing == set()
