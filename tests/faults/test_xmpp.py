"""A network that keeps a history (XMPP on Prosody): the bridge is killed while both sides go on talking, and nothing at all is excused (R1)."""

import random

import pytest

from embedded.jabber import body_of, sender
from embedded.prosody import prosody_program
from embedded.waiting import eventually
from tests.faults.crossing import LONG
from tests.faults.profile import profile, seed
from tests.faults.verdict import Verdict, Way, judge
from tests.system.test_bridge_xmpp import ROOM, Here, here

__all__ = ["here"]  # the fixture of that file: everything at work

pytestmark = [
    pytest.mark.system,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(prosody_program() is None, reason="prosody is not installed"),
]


async def linked(world: Here) -> None:
    await world.ask_for_link()
    await world.oscar.say(ROOM, str((await world.status("proof"))["code"]))
    await world.status("linked")


async def in_room(world: Here) -> list[str]:
    """What ghosts said on Matrix, oldest first."""
    return [event.body for event in await world.history() if event.sender.startswith("@_haven_")]


def in_chat(world: Here) -> list[str]:
    """What Alice said on XMPP, as Bob's client got it."""
    return [body_of(said) for said in world.bob.said(ROOM) if sender(said)[1] == "Alice"]


async def talk(world: Here, chance: random.Random, life: int) -> tuple[list[str], list[str]]:
    """Both sides say twelve lines in all; the bridge is killed after one of them and lives again after another."""
    out, into = list[str](), list[str]()
    death = chance.randrange(1, 6)
    birth = chance.randrange(death + 1, 12)
    for number in range(12):
        text = f"line {life}.{number}."
        if chance.random() < 0.5:
            out.append(text)
            await world.alice.say(world.room, text)
        else:
            into.append(text)
            await world.bob.say(ROOM, text)
        if number == death:
            await world.bridge.kill()
        if number == birth:
            await world.bridge.start()
    return out, into


async def test_r1_killed_while_both_sides_talk_on(here: Here) -> None:  # the fixture
    await linked(here)
    before, already = len(in_chat(here)), len(await in_room(here))
    chance, out, into = random.Random(seed()), list[str](), list[str]()
    for life in range(profile().kills):
        more_out, more_in = await talk(here, chance, life)
        out += more_out
        into += more_in
    await here.alice.say(here.room, "the last of Matrix")
    await here.bob.say(ROOM, "the last of XMPP")
    out.append("the last of Matrix")
    into.append("the last of XMPP")

    async def through() -> bool:
        return out[-1] in in_chat(here) and into[-1] in await in_room(here)

    await eventually(through, f"the last lines arrive (SEED={seed()})", LONG, 0.2)
    verdicts: list[Verdict] = [
        judge(Way("to XMPP", tuple(out), tuple(in_chat(here)[before:]))),
        judge(Way("to Matrix", tuple(into), tuple((await in_room(here))[already:]))),
    ]
    assert not [str(verdict) for verdict in verdicts if not verdict.clean], f"SEED={seed()} plays it again"
