"""Setting up: once, quickly again, and with clear words when it cannot be done. No package is fetched here."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.places import ROOT
from scripts import debian, environments


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Environments in a directory of the test's own, from a lock that needs no network."""
    monkeypatch.setenv("HAVEN_VENVS", str(tmp_path / "venvs"))
    lock = tmp_path / "lock.txt"
    lock.write_text("# nothing to install\n")
    monkeypatch.setattr(environments, "lock_of", lambda name: lock)
    return tmp_path


def test_an_environment_follows_its_lock(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environments.ensure("dev")
    python = elsewhere / "venvs" / ".venv" / "bin" / "python"
    assert works(python, "import sys, pip; sys.exit(sys.prefix == sys.base_prefix)")
    assert "ready" in capsys.readouterr().out

    with monkeypatch.context() as patch:  # nothing is started when nothing changed
        patch.setattr(environments, "subprocess", None)
        environments.ensure("dev")
    assert capsys.readouterr().out == ""

    (elsewhere / "lock.txt").write_text("# still nothing\n")
    assert not environments.is_current("dev")
    environments.ensure("dev")
    assert environments.is_current("dev")

    (elsewhere / "lock.txt").write_text("haven-without-hash==1.0\n")
    with pytest.raises(environments.CannotSetUp, match=r"(?s)requirements/dev\.txt.*[Hh]ash"):
        environments.ensure("dev")
    assert not environments.is_current("dev")


def test_a_broken_environment_is_made_anew(elsewhere: Path) -> None:
    python = elsewhere / "venvs" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/nowhere/python")
    environments.ensure("dev")
    assert works(python, "import pip")


def works(python: Path, program: str) -> bool:
    """Whether an interpreter runs a program without complaint."""
    return subprocess.run([python, "-c", program], check=False).returncode == 0


def test_setup_that_has_nothing_to_do_is_silent() -> None:
    done = subprocess.run(
        [ROOT / "scripts/setup", "--quiet", "dev"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_name_that_does_not_exist_is_an_error_that_lists_those_that_do() -> None:
    done = subprocess.run([ROOT / "scripts/setup", "prod"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "dev, servers, benchmarks" in done.stderr


@pytest.mark.parametrize(
    ("version", "words"), [("3.9.2", "3.11 or later; python3 here is 3.9.2"), ("", "finds no python3")]
)
def test_too_old_or_no_python_is_said_in_a_sentence(tmp_path: Path, version: str, words: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("dirname", "cut", "sh"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    if version:
        old = programs / "python3"
        old.write_text(f'#!/bin/sh\n[ "$1" = -V ] && echo "Python {version}"\nexit 1\n')
        old.chmod(0o755)
    done = subprocess.run(
        [ROOT / "scripts/setup"], capture_output=True, text=True, env={"PATH": str(programs)}, check=False
    )
    assert done.returncode == 1
    assert words in done.stderr


def test_the_locks_pin_and_hash_everything_and_name_no_place() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        requirements = lock.read_text().replace("\\\n", " ").splitlines()
        pinned = [line for line in requirements if line and not line.lstrip().startswith("#")]
        assert pinned
        assert not [line for line in pinned if "==" not in line or "--hash=sha256:" not in line]
        assert "://" not in lock.read_text()


def test_a_python_without_venv_that_cannot_be_completed_is_said_in_a_sentence(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(debian, "install", lambda *names: f"needs root (apt-get install {' '.join(names)})")
    package = f"python3.{sys.version_info.minor}-venv"
    with pytest.raises(environments.CannotSetUp, match=rf"install {package} \(needs root"):
        environments.ensure("dev")
