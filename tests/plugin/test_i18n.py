"""The catalogues: complete, alike in every language, and nothing in them that nobody says."""

import re
import string
import tomllib
from collections.abc import Mapping

import pytest

from haven.phrases import Phrases, flattened, gaps, plural
from plugin.i18n import LANGUAGES
from tests.plugin.catalogues import CATALOGUES, Use, all_phrases, families, uses

Flat = Mapping[str, str | Mapping[str, str]]
ENGLISH: Flat = flattened(tomllib.loads((CATALOGUES / "en.toml").read_text()))
FORMS = {"en": {"one", "other"}, "es": {"one", "other"}, "cs": {"one", "few", "other"}}
OTHERS = [language for language in LANGUAGES if language != "en"]


def catalogue(language: str) -> Flat:
    return flattened(tomllib.loads((CATALOGUES / f"{language}.toml").read_text()))


def texts(phrase: str | Mapping[str, str]) -> tuple[str, ...]:
    return (phrase,) if isinstance(phrase, str) else tuple(phrase.values())


def test_every_language_has_its_file_and_every_file_its_language() -> None:
    assert {path.stem for path in CATALOGUES.glob("*.toml")} == set(LANGUAGES)


async def test_the_plugin_reads_them_all() -> None:
    phrases = await all_phrases()
    assert phrases.languages == tuple(sorted(LANGUAGES))
    assert phrases.say("es", "title.announcements") == "Anuncios"


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_says_the_same_things(language: str) -> None:
    assert set(catalogue(language)) == set(ENGLISH)


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_leaves_the_same_gaps(language: str) -> None:
    own = catalogue(language)
    differing = {key for key in ENGLISH if gaps(own[key]) != gaps(ENGLISH[key])}
    assert not differing


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_have_all_the_forms_of_the_language(language: str) -> None:
    for key, phrase in catalogue(language).items():
        assert isinstance(phrase, str) == isinstance(ENGLISH[key], str), key
        if not isinstance(phrase, str):
            assert set(phrase) == FORMS[language], key
            assert {plural(language, n) for n in range(12)} == FORMS[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_tidy(language: str) -> None:
    for key, phrase in catalogue(language).items():
        for text in texts(phrase):
            assert text == text.strip(), key
            assert text, key
            assert not gaps(text) & {"key", "language"}, key
            assert "  " not in text, key
            assert not re.search(r"[<>&*]", text.replace("`!c", "")), key
            assert text.count("`") % 2 == 0, key
            assert all(
                not spec and not conversion for _, _, spec, conversion in string.Formatter().parse(text)
            )


def test_translations_are_not_left_in_english() -> None:
    """Longer sentences that are word for word the same have been forgotten."""
    for language in OTHERS:
        own = catalogue(language)
        same = {key for key, phrase in own.items() if phrase == ENGLISH[key] and len(str(phrase)) > 25}
        assert {
            key for key in same if re.search(r"[a-z]{4}", re.sub(r"\{\w+\}|`[^`]*`", "", str(own[key])))
        } == set()


def test_everything_that_is_said_is_in_the_catalogues() -> None:
    said = {use.key for use in uses()} | families()
    assert said - set(ENGLISH) == set()


def test_nothing_is_in_the_catalogues_that_nobody_says() -> None:
    said = {use.key for use in uses()} | families()
    kept = {key for key in ENGLISH if key.startswith("link_reason.")}
    assert set(ENGLISH) - said - kept == set()


STATIC = [use for use in uses() if use.gaps is not None and use.key in ENGLISH]


@pytest.mark.parametrize("use", STATIC, ids=lambda use: f"{use.where} {use.key}")
def test_every_gap_is_filled(use: Use) -> None:
    assert use.gaps is not None
    assert gaps(ENGLISH[use.key]) <= use.gaps


def test_a_language_we_do_not_speak_hears_english() -> None:
    phrases = Phrases({language: catalogue(language) for language in LANGUAGES})
    assert phrases.say("xx", "title.general") == "General chat"
