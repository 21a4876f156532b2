"""Cards answered by reaction: as docs/permissions.md says, and judged at that moment."""

from collections.abc import Callable

import pytest

from tests.plugin.rights.document import ACTORS, CARDS, REFUSALS, VERSIONS, allows
from tests.plugin.rights.ground import Grounds, Trial
from tests.plugin.rights.tries import After

ANSWERS: dict[str, tuple[str, str, Callable[[After], bool]]] = {
    "somebody asks to join the community": (
        "knock_space",
        "✅",
        lambda after: after.membership("knocker") == "invite",
    ),
    "somebody asks to join a group": (
        "knock_group",
        "✅",
        lambda after: after.membership("asker", "Madrid") == "invite",
    ),
    "a suggested group": ("idea of asker", "✅", lambda after: after.group("Idea of asker") is not None),
    "a room to be adopted": ("adoption", "✅", lambda after: after.group("Chess") is not None),
    "the community's space to be upgraded": (
        "upgrade",
        "❌",
        lambda after: "keeps its space" in after.said,
    ),
    "many people to be removed": ("remove", "✅", lambda after: after.membership("crowd0") == "leave"),
    "many people to be banned": ("ban", "✅", lambda after: after.membership("crowd0") == "ban"),
    "people whom ban lists name": ("listed", "✅", lambda after: after.membership("crowd0") == "ban"),
    "a reported message": ("report", "🗑", lambda after: not after.written()),
}
"""By the row of the table: which card, the emoji, and what is so when it was carried out."""


def test_every_card_of_the_table_is_tried() -> None:
    assert list(ANSWERS) == list(CARDS)


async def refused(trial: Trial, name: str, card: str, emoji: str, words: tuple[str, ...] = REFUSALS) -> str:
    """Somebody reacts who may not; gives what is wrong with what came of it, "" where nothing is."""
    before, kept = trial.state(), trial.kept()
    trial.stage.forget()
    said = await trial.react(name, card, emoji)
    written = [each.port for each in trial.stage.server.faults.requests if each.writes]
    if not any(each in said for each in words):
        return f"it says: {said}"
    untouched = trial.state() == before and trial.kept() == kept and written == ["send_message"]
    return "" if untouched else "something has changed"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ACTORS)
async def test_a_card_is_answered_by_whom_the_table_says_and_nobody_else(
    grounds: Grounds, version: str, name: str
) -> None:
    for row, (card, emoji, done) in ANSWERS.items():
        async with grounds.trial(version) as trial:
            if not allows(CARDS[row], name):
                assert await refused(trial, name, card, emoji) == "", row
                assert await trial.decided(card) == "", row
            else:
                said = await trial.react(name, card, emoji)
                after = After(trial, name, said, await trial.stage.community())
                assert await trial.decided(card) not in {"", "lapsed"}, (row, said)
                assert done(after), (row, said)


@pytest.mark.parametrize("name", ACTORS)
async def test_a_transfer_is_accepted_by_nobody_but_the_one_it_is_offered_to(
    grounds: Grounds, name: str
) -> None:
    async with grounds.trial("12") as trial:
        assert await refused(trial, name, "transfer", "✅", ("can accept that",)) == ""
        await trial.react("second", "transfer", "✅")
        assert (await trial.stage.community()).owner == trial.stage.user("second")


@pytest.mark.parametrize("row", ANSWERS)
async def test_an_admin_who_was_one_until_a_moment_ago_answers_nothing(grounds: Grounds, row: str) -> None:
    card, emoji, _ = ANSWERS[row]
    async with grounds.trial("12") as trial:
        await trial.level_by_hand("admin", 0)
        assert await refused(trial, "admin", card, emoji) == ""
        assert await trial.decided(card) == ""
