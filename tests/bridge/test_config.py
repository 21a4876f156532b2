"""Wrong configurations: one sentence that names the key, exit status 2, nothing started. By the real command
line.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bridge.__main__ import main
from bridge.config import read_secrets, read_settings
from bridge.registration import register
from embedded.places import ROOT
from haven.errors import Misconfigured

GOOD: Mapping[str, Any] = {
    "homeserver": {"url": "http://127.0.0.1:1", "domain": "haven.test"},
    "networks": {"memory": {}},
}
IRC = {"host": "irc.haven.test"}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {**base, **over}
    for key in base:
        if isinstance(base[key], Mapping) and isinstance(over.get(key), Mapping):
            both[key] = merged(base[key], over[key])
    return both


def written(place: Path, content: object, mode: int = 0o600) -> Path:
    file = place / "bridge.yaml"
    if isinstance(content, str):
        file.write_text(content)
    else:
        with file.open("w") as out:
            YAML(typ="safe", pure=True).dump(content, out)
    file.chmod(mode)
    return file


WRONG = [
    ({"homeserver": {"url": None}}, "homeserver.url"),
    ({"homeserver": {"url": "haven.test"}}, "homeserver.url"),
    ({"homeserver": {"url": "ftp://haven.test"}}, "homeserver.url"),
    ({"homeserver": {"url": "http://haven.test:99999"}}, "homeserver.url"),
    ({"homeserver": {"url": 7}}, "homeserver.url"),
    ({"homeserver": {"domain": "@a:b"}}, "homeserver.domain"),
    ({"homeserver": []}, "homeserver"),
    ({"appservice": {"port": "29390"}}, "appservice.port"),
    ({"appservice": {"port": 0}}, "appservice.port"),
    ({"appservice": {"port": True}}, "appservice.port"),
    ({"appservice": {"prot": 1}}, "appservice.prot"),
    ({"databse": "sqlite:x"}, "databse"),
    ({"database": "mysql://x"}, "database"),
    ({"database": "sqlite:"}, "database"),
    ({"database": "postgres:x"}, "database"),
    ({"language": "tlh"}, "language"),
    ({"log": "chatty"}, "log"),
    ({"display_name": "{nick}"}, "display_name"),
    ({"display_name": "{name"}, "display_name"),
    ({"networks": {"smoke": {}}}, "networks.smoke"),
    ({"networks": {"memory": {"key": 1}}}, "networks.memory.key"),
    ({"networks": {"irc": {}}}, "networks.irc.host"),
    ({"networks": {"irc": {"hots": "irc.haven.test"}}}, "networks.irc.host"),
    ({"networks": {"irc": {**IRC, "tls": "yes"}}}, "networks.irc.tls"),
    ({"networks": {"irc": {**IRC, "account": "haven"}}}, "networks.irc.password"),
]


@pytest.mark.parametrize(("over", "key"), WRONG, ids=[f"{key} {n}" for n, (_, key) in enumerate(WRONG)])
def test_what_is_wrong_is_one_sentence_that_names_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], over: Mapping[str, Any], key: str
) -> None:
    file = written(tmp_path, merged(GOOD, over))
    assert main(["run", "-c", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert f"{key} " in err
    assert {path.name for path in tmp_path.iterdir()} == {"bridge.yaml"}


def test_a_misspelt_section_is_named_rather_than_what_it_should_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, {"homserver": GOOD["homeserver"], "networks": {}})
    assert main(["run", "-c", str(file)]) == 2
    assert capsys.readouterr().err == "homeserver is missing in the configuration. Is homserver misspelt?\n"


@pytest.mark.parametrize("text", ["", "[]", "a: b: c", "homeserver:\n\turl: x", "a: 1\na: 2", "\xff: {"])
def test_what_is_no_yaml_is_said_with_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert main(["run", "-c", str(written(tmp_path, text))]) == 2
    assert "bridge.yaml is not valid YAML" in capsys.readouterr().err


def test_without_a_file_or_a_registration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-c", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err
    assert main(["run", "-c", str(written(tmp_path, GOOD))]) == 2
    assert "appservice.registration" in capsys.readouterr().err


@pytest.mark.parametrize("token", ["as_token", "hs_token"])
def test_a_missing_token_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], token: str) -> None:
    file = written(tmp_path, GOOD)
    assert main(["registration", "-c", str(file)]) == 0
    registration = tmp_path / "registration.yaml"
    lines = [line for line in registration.read_text().splitlines() if not line.startswith(token)]
    registration.write_text("\n".join(lines))
    capsys.readouterr()
    assert main(["run", "-c", str(file)]) == 2
    assert f"registration.yaml.{token} is missing" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["", "short", "00" * 15, "zz" * 32])
def test_an_unfit_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str) -> None:
    file = written(tmp_path, GOOD)
    assert main(["registration", "-c", str(file)]) == 0
    (tmp_path / "haven.key").write_text(key)
    capsys.readouterr()
    assert main(["run", "-c", str(file)]) == 2
    assert "appservice.key" in capsys.readouterr().err


def test_the_command_itself_ends_with_status_two(tmp_path: Path) -> None:
    file = written(tmp_path, merged(GOOD, {"homeserver": {"url": "nowhere"}}))
    words = [sys.executable, "-m", "bridge", "run", "-c", str(file)]
    ended = subprocess.run(
        words, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )  # our own command
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("homeserver.url must be an address")


def test_others_reading_the_file_is_worth_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["registration", "-c", str(written(tmp_path, GOOD, 0o644))]) == 0
    assert "bridge.yaml; run: chmod 600" in capsys.readouterr().err


def test_the_registration_keeps_its_tokens_and_its_key(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    settings = read_settings(file)
    assert register(settings)
    first = YAML(typ="safe").load(settings.registration.read_text())
    key = settings.key_file.read_text()
    assert (first["sender_localpart"], first["rate_limited"]) == ("haven-bridge", False)
    assert first["namespaces"]["users"] == [{"exclusive": True, "regex": "@_haven_.*:haven\\.test"}]
    assert len({first["as_token"], first["hs_token"]}) == 2
    assert min(len(first["as_token"]), len(first["hs_token"])) >= 43
    for made in (settings.registration, settings.key_file):
        assert made.stat().st_mode & 0o777 == 0o600
    moved = read_settings(written(tmp_path, merged(GOOD, {"appservice": {"url": "http://haven.test:5"}})))
    assert not register(moved)
    again = YAML(typ="safe").load(settings.registration.read_text())
    assert again == {**first, "url": "http://haven.test:5"}
    assert settings.key_file.read_text() == key


def test_no_secret_is_in_the_words_of_the_settings(tmp_path: Path) -> None:
    content = merged(GOOD, {"database": "postgres://u:swordfish@h/d", "networks": {"irc": {**IRC}}})
    assert "swordfish" not in repr(read_settings(written(tmp_path, content)))


def test_the_example_is_a_good_configuration_whose_every_key_is_explained() -> None:
    example = ROOT / "bridge" / "example-config.yaml"
    settings = read_settings(example)
    assert settings.language == "en"
    lines = example.read_text().splitlines()
    for number, line in enumerate(lines):
        if (
            line.strip()
            and not line.strip().startswith("#")
            and line.strip() not in {"homeserver:", "appservice:", "irc:", "xmpp:"}
        ):
            above = lines[number - 1].strip()
            assert above.startswith("#") or line.strip().startswith("retry_most"), line


def test_relative_places_start_at_the_configuration(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, GOOD))
    assert settings.database == f"sqlite:{tmp_path}/bridge.db"
    assert settings.registration == tmp_path / "registration.yaml"


def test_a_network_of_somebody_else_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "smoke_signals-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: smoke-signals\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[haven.networks]\nsmoke = smoke_signals:build\n")
    (tmp_path / "smoke_signals.py").write_text(
        "from bridge.networks.memory import MemoryNetwork, MemoryServer\n"
        "def build(section):\n"
        "    section.text('hill')\n"
        "    section.done()\n"
        "    return MemoryNetwork(MemoryServer(), name='smoke')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = read_settings(written(tmp_path, {**GOOD, "networks": {"smoke": {"hill": "north"}}}))
    assert list(settings.networks) == ["smoke"]
    with pytest.raises(Misconfigured) as wrong:
        read_settings(written(tmp_path, {**GOOD, "networks": {"smoke": {}}}))
    assert wrong.value.values["setting"] == "networks.smoke.hill"


def test_rotation_makes_new_tokens_and_keeps_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, GOOD)
    settings = read_settings(file)
    assert main(["registration", "-c", str(file)]) == 0
    first, key = YAML(typ="safe").load(settings.registration.read_text()), settings.key_file.read_text()
    capsys.readouterr()
    assert main(["registration", "--rotate", "-c", str(file)]) == 0
    assert "New tokens" in capsys.readouterr().out
    again = YAML(typ="safe").load(settings.registration.read_text())
    assert again["as_token"] not in first.values()
    assert again["hs_token"] not in first.values()
    assert {**again, "as_token": "", "hs_token": ""} == {**first, "as_token": "", "hs_token": ""}
    assert settings.key_file.read_text() == key
    assert settings.registration.stat().st_mode & 0o777 == 0o600


def test_no_secret_is_shown_by_repr(tmp_path: Path) -> None:
    database = "postgres://haven:very-secret@127.0.0.1/haven"
    settings = read_settings(written(tmp_path, merged(GOOD, {"database": database})))
    register(settings)
    tokens = read_secrets(settings)
    shown = f"{settings!r} {settings} {tokens!r} {tokens}"
    for secret in ("very-secret", tokens.appservice_token, tokens.homeserver_token, tokens.key.hex()):
        assert secret not in shown
    assert str(tokens.key) not in shown


def test_a_network_whose_library_is_not_installed_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.startswith("bridge.networks.xmpp")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "slixmpp", None)
    networks = {"xmpp": {"component": "matrix.example.org", "secret": "s"}}
    with pytest.raises(Misconfigured) as wrong:
        read_settings(written(tmp_path, {**GOOD, "networks": networks}))
    assert (wrong.value.key, wrong.value.values["setting"]) == ("setting_network", "networks.xmpp")
