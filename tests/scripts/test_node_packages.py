"""Installing what members' clients need: once, again when the lock changes, and with a sentence where it cannot be. Node and npm are play ones."""

import json
from pathlib import Path

import pytest

from embedded.places import node_packages as directory
from scripts import node_packages

NPM = '#!/bin/sh\necho "$@" >> "{log}"\n{verdict}\n'


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing in it yet, and a place of the test's own for what is installed."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", str(place))
    monkeypatch.setenv("HAVEN_VENVS", str(tmp_path / "venvs"))
    return place


def program(programs: Path, name: str, text: str) -> None:
    (programs / name).write_text(text)
    (programs / name).chmod(0o755)


def machine(programs: Path, version: str = "v18.20.4", verdict: str = "exit 0") -> Path:
    """A machine with Node and npm. The file that says what npm was asked."""
    log = programs.parent / "log"
    program(programs, "node", f"#!/bin/sh\necho {version}\n")
    program(programs, "npm", NPM.format(log=log, verdict=verdict))
    return log


def test_it_is_installed_from_the_lock_and_only_when_that_changed(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = machine(programs)
    assert node_packages.ensure() is None
    assert log.read_text() == "ci --ignore-scripts --no-audit --no-fund\n"
    installed = directory() / "package-lock.json"
    assert installed.read_bytes() == (node_packages.SOURCE / "package-lock.json").read_bytes()
    assert node_packages.ensure() is None
    assert len(log.read_text().splitlines()) == 1

    monkeypatch.setattr(node_packages, "SOURCE", tmp_path / "newer")
    (tmp_path / "newer").mkdir()
    for name in node_packages.FILES:
        (tmp_path / "newer" / name).write_text("{}")
    assert not node_packages.is_current()
    assert node_packages.ensure() is None
    assert len(log.read_text().splitlines()) == 2


def test_what_npm_says_when_it_fails_is_said_and_nothing_counts_as_installed(programs: Path) -> None:
    machine(programs, verdict="echo 'npm ERR! network down' >&2; exit 1")
    assert "network down" in str(node_packages.ensure())
    assert not node_packages.is_current()


def test_without_node_there_is_a_sentence(programs: Path) -> None:
    assert node_packages.ensure() == "there is no node and no npm here"


@pytest.mark.parametrize(("version", "said"), [("v12.22.9", "v12.22.9"), ("", "broken")])
def test_a_node_that_is_too_old_is_told(programs: Path, version: str, said: str) -> None:
    machine(programs, version)
    assert node_packages.ensure() == f"needs Node.js 18 or later; node here is {said}"


def test_the_lock_pins_and_hashes_everything_and_names_no_place() -> None:
    lock = json.loads((node_packages.SOURCE / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert "node_modules/matrix-js-sdk" in packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
