"""`settings`."""

import pytest

from haven.model import Replies
from tests.plugin.commands.stage import Stage, text_of


async def test_all_settings_are_shown_with_what_they_mean(stage: Stage) -> None:
    said = await stage.answer("member", "!c settings")
    for expected in ("`replies`: off", "`group_limit`: 100", "who may add groups", "`name`: Fathers"):
        assert expected in said


async def test_one_setting_is_explained_with_its_choices(stage: Stage) -> None:
    said = await stage.answer("member", "!c settings replies")
    assert all(f"`{choice}`" in said for choice in Replies)
    assert "`cs`: Czech" in await stage.answer("member", "!c settings language")


async def test_a_setting_is_changed_and_the_rooms_follow(stage: Stage) -> None:
    assert "`replies` is now open" in await stage.answer("admin", "!c settings replies open")
    levels = stage.server.rooms[await stage.room("announcements")].content("m.room.power_levels")
    events = levels["events"]
    assert isinstance(events, dict)
    assert events["m.room.message"] == 0
    stage.forget()
    assert "was open already" in await stage.answer("admin", "!c settings replies open")
    assert stage.written() == []


async def test_the_answer_to_another_language_is_in_that_language(stage: Stage) -> None:
    assert "Hecho" in await stage.answer("admin", "!c settings language es")
    assert "Titular" in await stage.answer("member", "!c show")
    assert "Hotovo" in await stage.answer("admin", "!c settings language CS")
    assert "Vlastník" in await stage.answer("member", "!c show")


async def test_name_and_description_of_the_community_itself(stage: Stage) -> None:
    await stage.say("admin", '!c settings name "Padres unidos"')
    await stage.say("admin", "!c settings description Un lugar\nseguro")
    community = await stage.community()
    assert (community.name, community.description) == ("Padres unidos", "Un lugar\nseguro")
    await stage.say("admin", '!c settings description ""')
    assert (await stage.community()).description == ""


REFUSED = [
    ("admin", "settings xyzzy", "no setting “xyzzy”"),
    ("admin", "settings xyzzy 3", "no setting “xyzzy”"),
    ("admin", "settings replies perhaps", "It can be: off, threads, open"),
    ("admin", "settings language tlh", "It can be: cs, en, es"),
    ("admin", "settings group_limit many", "can be from 1 to 1000"),
    ("admin", "settings group_limit 0", "from 1 to 1000"),
    ("admin", "settings admin_limit 1001", "from 1 to 1000"),
    ("admin", 'settings name ""', "cannot be empty"),
    ("admin", "settings name " + "x" * 101, "101 characters"),
    ("admin", "settings name a\nb", "control characters"),
    ("admin", "settings description " + "x" * 2_049, "2049 characters"),
    ("admin", "settings description a\x07b", "control characters"),
    ("moderator", "settings replies open", "cannot do that as `moderator`"),
    ("member", "settings replies open", "cannot do that as `member`"),
    ("stranger", "settings", "Only members"),
    ("stranger", "settings replies open", "Only members"),
]


@pytest.mark.parametrize(("name", "command", "words"), REFUSED, ids=lambda value: str(value)[:40])
async def test_refusals_say_why_and_write_nothing(stage: Stage, name: str, command: str, words: str) -> None:
    stage.forget()
    assert words in await stage.answer(name, f"!c {command}")
    assert stage.written() == []


async def test_hyphens_do_as_well(stage: Stage) -> None:
    assert "is now 5" in text_of(await stage.say("owner", "!c settings Group-Limit 5"))


@pytest.mark.parametrize("value", ["abc", "0", "1001", "-5"])
async def test_a_number_is_told_by_its_range(stage: Stage, value: str) -> None:
    said = await stage.answer("owner", f"!c settings group_limit {value}")
    assert "`group_limit` can be from 1 to 1000." in said
    assert (await stage.community()).settings.group_limit == 100
