"""All tests, as anyone and the continuous integration runs them: set up, check, the quick tests, then those with real servers.

`python -m scripts.stages [PYTEST-ARGUMENT...]`. Every stage runs, whatever became of the one before; the end says how each went, what was not
run and why, and closes with one line of counts. Exit status 0 only when nothing failed, something ran, and, with ``CI=true``, nothing was left out.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from embedded.places import ROOT, python
from scripts import debian, node_packages
from scripts.environments import USUAL, CannotSetUp, ensure

COUNTED = ("failed", "error", "passed", "skipped", "xfailed", "xpassed")
NO_TESTS = 5
"""pytest's exit status when nothing was selected, which is fine in one stage of several."""

LIMIT = 40 * 60
"""Seconds that one stage may take. A stage that hangs is ended, so that the others and the summary still come."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a stage ended: its name, whether all was well, the seconds it took, and the outcomes of its tests."""

    name: str
    passed: bool
    seconds: float
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class NotRun:
    """Something that could not be tested, and why."""

    what: str
    why: str


def counts(output: str) -> Counter[str]:
    """The numbers in the closing line of pytest; none when there is no such line."""
    closing = [line for line in output.splitlines() if re.search(r"\bin \d+[.:\d]*s?\b", line)]
    found: Counter[str] = Counter()
    for number, word in re.findall(r"(\d+) (\w+)", closing[-1] if closing else ""):
        if word.removesuffix("s") in COUNTED:
            found[word.removesuffix("s")] += int(number)
    return found


def _timed(name: str, work: Callable[[], tuple[bool, Counter[str]]]) -> Result:
    print(f"\n=== {name}", flush=True)
    started = time.monotonic()
    passed, outcomes = work()
    return Result(name, passed, time.monotonic() - started, outcomes)


def check() -> Result:
    """The one check, as a stage."""

    def work() -> tuple[bool, Counter[str]]:
        done = subprocess.run([python("dev"), "-m", "scripts.checks"], cwd=ROOT, check=False)
        return done.returncode == 0, Counter()

    return _timed("check", work)


def _end(stage: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(stage.pid, signal.SIGKILL)


def _give_up(stage: subprocess.Popen[str]) -> None:
    print(f"\nhaven: ended, since it took more than {LIMIT // 60} minutes", flush=True)
    _end(stage)


@contextlib.contextmanager
def _bounded(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own that is gone at the end with all it has started, and ends at the limit in any case."""
    with (
        subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,  # where we have none at all, pipes would get its number, and mix up who reads what
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as running
    ):
        watchdog = threading.Timer(LIMIT, _give_up, (running,))
        watchdog.start()
        try:
            yield running
        finally:
            watchdog.cancel()
            _end(running)


def tests(name: str, *arguments: str) -> Result:
    """One run of pytest, shown as it goes."""

    def work() -> tuple[bool, Counter[str]]:
        heard: list[str] = []
        with _bounded([str(python("dev")), "-m", "pytest", *arguments]) as running:
            for line in running.stdout or ():
                print(line, end="", flush=True)
                heard.append(line)
            running.wait()
        return running.returncode in {0, NO_TESTS}, counts("".join(heard))

    return _timed(name, work)


def provide(packages: tuple[debian.Package, ...]) -> list[NotRun]:
    """Installs the servers that tests need, and says which are not to be had."""
    wanted = debian.missing(packages)
    if not wanted:
        return []
    print(f"\n=== installing {', '.join(package.name for package in wanted)}", flush=True)
    obstacle = debian.install(*(package.name for package in wanted))
    return [NotRun(package.purpose, obstacle or "it did not appear") for package in debian.missing(wanted)]


def provide_clients() -> list[NotRun]:
    """Installs the client library that members use in tests, where there is something to run it."""
    obstacle = node_packages.ensure()
    return [NotRun(node_packages.PURPOSE, obstacle)] if obstacle else []


def summary(results: Sequence[Result], left_out: Sequence[NotRun]) -> str:
    """What the terminal shows last: the stages, what was not run, and the counts of all tests in one line."""
    total: Counter[str] = sum((result.counts for result in results), Counter())
    lines = [""]
    for result in results:
        detail = ", ".join(f"{result.counts[word]} {word}" for word in COUNTED if result.counts[word])
        state = "ok" if result.passed else "FAILED"
        lines.append(f"{result.name:8} {state:6} {result.seconds:6.1f} s  {detail}".rstrip())
    lines += [f"not run: {each.what}: {each.why}" for each in left_out]
    failed = total["failed"] + total["error"]
    lines.append(f"{total['passed']} passed, {failed} failed, {total['skipped']} skipped")
    return "\n".join(lines)


def succeeded(results: Sequence[Result], left_out: Sequence[NotRun], *, strict: bool) -> bool:
    """Whether all is well; `strict`, as in continuous integration, allows nothing to be left out."""
    ran = any(result.counts["passed"] for result in results)
    complete = not left_out and not any(result.counts["skipped"] for result in results)
    return all(result.passed for result in results) and ran and (complete or not strict)


def main(arguments: Sequence[str]) -> int:
    """Runs all stages. Arguments go to pytest."""
    try:
        for name in USUAL:
            ensure(name)
    except CannotSetUp as problem:
        print(f"haven: {problem}", file=sys.stderr)
        return 1
    left_out = [*provide(debian.FOR_TESTS), *provide_clients()]
    side_by_side = ("-n", str(os.cpu_count() or 1), "--dist", "loadfile", "--max-worker-restart", "0")
    results = [
        check(),
        tests("unit", "-q", "-m", "not system", *side_by_side, *arguments),
        tests("system", "-q", "-m", "system", *side_by_side, "--no-loadscope-reorder", *arguments),
    ]
    print(summary(results, left_out), flush=True)
    return 0 if succeeded(results, left_out, strict=os.environ.get("CI") == "true") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
