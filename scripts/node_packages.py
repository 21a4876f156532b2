"""Installs the client library that members use in system tests, from the lock beside their program, and leaves it alone when nothing changed.

`python -m scripts.node_packages`; needs Node.js 18 or later with npm. It lies beside the virtual environments (``HAVEN_VENVS``).
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from embedded.places import ROOT, node_packages
from scripts.environments import alone

PURPOSE = "tests with members who use matrix-js-sdk"
SOURCE = ROOT / "tests" / "system" / "js"
FILES = ("package.json", "package-lock.json", ".npmrc")
OLDEST = 18


def _stamp() -> Path:
    return node_packages() / ".haven-lock"


def _wanted() -> str:
    return hashlib.sha256(b"\0".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()


def is_current() -> bool:
    """Whether what is installed is what the lock says now."""
    return _stamp().is_file() and _stamp().read_text() == _wanted()


def _unfit() -> str | None:
    """Why nothing can be installed or run here, if so."""
    absent = [program for program in ("node", "npm") if shutil.which(program) is None]
    if absent:
        return f"there is no {' and no '.join(absent)} here"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    number = said.removeprefix("v").partition(".")[0]
    if not number.isdecimal() or int(number) < OLDEST:
        return f"needs Node.js {OLDEST} or later; node here is {said or 'broken'}"
    return None


def _install() -> str | None:
    directory = node_packages()
    directory.mkdir(parents=True, exist_ok=True)
    _stamp().unlink(missing_ok=True)
    for name in FILES:
        shutil.copyfile(SOURCE / name, directory / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "npm ERR" in line or "npm error" in line]
        return f"npm could not install it: {(errors or ['it said nothing'])[0]}"
    _stamp().write_text(_wanted())
    return None


def ensure() -> str | None:
    """Makes what is installed fit the lock; answers what stood in the way, as a sentence, or None when it is there now."""
    obstacle = _unfit()
    if obstacle or is_current():
        return obstacle
    with alone(node_packages()):
        if is_current():
            return None
        print(f"haven: installing matrix-js-sdk into {node_packages()} ...", flush=True)
        return _install()


def main() -> int:
    """Does it, and says why not when it cannot."""
    obstacle = ensure()
    if obstacle:
        print(f"haven: no {PURPOSE}: {obstacle}", file=sys.stderr)
    return 1 if obstacle else 0


if __name__ == "__main__":
    sys.exit(main())
