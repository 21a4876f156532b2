"""Child processes: ready by condition, clear when they fail, gone when their parent is."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from embedded.ports import HOST, free_port
from embedded.processes import Child, ChildFailed, listening
from embedded.waiting import NeverHappened, eventually

SERVE = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('up'); time.sleep(600)"


def server(directory: Path, port: int) -> Child:
    return Child("a server", [sys.executable, "-c", SERVE, str(port)], directory / "log")


async def test_a_child_is_ready_when_it_listens_and_gone_when_stopped(tmp_path: Path) -> None:
    port = free_port()
    child = server(tmp_path, port)
    await child.start(lambda: listening(port))
    assert child.running
    assert await listening(port)
    assert await child.stop() == -signal.SIGTERM
    assert not await listening(port)
    assert child.tail() == "up"


async def test_a_killed_child_starts_again_on_its_port(tmp_path: Path) -> None:
    port = free_port()
    child = server(tmp_path, port)
    await child.start(lambda: listening(port))
    first = child.pid
    await child.kill()
    await child.start(lambda: listening(port))
    assert child.pid != first
    await child.stop()


async def test_a_child_that_ends_early_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    child = Child(
        "a failure", [sys.executable, "-c", "import sys; sys.exit('no such key: prot')"], tmp_path / "log"
    )
    with pytest.raises(ChildFailed, match=r"ended with status 1(?s:.*)no such key: prot"):
        await child.start(lambda: listening(1))


async def test_a_child_that_is_never_ready_is_an_error_and_killed(tmp_path: Path) -> None:
    child = Child("a sleeper", ["sleep", "600"], tmp_path / "log")
    with pytest.raises(ChildFailed, match="not ready after"):
        await child.start(lambda: listening(1), timeout=0.2)
    assert not child.running


async def test_one_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    child = Child("a stubborn one", [sys.executable, "-c", stubborn], tmp_path / "log")

    async def deaf() -> bool:
        return child.log.exists() and child.tail() == "deaf"

    await child.start(deaf)
    assert await child.stop(grace=0.1) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell the children")
async def test_children_die_with_their_parent_however_it_dies(tmp_path: Path) -> None:
    port = free_port()
    program = f"""
import asyncio, pathlib, sys
from embedded.processes import Child, listening
from tests.embedded.test_processes import server
async def main():
    child = server(pathlib.Path({str(tmp_path)!r}), {port})
    await child.start(lambda: listening({port}))
    print(child.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    grandchild = int(await parent.stdout.readline())
    assert await listening(port)
    parent.kill()
    await parent.wait()

    async def gone() -> bool:
        return not await listening(port)

    await eventually(gone, f"the end of process {grandchild}", timeout=10)


async def test_ports_are_free_and_given_once() -> None:
    ports = {free_port() for _ in range(50)}
    assert len(ports) == 50
    assert not any([await listening(port) for port in ports])


async def test_another_process_is_not_given_our_ports() -> None:
    ours = free_port()
    probe = f"from embedded import ports; print(ports._reserved({ours}))"
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", probe, stdout=asyncio.subprocess.PIPE, env={**os.environ}
    )
    out, _ = await other.communicate()
    assert out.decode().strip() == "False"
    assert HOST == "127.0.0.1"


async def test_what_never_happens_is_named() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(NeverHappened, match="snow in July"):
        await eventually(never, "snow in July", timeout=0.05, interval=0.01)
