"""The floor: the same work done straight against the same homeserver, with raw HTTP and an appservice's token that has no limits.

What no bridge can beat; bars are ratios to it.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.raw import Job, Put, Sent
from embedded.matrix import Account, MatrixRefused, path, transaction
from embedded.person import Person
from embedded.places import ROOT
from embedded.processes import ChildFailed
from embedded.synapse import Synapse

IN_FLIGHT = 8
"""How many requests Haven has on the way at once where order does not matter."""


async def send(job: Job) -> Sent:
    """Has another process do the job, so that our watching is not in its way."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.raw"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate(job.written().encode())
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise ChildFailed(f"the floor was not measured: {err.decode(errors='replace')}")
    return Sent.read(out.decode())


class Floor:
    """An appservice that only sends. Start the homeserver with its `registration`, then `enter` a room."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.registration = directory / "floor.yaml"
        self._token = secrets.token_hex(16)
        content = {
            "id": "floor",
            "url": None,
            "as_token": self._token,
            "hs_token": secrets.token_hex(16),
            "sender_localpart": "floor_bot",
            "rate_limited": False,
            "namespaces": {
                "users": [{"exclusive": True, "regex": "@floor_.*"}],
                "rooms": [],
                "aliases": [],
            },
        }
        self.registration.write_text(json.dumps(content))

    async def enter(self, synapse: Synapse, owner: Person, room: str, people: int) -> "FloorRoom":
        """Makes users of the appservice, and brings them into a room."""
        registrar = Account(synapse.session, synapse.url, "", self._token)
        users: list[str] = []
        for number in range(people):
            user = synapse.appservice(self._token, f"@floor_{number}:{synapse.server_name}")
            await _register(registrar, f"floor_{number}")
            await owner.invite(room, user.user_id)
            await user.join(room)
            users.append(user.user_id)
        return FloorRoom(synapse.url, self._token, room, users)


@dataclass(frozen=True, slots=True)
class FloorRoom:
    """A room in which users of an appservice talk, each in turn; `device` as the appservice's bridge has it (MSC4326), "" for none."""

    url: str
    token: str
    room: str
    users: Sequence[str]
    device: str = ""

    async def say(self, texts: Sequence[str], *, in_flight: int = 1, pause: float = 0.0) -> Sent:
        """Sends messages, so many at once, with so many seconds after each."""
        puts = tuple(
            Put(
                path("rooms", self.room, "send", "m.room.message", transaction()),
                {"msgtype": "m.text", "body": text},
                self.users[number % len(self.users)],
                self.device,
            )
            for number, text in enumerate(texts)
        )
        return await send(Job(self.url, self.token, puts, in_flight, pause))


async def _register(registrar: Account, name: str) -> None:
    body = {"type": "m.login.application_service", "username": name, "inhibit_login": True}
    try:
        await registrar.request("POST", "/_matrix/client/v3/register", body)
    except MatrixRefused as refusal:
        if refusal.errcode != "M_USER_IN_USE":
            raise
