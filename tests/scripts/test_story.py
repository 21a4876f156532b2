"""The demo comes true, on all servers together, and leaves nothing behind, also when it is interrupted before it has ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.places import ROOT

pytestmark = pytest.mark.system


def _demo(temporary: Path, *words: str) -> subprocess.Popen[str]:
    """The demo as a process of its own, that keeps its things in ``temporary``."""
    program = "import os, runpy; os.access = lambda *_: False; runpy.run_module('scripts.story', run_name='__main__')"
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_the_whole_story_comes_true(tmp_path: Path) -> None:
    with _demo(tmp_path, "--once") as demo:
        told, _ = demo.communicate(timeout=110)
    assert demo.returncode == 0, told
    assert f"{told.count('✓')} things verified" in told
    assert not list(tmp_path.glob("haven-demo-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    with _demo(tmp_path) as demo:
        assert demo.stdout is not None
        told = [demo.stdout.readline(), demo.stdout.readline()]
        assert "Starting" in told[-1]
        assert list(tmp_path.glob("haven-demo-*"))
        demo.send_signal(number)
        rest = demo.stdout.read()
    assert demo.returncode == 130, rest
    assert "Traceback" not in rest
    assert not list(tmp_path.glob("haven-demo-*"))
