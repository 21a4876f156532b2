"""Tests of the raw requests: a job survives being written, and its requests go out as they are meant."""

import pytest
from aiohttp import web

from benchmarks.raw import Job, NotDone, Put, Sent, send
from embedded.ports import HOST, free_port

JOB = Job("http://127.0.0.1:1", "secret", (Put("/a%2Fb", {"n": 1}, "@ghost:here"), Put("/c", {})), 2, 0.5)


def test_a_job_is_read_as_it_was_written() -> None:
    assert Job.read(JOB.written()) == JOB


def test_what_came_of_a_job_is_read_as_it_was_written() -> None:
    sent = Sent(((1.0, 2.5), (2.5, 3.0)), 0.25)
    assert Sent.read(sent.written()) == sent


class _Server:
    """Answers every PUT with one status, and keeps what it was asked."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[tuple[str, str, str, object]] = []
        self._status = status

    async def answer(self, request: web.Request) -> web.Response:
        token, user = request.headers["Authorization"], request.query.get("user_id", "")
        self.asked.append((request.rel_url.raw_path, user, token, await request.json()))
        return web.json_response({}, status=self._status)

    async def start(self) -> tuple[web.AppRunner, str]:
        application = web.Application()
        application.router.add_put("/{path:.*}", self.answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, HOST, port).start()
        return runner, f"http://{HOST}:{port}"


async def test_requests_go_out_as_they_are_meant() -> None:
    server = _Server()
    runner, url = await server.start()
    try:
        spans = (await send(Job(url, "secret", JOB.puts))).spans
    finally:
        await runner.cleanup()
    assert server.asked == [
        ("/a%2Fb", "@ghost:here", "Bearer secret", {"n": 1}),
        ("/c", "", "Bearer secret", {}),
    ]
    assert [ended > begun > 0 for begun, ended in spans] == [True, True]
    assert spans[0][1] <= spans[1][0]  # one in flight


async def test_a_refusal_ends_the_job() -> None:
    server = _Server(status=403)
    runner, url = await server.start()
    try:
        with pytest.raises(NotDone, match="403"):
            await send(Job(url, "secret", JOB.puts))
    finally:
        await runner.cleanup()
