"""docs/networks.md shows a whole network: it is taken from the page, built, installed, found through its entry point and held to the contract."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.places import ROOT
from tests.contracts.network import NetworkContract

BLOCK = re.compile(r"^```\w+ (?P<name>[\w.]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
"""A piece of code that has a file's name beside its language."""

pytestmark = pytest.mark.slow


def run(*command: str | Path, where: Path, python_path: str = "") -> str:
    """Runs a program of Python's; what it said, which it must have said in peace."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=where,
        env={"PYTHONPATH": python_path, "PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(source: Path, wheels: Path) -> None:
    """A wheel of `source`, made without network."""
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", wheels, source, where=source)


def bridge_source(place: Path) -> Path:
    """A copy of what goes into the bridge's wheel."""
    for name in ("bridge", "haven"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place / name)
    return place


def installed(package: Path, place: Path) -> Path:
    """A place where the bridge and `package` are installed, each from its wheel."""
    wheels, site = place / "wheels", place / "site"
    built(bridge_source(place / "bridge"), wheels)
    built(package, wheels)
    run("-m", "pip", "install", "--no-deps", "--target", site, *sorted(wheels.glob("*.whl")), where=place)
    return site


def test_the_network_of_the_page_keeps_the_contract(tmp_path: Path) -> None:
    files = {
        found["name"]: found["text"] for found in BLOCK.finditer((ROOT / "docs/networks.md").read_text())
    }
    assert set(files) == {"pyproject.toml", "smoke_signals.py", "test_smoke_signals.py"}
    package, tests = tmp_path / "package", tmp_path / "tests"
    package.mkdir()
    tests.mkdir()
    for name, text in files.items():
        (package / name).write_text(text)
    shutil.move(package / "test_smoke_signals.py", tests)
    contract = (ROOT / "tests/contracts/network.py").read_text()
    (tests / "contract.py").write_text(
        re.sub("^from bridge", "from haven_bridge", contract, flags=re.MULTILINE)
    )
    said = run(
        *("-P", "-m", "pytest", "-q", "-o", "anyio_mode=auto", "-W", "error"),
        *("-p", "no:cacheprovider", "-p", "no:maubot"),
        where=tests,
        python_path=f"{installed(package, tmp_path)}:{tests}",
    )
    kept = [name for name in vars(NetworkContract) if name.startswith("test_")]
    assert f"{len(kept)} passed" in said
