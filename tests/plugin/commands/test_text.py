"""`rules`, `welcome`: written down in the space, in every language, and shown to whom they concern."""

import pytest

from haven.errors import Missing
from tests.plugin.commands.stage import Stage

RULES = "Be kind.\nWhat is said here stays here. <b>Always</b>"


@pytest.mark.parametrize("command", ["rules", "welcome"])
async def test_a_text_is_written_down_and_shown(stage: Stage, command: str) -> None:
    assert "are written down yet" in await stage.answer("member", f"!c {command}")
    assert "Written down in English" in await stage.answer("admin", f"!c {command} {RULES}")
    assert RULES in await stage.answer("member", f"!c {command}")
    content = stage.server.rooms[stage.space].content(f"chat.haven.{command}", "en")
    assert content == {"version": 1, "text": RULES}


async def test_each_language_has_its_own(stage: Stage) -> None:
    await stage.say("admin", "!c rules Be kind.")
    assert "in Spanish" in await stage.answer("admin", "!c rules Sed amables. --language es")
    assert "Sed amables." in await stage.answer("member", "!c rules --language es")
    assert "Be kind." in await stage.answer("member", "!c rules")
    assert "Be kind." in await stage.answer("member", "!c rules --language cs")
    await stage.say("admin", "!c settings language es")
    assert "Sed amables." in await stage.answer("member", "!c rules")


async def test_rules_are_part_of_what_a_community_is(stage: Stage) -> None:
    await stage.say("admin", "!c rules Be kind.")
    assert "Rules: Be kind." in await stage.answer("member", "!c show")


async def test_a_text_can_be_taken_away(stage: Stage) -> None:
    await stage.say("admin", "!c rules Be kind.")
    assert "Taken away in English" in await stage.answer("admin", '!c rules ""')
    assert "No rules" in await stage.answer("member", "!c rules")


async def test_texts_survive_whatever_else_is_done(stage: Stage) -> None:
    await stage.say("admin", "!c rules Be kind.")
    await stage.say("owner", "!c settings name Padres")
    await stage.say("owner", "!c repair")
    assert "Be kind." in await stage.answer("member", "!c rules")


REFUSED = [
    ("moderator", "rules Be kind.", "cannot do that as `moderator`"),
    ("member", "welcome Hello", "cannot do that as `member`"),
    ("stranger", "rules", "Only members"),
    ("admin", "rules " + "x" * 2_049, "2049 characters"),
    ("admin", "rules a\x07b", "control characters"),
    ("admin", "rules Be kind. --language tlh", "It can be: en, es, cs"),
]


@pytest.mark.parametrize(("name", "command", "words"), REFUSED, ids=lambda value: str(value)[:40])
async def test_refusals_say_why_and_write_nothing(stage: Stage, name: str, command: str, words: str) -> None:
    stage.forget()
    assert words in await stage.answer(name, f"!c {command}")
    assert stage.written() == []


async def test_they_are_in_the_space_itself(stage: Stage) -> None:
    await stage.say("admin", "!c welcome Hello!")
    assert (await stage.person("member").state_content(stage.space, "chat.haven.welcome", "en"))[
        "text"
    ] == "Hello!"
    with pytest.raises(Missing):
        await stage.person("member").state_content(stage.space, "chat.haven.rules", "en")
