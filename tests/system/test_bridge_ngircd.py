"""The bridge with ngIRCd, the server that people really run."""

from collections.abc import AsyncIterator

import pytest

from embedded.chatter import Chatter
from embedded.irc import Ngircd, ngircd_program
from tests.system.bridge_world import CHANNEL, World, world

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(180),
    pytest.mark.skipif(ngircd_program() is None, reason="ngircd is not installed"),
]


@pytest.fixture(scope="module")
async def here() -> AsyncIterator[World]:
    async with world(Ngircd) as everything:
        yield everything


async def test_is_linked_and_carries_both_ways(here: World) -> None:
    await here.link()
    async with await Chatter.connect(here.irc.host, here.irc.port, "bob") as bob:
        await bob.join(CHANNEL)
        await bob.say(CHANNEL, "hello \x02Matrix\x02")
        (hello,) = await here.texts(1, lambda event: event.body == "hello Matrix")
        assert hello.content["formatted_body"] == "hello <strong>Matrix</strong>"
        await bob.act(CHANNEL, "waves")
        (waves,) = await here.texts(1, lambda event: event.body == "waves")
        assert waves.content["msgtype"] == "m.emote"
        await here.alice.say(here.room, "hello IRC\nand all")
        await bob.heard("<Alice> hello IRC")
        await bob.heard("and all")


async def test_the_server_goes_and_comes_back(here: World) -> None:
    await here.irc.kill()
    await here.status("broken")
    await here.alice.say(here.room, "while you were away")
    await here.irc.start()
    async with await Chatter.connect(here.irc.host, here.irc.port, "carla") as carla:
        await carla.join(CHANNEL)
        await here.status("linked")
        await here.alice.say(here.room, "and now")
        await carla.heard("<Alice> and now")
        said = [line.text for line in carla.received if line.command == "PRIVMSG"]
        assert said.count("<Alice> and now") == 1
