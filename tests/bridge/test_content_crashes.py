"""The bridge killed at every step while it carries a message of several events, a reaction and a vote: each comes once, and nothing is lost."""

from contextlib import suppress
from pathlib import Path

import pytest

from bridge.message import Location, Message, Poll, spans
from bridge.networks.acts import Act, React, Vote
from embedded.waiting import eventually
from haven.errors import TryLater
from tests.bridge.lives import CHAT, Lives
from tests.bridge.talk import acts, heard, nth, send
from tests.fakes.homeserver_faults import Killed

POLL = "org.matrix.msc3381.poll"
LUNCH = Message(spans("vote!"), poll=Poll("Lunch?", ("Soup", "Fish")), location=Location(1, 2), expires=3600)
STEPS = range(1, 15)
"""More than carrying it has; a fate beyond the last step is a life without a crash."""


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", STEPS)
async def test_a_message_of_several_events_comes_once(tmp_path: Path, at: int, after_effect: bool) -> None:
    lives = Lives(tmp_path)
    await lives.begin()
    await lives.live()
    await lives.link()
    await lives.town.speak(CHAT, lives.oscar, "first")
    await nth(lives, "m.room.message")
    lives.fate.at, lives.fate.after_effect = lives.fate.steps + at, after_effect
    with suppress(Killed, TryLater):  # what was not taken is told again, as the network has a history
        await lives.town.speak(CHAT, lives.oscar, LUNCH)
    await lives.until(lambda: lives.dead or len(lives.by_ghosts(f"{POLL}.start")) == 1)
    await lives.live()
    await nth(lives, f"{POLL}.start")
    await lives.town.speak(CHAT, lives.oscar, "last")
    await lives.until(lambda: "last" in lives.said())
    assert lives.said() == [
        "first",
        "vote!",
        "📍 https://www.openstreetmap.org/?mlat=1&mlon=2#map=16/1/2",
        "last",
    ]
    assert len(lives.by_ghosts(f"{POLL}.start")) == 1
    await lives.end()


async def settled(lives: Lives) -> None:
    """Until all is done that was asked for so far."""

    async def is_settled() -> bool:
        assert lives.store is not None
        return (await lives.store.counts())[0] == 0

    await eventually(is_settled, "an empty inbox")


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", STEPS)
async def test_gestures_of_members_come_once(tmp_path: Path, at: int, after_effect: bool) -> None:
    lives = Lives(tmp_path)
    await lives.begin()
    await lives.live()
    await lives.link()
    poll = await lives.town.speak(CHAT, lives.oscar, Message((), poll=LUNCH.poll))
    asked = await nth(lives, f"{POLL}.start")
    await settled(lives)
    lives.fate.at, lives.fate.after_effect = lives.fate.steps + at, after_effect
    relation = {"rel_type": "m.annotation", "event_id": asked.id, "key": "👍"}
    await send(lives, "m.reaction", {"m.relates_to": relation})
    chosen = {"rel_type": "m.reference", "event_id": asked.id}
    vote = await send(
        lives, f"{POLL}.response", {"m.relates_to": chosen, f"{POLL}.response": {"answers": ["1"]}}
    )
    expected: list[Act] = [React(poll, "👍"), Vote(poll, (1,))]
    await lives.until(lambda: lives.dead or acts(lives) == expected)
    await lives.live()
    lives.fate.at = None
    await lives.alice.redact(lives.room, vote, "", "undo")
    await lives.until(lambda: Vote(poll, ()) in acts(lives))
    done = acts(lives)
    # The instant between the claim and the write is the one that is given away, see bridge/to_network.py.
    assert len(done) == len(set(map(str, done)))
    assert [act for act in [*expected, Vote(poll, ())] if act in done] == done
    assert len(done) >= 2
    await lives.end()


async def test_a_vote_that_was_taken_back_before_a_restart_stays_so(lives: Lives) -> None:
    await lives.link()
    poll = await lives.town.speak(CHAT, lives.oscar, Message((), poll=LUNCH.poll))
    asked = await nth(lives, f"{POLL}.start")
    chosen = {"rel_type": "m.reference", "event_id": asked.id}
    vote = await send(
        lives, f"{POLL}.response", {"m.relates_to": chosen, f"{POLL}.response": {"answers": ["1"]}}
    )
    assert await heard(lives, 1) == Vote(poll, (1,))
    await lives.die()
    await lives.alice.redact(lives.room, vote, "", "undo")
    await lives.live()
    assert await heard(lives, 2) == Vote(poll, ())
