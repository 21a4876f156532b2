"""The bridge as a child process: its commands, and that it is there, goes and comes again."""

from pathlib import Path

import pytest

from embedded.bridge import Bridge
from embedded.irc import PythonIrc
from embedded.processes import ChildFailed
from embedded.synapse import Synapse

pytestmark = pytest.mark.system


async def test_the_bridge_is_ready_dies_and_comes_again(own_data: Path) -> None:
    homeserver = Synapse(own_data / "synapse")
    async with PythonIrc(own_data / "irc") as irc:
        networks = {"irc": {"host": irc.host, "port": irc.port, "tls": False}}
        bridge = Bridge(own_data / "bridge", homeserver.url, networks=networks)
        made = await bridge.command("registration")
        assert made.status == 0, made.err
        homeserver.appservices.append(bridge.registration)
        async with homeserver, bridge:
            assert await bridge.ready()
            assert await bridge.metrics()
            await bridge.kill()
            assert not await bridge.ready()
            await bridge.start()
            assert (await bridge.command("check")).status == 0


async def test_a_configuration_it_refuses_is_an_error_that_says_so(own_data: Path) -> None:
    bridge = Bridge(own_data, "http://127.0.0.1:9", settings={"databse": "sqlite:x.db"})
    with pytest.raises(ChildFailed, match="databse"):
        await bridge.start()
