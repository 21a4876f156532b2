"""The wheel: the bridge under its own name, all of it, and nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from embedded.places import ROOT
from scripts.house import tracked_files

SHIPPED = {"haven": "haven", "bridge": "haven_bridge"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from a copy of the repository, without network, and unpacked."""
    copy = tmp_path_factory.mktemp("copy")
    for path in tracked_files():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        copy / "out",
        copy,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = (copy / "out").glob("haven_matrix-*.whl")
    into = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(into)
    return into


def test_it_holds_every_file_of_the_mind_and_the_bridge_and_no_other(unpacked: Path) -> None:
    inside = {path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file()}
    wanted = set()
    for path in tracked_files():
        relative = path.relative_to(ROOT)
        if relative.parts[0] in SHIPPED:
            wanted.add(Path(SHIPPED[relative.parts[0]], *relative.parts[1:]))
    assert {path for path in inside if not path.parts[0].endswith(".dist-info")} == wanted


def test_the_bridge_starts_under_its_shipped_name(unpacked: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "haven_bridge", "--help"],
        cwd=unpacked,
        env={"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "registration" in done.stdout


def test_the_console_command_is_named(unpacked: Path) -> None:
    [entry_points] = unpacked.glob("*.dist-info/entry_points.txt")
    assert "haven-bridge = haven_bridge.__main__:main" in entry_points.read_text()
    [metadata] = unpacked.glob("*.dist-info/METADATA")
    assert "License-Expression: AGPL-3.0-or-later" in metadata.read_text()
