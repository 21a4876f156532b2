"""The configuration: what is read, and each wrong value named in one sentence."""

from pathlib import Path

import pytest
from mautrix.util.config import RecursiveDict
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from haven.ids import UserId
from plugin.config import KEYS, Config, Settings, WrongSetting

BASE = Path(__file__).parent.parent.parent / "base-config.yaml"
LANGUAGES = ("en", "es", "cs")
yaml = YAML()


def config(text: str) -> tuple[Config, list[object]]:
    """The configuration as maubot makes it, and what it saved."""
    saved: list[object] = []
    base = RecursiveDict(yaml.load(BASE.read_text()), CommentedMap)
    return Config(lambda: yaml.load(text), base.clone, saved.append), saved


def read(text: str) -> Settings:
    return config(text)[0].read(LANGUAGES)


def test_what_base_config_says_is_what_holds_without_a_word() -> None:
    assert read("") == Settings()


def test_every_key_stands_in_base_config_with_a_comment_above() -> None:
    lines = BASE.read_text().splitlines()
    keys = [number for number, line in enumerate(lines) if line[:1].isalpha()]
    assert [lines[number].partition(":")[0] for number in keys] == list(KEYS)
    assert all(lines[number - 1].startswith("# ") for number in keys)


def test_what_the_operator_says_is_read() -> None:
    settings = read(
        "creators: ['@*:example.org', '@ana:other.org']\nroom_version: '11'\nbridge_bot: '@b:example.org'\n"
        "language: es\naccept_invites: false\nremoval_limit: 3\nreread_minutes: 5\n"
        "server_admin: true\n"
    )
    assert settings == Settings(
        creators=("@*:example.org", "@ana:other.org"),
        version=settings.version,
        bridge=UserId("@b:example.org"),
        language="es",
        accept_invites=False,
        removals=3,
        reread=300,
        server_admin=True,
    )
    assert settings.version == "11"


def test_who_may_create() -> None:
    some = Settings(creators=("@*:example.org", "@ana:other.org"))
    allowed = [
        some.may_create(UserId(user)) for user in ("@x:example.org", "@ana:other.org", "@eva:other.org")
    ]
    assert allowed == [True, True, False]
    assert not Settings(creators=()).may_create(UserId("@x:example.org"))


@pytest.mark.parametrize(
    "line",
    [
        "creators: nobody",
        "creators: [7]",
        "creators: [ana]",
        "room_version: 12",
        "room_version: '9'",
        "bridge_bot: bridge",
        "bridge_bot: 7",
        "language: xx",
        "language: [en]",
        "accept_invites: perhaps",
        "removal_limit: -1",
        "removal_limit: true",
        "removal_limit: many",
        "reread_minutes: 0",
        "reread_minutes: 1.5",
        "acept_invites: true",
    ],
)
def test_a_wrong_value_is_named_in_one_sentence_and_nothing_is_saved(line: str) -> None:
    made, saved = config(line)
    with pytest.raises(WrongSetting) as wrong:
        made.read(LANGUAGES)
    assert wrong.value.sentence.startswith(f"configuration: {line.partition(':')[0]} ")
    assert "\n" not in wrong.value.sentence
    assert wrong.value.values["setting"] == line.partition(":")[0]
    assert saved == [] or "acept" not in line
