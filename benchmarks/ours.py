"""Ours: Haven's bridge as an operator runs it, with one room linked to one channel and the link proven in the channel."""

from pathlib import Path

from ruamel.yaml import YAML

from embedded.bridge import Bridge
from embedded.chatter import Chatter
from embedded.irc import IrcServer
from embedded.person import Person
from embedded.processes import ChildFailed
from embedded.waiting import eventually

NICK = "haven"
DEVICE = "HAVEN"
"""The device of all ghosts, part of how the bridge speaks to the homeserver."""


async def registered(directory: Path, homeserver_url: str, domain: str, irc: IrcServer) -> Bridge:
    """A bridge whose registration file is written; to be started when the homeserver runs."""
    network = {"host": irc.host, "port": irc.port, "tls": False, "nick": NICK}
    bridge = Bridge(directory, homeserver_url, domain, {"irc": network})
    written = await bridge.command("registration")
    if written.status != 0:
        raise ChildFailed(f"the bridge's registration was not written: {written.err}")
    return bridge


def token(bridge: Bridge) -> str:
    """The token of its appservice, from its registration file."""
    return str(YAML(typ="safe").load(bridge.registration.read_text())["as_token"])


async def link(bridge: Bridge, owner: Person, keeper: Chatter, room: str, channel: str) -> None:
    """Links a room to a channel that `keeper` operates. The bridge runs; the owner created the room."""
    code = await wanted(owner, room, channel)

    async def is_there() -> bool:
        return any(nick.startswith(NICK) for nick in await keeper.names(channel))

    await eventually(is_there, "the bridge entering the channel", interval=0.2)
    await keeper.say(channel, code)

    async def is_linked() -> bool:
        return await _status(owner, room, channel, "state") == "linked"

    await eventually(is_linked, "the link being proven", interval=0.2)


async def wanted(owner: Person, room: str, channel: str) -> str:
    """Asks for the link; the code that proves it."""
    domain = owner.user_id.partition(":")[2]
    bot = f"@haven-bridge:{domain}"
    key = f"irc:{channel}"
    await owner.invite(room, bot)
    await eventually(lambda: _joined(owner, room, bot), "the bridge joining the room")
    wish = {
        "version": 1,
        "network": "irc",
        "chat": channel,
        "whole": False,
        "by": owner.user_id,
        "proven": False,
    }
    await owner.send_state(room, "chat.haven.link", wish, key)
    return await eventually(
        lambda: _status(owner, room, channel, "code"), "a code for the proof", interval=0.05
    )


async def _joined(owner: Person, room: str, user: str) -> bool:
    return user in await owner.joined(room)


async def _status(owner: Person, room: str, channel: str, name: str) -> str:
    bridged = await owner.state(room, "m.bridge", f"haven://irc/{channel}") or {}
    return str(bridged.get("chat.haven.status", {}).get(name, ""))
