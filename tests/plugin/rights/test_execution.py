"""Rights are those of the moment in which a command is carried out, whatever the bot remembers."""

import pytest

from tests.plugin.rights.document import ACTORS, COMMANDS, VERSIONS, allows
from tests.plugin.rights.ground import ASLEEP, USUAL, Grounds
from tests.plugin.rights.tries import TRIES, Try
from tests.plugin.rights.verdicts import tried


def beyond_members(name: str) -> list[Try]:
    """What somebody may do that members may not."""
    return [one for one in TRIES if allows(COMMANDS[one.row], name) and not COMMANDS[one.row]["member"]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["admin", "moderator", "greeter"])
async def test_a_level_taken_away_by_hand_a_moment_ago_is_gone(
    grounds: Grounds, version: str, name: str
) -> None:
    lost = beyond_members(name)
    assert lost
    for ground in {one.ground for one in lost}:
        async with grounds.trial(version, ground) as trial:
            await trial.level_by_hand(name, 0)
            for one in (each for each in lost if each.ground == ground):
                verdict, _ = await tried(trial, name, one)
                assert verdict.harmless, (one.row, verdict.said)


async def test_a_level_given_by_hand_a_moment_ago_counts(grounds: Grounds) -> None:
    for one in (each for each in beyond_members("admin") if each.ground != ASLEEP):
        async with grounds.trial("12", one.ground) as trial:
            await trial.level_by_hand("member", 90)
            verdict, after = await tried(trial, "member", one)
            assert not verdict.refused, (one.row, verdict.said)
            assert one.done(after), (one.row, verdict.said)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("groupadmin", "role remove @groupadmin:haven.test group-admin --group Madrid"),
        ("announcer", "role remove @announcer:haven.test announcer"),
    ],
)
async def test_a_role_of_one_room_that_was_taken_away_is_gone(
    grounds: Grounds, name: str, taken: str
) -> None:
    async with grounds.trial("12") as trial:
        assert "no longer" in await trial.say("owner", f"!c {taken}", "admins")
        for one in beyond_members(name):
            verdict, _ = await tried(trial, name, one)
            assert verdict.harmless, (one.row, verdict.said)


@pytest.mark.parametrize("name", [name for name in ACTORS if name not in {"owner", "stranger"}])
async def test_who_left_the_space_a_moment_ago_is_a_stranger_whatever_they_were(
    grounds: Grounds, name: str
) -> None:
    async with grounds.trial("12") as trial:
        with trial.unheard():
            await trial.stage.person(name).leave(trial.facts.space)
        for one in TRIES:
            if one.ground == USUAL and not COMMANDS[one.row]["stranger"]:
                verdict, _ = await tried(trial, name, one)
                assert verdict.harmless, (one.row, verdict.said)
