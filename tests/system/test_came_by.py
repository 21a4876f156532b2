"""A wave that came by one code is put out by one command on a real homeserver, and the code opens nothing any more once it is ended."""

import re

import pytest

from embedded.matrix import MatrixRefused
from embedded.person import Person
from embedded.waiting import eventually
from haven.model import Community
from tests.conftest import Newcomer
from tests.system.plugin_world import Bot, founded, group, told

pytestmark = pytest.mark.system

CODE = re.compile(r"\b[0-9a-z]{26}\b")


@pytest.fixture(scope="module")
async def community(bot: Bot, ana: Person) -> Community:
    """A community that one asks to join."""
    made = await founded(bot, ana, "Raided", "Madrid")
    await told(ana, made, "!c settings join request")
    return made


async def test_who_came_by_one_code_is_put_out(
    bot: Bot, ana: Person, community: Community, newcomer: Newcomer
) -> None:
    said = await told(ana, community, "!c invite create --name Leaflet")
    found = CODE.search(said)
    assert found is not None, said
    madrid = group(community, "Madrid").room
    raiders = [await newcomer(name) for name in ("uno", "dos", "tres")]
    for raider in raiders:
        await raider.knock(community.space, found[0])
        await raider.wait_for_invite(community.space)
        await raider.join(community.space)
        await raider.join(madrid)
    helper = raiders.pop()
    await told(ana, community, f"!c role add {helper.user_id} moderator")
    said = await told(ana, community, "!c remove --came-by Leaflet a raid")
    assert "2 people are no longer in the community" in said
    assert helper.user_id in said

    async def out() -> bool:
        around = await ana.joined(community.space) | await ana.joined(madrid)
        return not around & {raider.user_id for raider in raiders} and helper.user_id in around

    await eventually(out, "the raiders are out and the helper is not")
    for raider in raiders:
        with pytest.raises(MatrixRefused):
            await raider.join(madrid)
    assert "still lets people in" in said
