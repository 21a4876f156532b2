"""Makes the virtual environments from the locks in requirements/, and leaves them alone when nothing changed.

`python -m scripts.environments [--quiet] [dev|servers|benchmarks]...`; without names: dev and servers. ``HAVEN_VENVS`` names
another directory for them than the project's root. Exit status 1 with one clear sentence when it cannot be done.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from embedded.places import ROOT, Environment, environment, python
from scripts import debian

ALL: tuple[Environment, ...] = ("dev", "servers", "benchmarks")
USUAL: tuple[Environment, ...] = ("dev", "servers")


class CannotSetUp(Exception):
    """Why there is no environment, in words for the person at the terminal."""


def lock_of(name: Environment) -> Path:
    """The file that pins every package of an environment."""
    return ROOT / "requirements" / f"{name}.txt"


def _stamp(name: Environment) -> Path:
    return environment(name) / ".haven-lock"


def _wanted(name: Environment) -> str:
    return hashlib.sha256(lock_of(name).read_bytes()).hexdigest()


def is_current(name: Environment) -> bool:
    """Whether the environment was made from the lock as it is now, and its interpreter still exists."""
    stamp = _stamp(name)
    return stamp.is_file() and stamp.read_text() == _wanted(name) and python(name).exists()


def _require_ensurepip() -> None:
    """Debian keeps what `venv` needs in a package of its own."""
    if importlib.util.find_spec("ensurepip") is not None:
        return
    package = f"python3.{sys.version_info.minor}-venv"
    print(f"haven: installing {package}, which Debian keeps apart from Python", flush=True)
    obstacle = debian.install(package)
    importlib.invalidate_caches()
    if obstacle or importlib.util.find_spec("ensurepip") is None:
        raise CannotSetUp(
            f"Python's venv module is not complete here: install {package} ({obstacle or 'still missing'})."
        )


def _create(directory: Path) -> None:
    _require_ensurepip()
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", directory], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        shutil.rmtree(directory, ignore_errors=True)
        raise CannotSetUp(f"No virtual environment in {directory}: {(made.stderr or made.stdout).strip()}")


def _works(interpreter: Path) -> bool:
    """Whether a virtual environment is usable: its Python starts, is new enough, and has pip."""
    if not interpreter.exists():
        return False
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([interpreter, "-c", probe], capture_output=True, check=False).returncode == 0


def _install(name: Environment) -> None:
    log = environment(name) / "haven-setup.log"
    command = [str(python(name)), "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes"]
    with log.open("w") as output:
        done = subprocess.run(
            [*command, "-r", str(lock_of(name))], stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode != 0:
        tail = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-5:])
        raise CannotSetUp(f"pip could not install requirements/{name}.txt (whole output: {log}):\n{tail}")


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Lets two that set up the same directory at once do it one after the other."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / f"{directory.name}.lockfile").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure(name: Environment, *, quiet: bool = False) -> None:
    """Makes an environment fit its lock; does nothing, fast, when it already does."""
    if is_current(name):
        return
    with alone(environment(name)):
        if is_current(name):
            return
        started = time.monotonic()
        print(f"haven: setting up {environment(name)} from requirements/{name}.txt ...", flush=True)
        if not _works(python(name)):
            _create(environment(name))
        _install(name)
        _stamp(name).write_text(_wanted(name))
        if not quiet:
            print(
                f"haven: {environment(name).name} is ready ({time.monotonic() - started:.0f} s)", flush=True
            )


def main() -> int:
    """Sets up the environments named on the command line."""
    parser = argparse.ArgumentParser(prog="scripts/setup", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="dev, servers, benchmarks (usual: dev servers)"
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing unless there is something to do")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in ALL]
    if unknown:
        parser.error(f"there is no environment called {unknown[0]}; there are {', '.join(ALL)}")
    names = tuple(name for name in ALL if name in options.names) or USUAL
    try:
        for name in names:
            ensure(name, quiet=options.quiet)
    except CannotSetUp as problem:
        print(f"haven: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
