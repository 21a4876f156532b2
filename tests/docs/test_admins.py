"""The examples of docs/admins.md, tried out in order, and that no command is without one."""

from embedded.places import ROOT
from plugin.commands.table import TABLE
from plugin.store import Store
from tests.docs.player import Player
from tests.docs.script import Said, Words, script
from tests.docs.theatre import theatre

PAGE = ROOT / "docs" / "admins.md"


def shown_commands() -> set[str]:
    """The commands that somebody types in an example."""
    typed = [
        step.text.split() for step in script(PAGE) if isinstance(step, Said) and step.text.startswith("!c ")
    ]
    return {name for words in typed for name in (words[1], " ".join(words[1:3]))}


def test_every_command_has_an_example() -> None:
    assert {entry.command.name for entry in TABLE.entries} - shown_commands() == set()


async def test_the_examples_go_as_the_page_tells(store: Store) -> None:
    async with theatre(store) as stage:
        await Player(stage, Words({})).play(script(PAGE))
        assert stage.stage.server.faults.count("create_room", user=stage.stage.bot) > 5
