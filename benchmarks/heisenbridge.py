"""The peer: heisenbridge from its own virtual environment, set up as its README says, with one room plumbed to one channel."""

import json
import secrets
from pathlib import Path

from benchmarks.contestant import PEER, Contestant
from embedded.chatter import Chatter
from embedded.irc import IrcServer
from embedded.matrix import Event
from embedded.person import Person
from embedded.places import python
from embedded.ports import HOST, free_port
from embedded.processes import Child, listening
from embedded.proxy import Proxy
from embedded.waiting import eventually

NICK = "heisen"
_NETWORK = "bench"


class Heisenbridge:
    """heisenbridge on a free port of 127.0.0.1. Start the homeserver with its `registration`, then `start`, then `plumb`."""

    def __init__(self, directory: Path, domain: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.user = f"@heisenbridge:{domain}"
        self.registration = directory / "heisenbridge.yaml"
        self._directory = directory
        self._process: Child | None = None
        self._proxy: Proxy | None = None
        self._token = secrets.token_hex(32)
        content = {
            "id": "heisenbridge",
            "url": f"http://{HOST}:{self.port}",
            "as_token": self._token,
            "hs_token": secrets.token_hex(32),
            "rate_limited": False,
            "sender_localpart": "heisenbridge",
            "namespaces": {"users": [{"regex": "@irc_.*", "exclusive": True}], "aliases": [], "rooms": []},
        }
        self.registration.write_text(json.dumps(content))

    async def start(self, homeserver_url: str, owner: Person, proxy: Proxy | None = None) -> None:
        """Starts it with its owner; returns when it listens."""
        command: list[str | Path] = ["-m", "heisenbridge", "-c", self.registration, "-o", owner.user_id]
        url = proxy.url if proxy else homeserver_url
        self._process = Child(
            PEER, [python("benchmarks"), *command, url], self._directory / "heisenbridge.log", self._directory
        )
        self._proxy = proxy
        await self._process.start(lambda: listening(self.port))

    async def aclose(self) -> None:
        """Ends it."""
        if self._process is not None:
            await self._process.stop(grace=3)

    async def plumb(
        self, owner: Person, irc: IrcServer, keeper: Chatter, room: str, channel: str
    ) -> Contestant:
        """Joins a room to a channel in which `keeper` is already, by the commands that an owner gives."""
        control = await owner.wait_for_invite(timeout=30)
        await owner.join(control)
        for command in (f"ADDNETWORK {_NETWORK}", f"ADDSERVER {_NETWORK} {irc.host} {irc.port}"):
            await self._command(owner, control, command, "added")
        await owner.say(control, f"OPEN {_NETWORK}")
        network = await owner.wait_for_invite(timeout=30)
        await owner.join(network)
        await self._command(owner, network, f"NICK {NICK}", NICK)
        await owner.say(network, "CONNECT")
        await self._heard(owner, network, "MOTD|motd|Welcome to the Internet Relay")
        await owner.invite(room, self.user)
        await self._command(owner, network, f"PLUMB {room} {channel}", "Plumbed")

        async def is_there() -> bool:
            return NICK in await keeper.names(channel)

        await eventually(is_there, "heisenbridge entering the channel", interval=0.2)
        if self._process is None:
            raise RuntimeError("heisenbridge was never started")
        return Contestant(PEER, room, channel, self._process, self._token, proxy=self._proxy)

    async def _command(self, owner: Person, room: str, command: str, answer: str) -> None:
        await owner.say(room, command)
        await self._heard(owner, room, answer)

    async def _heard(self, owner: Person, room: str, words: str) -> None:
        def fits(event: Event) -> bool:
            return event.sender == self.user and any(word in event.body for word in words.split("|"))

        await owner.wait_for(room, fits, timeout=30)
