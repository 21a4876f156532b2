"""Checks the rules of the house that no linter knows: sizes, first sentences, names, and nothing about our own machines.

`python -m scripts.house` prints one line for each breach, `path:line: what is wrong`, and exits with status 1 when there is any.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from embedded.places import ROOT

MAX_FILE = 400
MAX_FUNCTION = 40
VAGUE = re.compile(r"Utils?\b|Utilit|Helper|Manager|(?:^|_)(?:utils?|helpers?|managers?|misc|common)(?:_|$)")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b|NotImplemented" r"Error")

# Written in pieces, so that this file does not contain what it looks for.
_HOSTS = ("pypi" + ".org", "python" + "hosted", "registry." + "npm", "npm" + "js.", "deb." + "debian.org")
_PLACES = (
    "/work" + "/",
    "/t" + "mp/haven/",
    "/ro" + "ot/",
    "/home" + "/",
    "/opt/" + "pypi",
    "/opt/" + "wheels",
)
FOREIGN = re.compile("|".join(re.escape(text) for text in (*_HOSTS, *_PLACES)))

Finding = tuple[int, str]
"""A line number and what is wrong there."""

Rule = Callable[[ast.Module, str], Iterator[Finding]]
"""Looks at a Python file, parsed and as text."""


def tracked_files() -> list[Path]:
    """Every file that is, or is about to be, in the repository; outside of git, every file that is not hidden."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        found = [ROOT / name for name in done.stdout.split("\0") if name]
    else:
        found = [
            path
            for path in ROOT.rglob("*")
            if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        ]
    return sorted(path for path in found if path.is_file())


def too_long(tree: ast.Module, text: str) -> Iterator[Finding]:
    """Files and functions that grew too long to be read at once."""
    lines = len(text.splitlines())
    if lines > MAX_FILE:
        yield 1, f"{lines} lines; a file has at most {MAX_FILE}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            length = node.end_lineno - node.lineno + 1
            if length > MAX_FUNCTION:
                yield node.lineno, f"{node.name} has {length} lines; a function has at most {MAX_FUNCTION}"


def untold(tree: ast.Module, text: str) -> Iterator[Finding]:
    """Files that do not say what they are for."""
    if not (ast.get_docstring(tree) or "").strip():
        yield 1, "no docstring says what this file is for"


def vague(tree: ast.Module, text: str) -> Iterator[Finding]:
    """Classes whose names say nothing of the domain."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and VAGUE.search(node.name):
            yield node.lineno, f"{node.name} is not a word of the domain"


def impure(tree: ast.Module, text: str) -> Iterator[Finding]:
    """What the mind may not import: anything outside of the standard library."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        else:
            continue
        foreign = [name for name in names if name.split(".")[0] not in {*sys.stdlib_module_names, "haven"}]
        yield from (
            (node.lineno, f"the mind imports {name}, not of the standard library") for name in foreign
        )


def machines(text: str) -> Iterator[Finding]:
    """Names of package hosts and of places on our own machines, which mean nothing to anyone else."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := FOREIGN.search(line):
            yield number, f"names a place that readers do not have: {match.group()}"


def unfinished(text: str) -> Iterator[Finding]:
    """Words of work that was left for later."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := UNFINISHED.search(line):
            yield number, f"{match.group()}: finish it, or file an issue"


def findings(path: Path) -> Iterator[Finding]:
    """All that is wrong with one file."""
    relative = path.relative_to(ROOT)
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    yield from machines(text)
    if VAGUE.search(path.stem):
        yield 1, f"{path.stem} is not a word of the domain"
    if path.suffix != ".py":
        return
    rules: list[Rule] = [too_long, untold, vague]
    if relative.parts[0] == "haven":
        rules.append(impure)
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield error.lineno or 1, f"no Python {sys.version_info.major}.{sys.version_info.minor}: {error.msg}"
        return
    for rule in rules:
        yield from rule(tree, text)
    yield from unfinished(text)


def main() -> int:
    """Prints every breach of every file."""
    breaches = [(path, finding) for path in tracked_files() for finding in findings(path)]
    for path, (line, wrong) in breaches:
        print(f"{path.relative_to(ROOT)}:{line}: {wrong}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
