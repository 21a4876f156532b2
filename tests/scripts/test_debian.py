"""Installing system packages: with apt where that is allowed, and a sentence where it is not. The apt here is a play one."""

import os
from pathlib import Path

import pytest

from scripts import debian

APT = """\
#!/bin/sh
echo "$@" >> {log}
case "$*" in
*update*) touch {lists} ;;
*install*) {verdict} ;;
esac
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the play apt-get was asked, with nothing else in PATH than it and `env`."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("env", "sh", "touch"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path / "log"


def apt(log: Path, verdict: str) -> None:
    program = log.parent / "bin" / "apt-get"
    program.write_text(
        APT.format(log=log, lists=log.parent / "lists", verdict=verdict.format(lists=log.parent / "lists"))
    )
    program.chmod(0o755)


def test_a_package_is_installed_without_questions(log: Path) -> None:
    apt(log, "exit 0")
    assert debian.install("ngircd") is None
    assert log.read_text() == "-q -y install --no-install-recommends ngircd\n"


def test_a_machine_without_package_lists_gets_them_first(log: Path) -> None:
    apt(log, "[ -e {lists} ]")
    assert debian.install("ngircd") is None
    assert [line.split()[2] for line in log.read_text().splitlines()] == ["install", "update", "install"]


def test_what_apt_says_when_it_fails_is_said(log: Path) -> None:
    apt(log, "echo 'E: Unable to locate package nonsense' >&2; exit 100")
    assert "Unable to locate package nonsense" in str(debian.install("nonsense"))


def test_without_apt_there_is_a_sentence(log: Path) -> None:
    assert "no apt-get here" in str(debian.install("ngircd"))


def test_without_root_and_sudo_there_is_a_sentence_with_the_command(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt(log, "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert debian.install("ngircd") == "needs root (apt-get install ngircd)"
    assert not log.exists()


def test_sudo_is_used_where_it_asks_nothing(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt(log, "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    sudo = log.parent / "bin" / "sudo"
    sudo.write_text('#!/bin/sh\nshift\n[ "$1" = true ] && exit 0\nexec "$@"\n')
    sudo.chmod(0o755)
    assert debian.install("ngircd") is None
    assert "install --no-install-recommends ngircd" in log.read_text()


def test_servers_in_sbin_are_found_though_path_leaves_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    there = debian.Package(
        "x", next(path.name for path in Path("/usr/sbin").iterdir() if os.access(path, os.X_OK)), "a test"
    )
    assert debian.missing((there, debian.Package("y", "no-such-program", "nothing"))) == (
        debian.Package("y", "no-such-program", "nothing"),
    )
