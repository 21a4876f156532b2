"""The right words in the right language, with the plurals that it has."""

import pytest

from haven.phrases import Phrases, flattened, gaps, plural

PHRASES = Phrases(
    {
        "en": {
            "hello": "Hello {name}",
            "groups": {"one": "{n} group", "other": "{n} groups"},
            "only": "English",
        },
        "cs": {
            "hello": "Ahoj {name}",
            "groups": {"one": "{n} skupina", "few": "{n} skupiny", "other": "{n} skupin"},
        },
    }
)


@pytest.mark.parametrize(
    ("language", "n", "form"),
    [("en", 0, "other"), ("en", 1, "one"), ("en", 2, "other"), ("es", 1, "one"), ("es", 3, "other")]
    + [
        ("cs", n, form)
        for n, form in [(0, "other"), (1, "one"), (2, "few"), (4, "few"), (5, "other"), (22, "other")]
    ],
)
def test_plurals_are_those_of_the_language(language: str, n: int, form: str) -> None:
    assert plural(language, n) == form


def test_words_are_found_and_filled() -> None:
    assert PHRASES.say("cs", "hello", name="{Ana}") == "Ahoj {Ana}"
    assert [PHRASES.say("cs", "groups", n=n) for n in (1, 3, 7)] == ["1 skupina", "3 skupiny", "7 skupin"]
    assert PHRASES.say("en", "groups", n=0) == "0 groups"


def test_what_is_missing_is_said_in_english_with_english_plurals() -> None:
    assert PHRASES.say("cs", "only") == "English"
    assert PHRASES.say("xx", "groups", n=2) == "2 groups"
    assert PHRASES.languages == ("cs", "en")
    assert PHRASES.has("only")
    assert not PHRASES.has("nothing")


def test_an_unknown_phrase_is_a_bug() -> None:
    with pytest.raises(KeyError):
        PHRASES.say("en", "nothing")


def test_catalogues_are_flattened() -> None:
    tree = {"error": {"deep": {"a": "A"}, "n": {"one": "1", "other": "more"}}, "odd": 5, "top": "T"}
    assert flattened(tree) == {"error.deep.a": "A", "error.n": {"one": "1", "other": "more"}, "top": "T"}


def test_gaps_are_those_of_all_forms() -> None:
    assert gaps("no gap, {{a brace}}") == frozenset()
    assert gaps({"one": "{who} came", "other": "{n} came"}) == {"who", "n"}
