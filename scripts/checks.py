"""The one check: ruff, mypy, the import contracts and the rules of the house, side by side, with one summary.

`python -m scripts.checks [--fix] [PATH...]`; with paths, only those are linted, formatted and typed. Exit status 1 when anything fails.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from embedded.places import ROOT

PACKAGES = ("haven", "plugin", "bridge", "embedded", "scripts", "tests", "benchmarks")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one check ended: its name, whether all was well, what it printed, and the seconds it took."""

    name: str
    passed: bool
    output: str
    seconds: float


def _environment() -> dict[str, str]:
    """Our environment with the programs of this interpreter's virtual environment first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"}


def run(name: str, *command: str) -> Verdict:
    """Runs one check from the project's root and listens to its exit status."""
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Verdict(name, done.returncode == 0, done.stdout, time.monotonic() - started)


def commands(paths: list[str]) -> dict[str, tuple[str, ...]]:
    """The checks by name. The import contracts and the rules of the house always look at everything."""
    typed = paths or [name for name in PACKAGES if (ROOT / name / "__init__.py").exists()]
    return {
        "mypy": (
            "mypy",
            "--no-error-summary",
            *(path for path in typed if not path.endswith((".md", ".toml"))),
        ),
        "ruff": ("ruff", "check", "--quiet", *(paths or ["."])),
        "format": ("ruff", "format", "--check", "--quiet", *(paths or ["."])),
        "imports": ("lint-imports", "--no-logo"),
        "house": (sys.executable, "-m", "scripts.house"),
    }


def fix(paths: list[str]) -> None:
    """Lets ruff mend what it can mend."""
    where = paths or ["."]
    subprocess.run(
        ["ruff", "check", "--fix", "--quiet", *where],
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        check=False,
    )
    subprocess.run(
        ["ruff", "format", "--quiet", *where], cwd=ROOT, env=_environment(), capture_output=True, check=False
    )


def main() -> int:
    """Runs all checks at once, prints what the failing ones said, then one line for each."""
    parser = argparse.ArgumentParser(prog="scripts/check", description=__doc__)
    parser.add_argument("--fix", action="store_true", help="let ruff mend and format first")
    parser.add_argument("paths", nargs="*", metavar="PATH")
    options = parser.parse_args()
    if options.fix:
        fix(options.paths)
    wanted = commands(options.paths)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        verdicts = list(pool.map(lambda name: run(name, *wanted[name]), wanted))
    for verdict in verdicts:
        if not verdict.passed:
            print(f"--- {verdict.name}\n{verdict.output.strip()}\n")
    for verdict in verdicts:
        print(f"{verdict.name:8} {'ok' if verdict.passed else 'FAILED':6} {verdict.seconds:5.1f} s")
    return 0 if all(verdict.passed for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
