"""Sends raw requests to a homeserver from a process of its own, as a bridge does, and tells when each began and ended.

A program for `benchmarks.floor`: reads a `Job` as JSON from standard input, writes a `Sent` as JSON. Any answer but 2xx ends it.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
from yarl import URL

Span = tuple[float, float]
"""When a request began and ended: seconds of `time.perf_counter`, which all processes of a machine share on Linux."""


class NotDone(Exception):
    """A request was refused: status and body of the answer."""


@dataclass(frozen=True, slots=True)
class Put:
    """One PUT: an escaped path, a JSON body, whom an appservice speaks for and on which device ("" for nobody, and for none)."""

    path: str
    body: dict[str, Any]
    user: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What to send to whom: so many `in_flight` at once, with `pause` seconds after each."""

    url: str
    token: str
    puts: tuple[Put, ...]
    in_flight: int = 1
    pause: float = 0.0

    def written(self) -> str:
        """The job as JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def read(text: str) -> "Job":
        """The job that `written` made the JSON of."""
        raw = json.loads(text)
        return Job(**{**raw, "puts": tuple(Put(**put) for put in raw["puts"])})


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a job: a span for each request, in their order, and the processor time of all of them in seconds."""

    spans: tuple[Span, ...]
    cpu: float

    def written(self) -> str:
        """This as JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def read(text: str) -> "Sent":
        """What `written` made the JSON of."""
        raw = json.loads(text)
        return Sent(tuple((begun, ended) for begun, ended in raw["spans"]), raw["cpu"])


async def send(job: Job) -> Sent:
    """Does the job."""
    spans: list[Span] = [(0.0, 0.0)] * len(job.puts)
    left = iter(enumerate(job.puts))
    cpu = time.process_time()
    headers = {"Authorization": f"Bearer {job.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def lane(left: Iterator[tuple[int, Put]]) -> None:
            for place, put in left:
                begun = time.perf_counter()
                await _put(session, job.url, put)
                spans[place] = (begun, time.perf_counter())
                if job.pause:
                    await asyncio.sleep(job.pause)

        await asyncio.gather(*(lane(left) for _ in range(job.in_flight)))
    return Sent(tuple(spans), time.process_time() - cpu)


async def _put(session: aiohttp.ClientSession, url: str, put: Put) -> None:
    speaker = {"user_id": put.user, "device_id": put.device}
    query = {name: value for name, value in speaker.items() if value}
    where = URL(f"{url}{put.path}", encoded=True).extend_query(query)
    async with session.put(where, json=put.body) as answer:
        content = await answer.read()
        if not answer.ok:
            raise NotDone(f"{answer.status} {content.decode(errors='replace')}")


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(send(Job.read(sys.stdin.read()))).written())
