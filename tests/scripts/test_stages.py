"""What `make test` says at its end, and when it says that all is well."""

from collections import Counter
from pathlib import Path

import pytest

from embedded.places import ROOT
from scripts import stages
from scripts.stages import NotRun, Result, counts, succeeded, summary

FINE = Result("unit", True, 1.5, Counter(passed=3))
SKIPPING = Result("system", True, 2.0, Counter(passed=1, skipped=2))
BROKEN = Result("system", False, 2.0, Counter(passed=1, failed=1, error=1))
EMPTY = Result("unit", True, 0.1)
MISSING = NotRun("tests of IRC against ngIRCd", "needs root (apt-get install ngircd)")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("....\n4 passed in 0.52s\n", {"passed": 4}),
        (
            "x\n1 failed, 2 passed, 3 skipped, 1 error in 75.20s (0:01:15)\n",
            {"failed": 1, "passed": 2, "skipped": 3, "error": 1},
        ),
        ("2 errors in 0.10s\n", {"error": 2}),
        ("no tests ran in 0.01s\n", {}),
        ("Traceback: 3 passed the door\n", {}),
        ("", {}),
    ],
)
def test_the_closing_line_of_pytest_is_read(output: str, expected: dict[str, int]) -> None:
    assert counts(output) == Counter(expected)


@pytest.mark.parametrize(
    ("results", "left_out", "strict", "well"),
    [
        ([FINE], [], True, True),
        ([FINE, EMPTY], [], True, True),
        ([EMPTY], [], False, False),
        ([FINE, BROKEN], [], False, False),
        ([FINE], [MISSING], False, True),
        ([FINE], [MISSING], True, False),
        ([FINE, SKIPPING], [], False, True),
        ([FINE, SKIPPING], [], True, False),
        ([Result("check", False, 1.0), FINE], [], False, False),
    ],
)
def test_all_is_well_only_when_it_is(
    results: list[Result], left_out: list[NotRun], strict: bool, well: bool
) -> None:
    assert succeeded(results, left_out, strict=strict) is well


def test_the_summary_names_each_stage_what_was_left_out_and_ends_with_the_counts() -> None:
    lines = summary([FINE, BROKEN], [MISSING]).splitlines()
    assert lines[1].split() == ["unit", "ok", "1.5", "s", "3", "passed"]
    assert lines[2].startswith("system   FAILED")
    assert lines[3] == "not run: tests of IRC against ngIRCd: needs root (apt-get install ngircd)"
    assert lines[-1] == "4 passed, 2 failed, 0 skipped"


def test_a_stage_that_hangs_is_ended_and_has_failed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    endless = tmp_path / "test_endless.py"
    endless.write_text("import threading\ndef test_endless(): threading.Event().wait()\n")
    monkeypatch.setattr(stages, "LIMIT", 3)
    result = stages.tests(
        "endless", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", str(endless)
    )
    assert not result.passed
    assert not result.counts
    assert "ended, since it took more than" in capfd.readouterr().out
