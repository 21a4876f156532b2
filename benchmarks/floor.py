"""The floor: the same work done straight against the same homeserver, with raw HTTP and an appservice's token that has no limits.

What no bridge can beat; bars are ratios to it.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from embedded.matrix import Account, MatrixRefused
from embedded.person import Person
from embedded.synapse import Synapse

IN_FLIGHT = 8
"""How many requests Haven has on the way at once where order does not matter."""


class Floor:
    """An appservice that only sends. Make it, start the homeserver with its `registration`, then `enter` a room."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.registration = directory / "floor.yaml"
        self._token = secrets.token_hex(16)
        users = {"exclusive": True, "regex": "@floor_.*"}
        content = {
            "id": "floor",
            "url": None,
            "as_token": self._token,
            "hs_token": secrets.token_hex(16),
            "sender_localpart": "floor_bot",
            "rate_limited": False,
            "namespaces": {"users": [users], "rooms": [], "aliases": []},
        }
        self.registration.write_text(json.dumps(content))

    async def enter(self, synapse: Synapse, owner: Person, room: str, people: int) -> list[Person]:
        """Makes users of the appservice, and brings them into a room."""
        registrar = Account(synapse.session, synapse.url, "", self._token)
        users: list[Person] = []
        for number in range(people):
            user = synapse.appservice(self._token, f"@floor_{number}:{synapse.server_name}")
            await _register(registrar, f"floor_{number}")
            await owner.invite(room, user.user_id)
            await user.join(room)
            users.append(user)
        return users


async def _register(registrar: Account, name: str) -> None:
    body = {"type": "m.login.application_service", "username": name, "inhibit_login": True}
    try:
        await registrar.request("POST", "/_matrix/client/v3/register", body)
    except MatrixRefused as refusal:
        if refusal.errcode != "M_USER_IN_USE":
            raise


async def side_by_side(work: Sequence[Callable[[], Awaitable[object]]], in_flight: int = IN_FLIGHT) -> float:
    """Does all of it, so many at once; the seconds it took."""
    left = iter(work)

    async def lane() -> None:
        for each in left:
            await each()

    begun = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(in_flight)))
    return time.perf_counter() - begun
