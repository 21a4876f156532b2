"""`group add`, `group list`, and who may know of hidden groups."""

import re

import pytest

from haven.model import Kind, Visibility
from tests.plugin.commands.stage import Stage, contents_of, text_of


async def test_a_group_is_added_and_told_in_one_message(stage: Stage) -> None:
    general = await stage.room("general")
    said = await stage.say(
        "admin", "!c group add Café y té --visibility request --topic Para charlar --suggested"
    )
    group = next(g for g in (await stage.community()).groups if g.name == "Café y té")
    assert (group.kind, group.visibility, group.topic) == (Kind.GROUP, Visibility.REQUEST, "Para charlar")
    assert group.suggested
    assert len(contents_of([event for event in said if event.room == general])) == 1
    assert f"https://matrix.to/#/{group.room}" in text_of(said)


async def test_the_same_command_delivered_twice_adds_one_group(stage: Stage) -> None:
    incoming = await stage.incoming("admin", "!c group add Praga", await stage.room("general"))
    for _ in range(2):
        await stage.dispatcher.handle(incoming)
        await stage.engine.jobs.idle()
    assert [g.name for g in (await stage.community()).groups].count("Praga") == 1


async def test_a_taken_name_is_refused(stage: Stage) -> None:
    stage.forget()
    assert "already a room called" in await stage.answer("admin", "!c group add madrid")
    assert stage.written() == []


async def test_members_add_groups_where_the_community_lets_them(stage: Stage) -> None:
    await stage.say("owner", "!c settings who_adds_groups everyone")
    await stage.say("member", "!c group add Praga")
    assert "Praga" in {group.name for group in (await stage.community()).groups}


async def test_no_more_groups_than_the_community_may_have(stage: Stage) -> None:
    await stage.say("owner", "!c settings group_limit 3")
    stage.forget()
    assert "has 3 groups" in await stage.answer("owner", "!c group add Praga")
    assert stage.written() == []


async def test_the_list_names_hidden_groups_to_admins_only_and_where_only_they_read_it(stage: Stage) -> None:
    assert "Quiet" not in await stage.answer("member", "!c group list")
    assert "Quiet" not in await stage.answer("moderator", "!c group list", "admins")
    said = await stage.say("admin", "!c group list")
    here = [event for event in said if event.room == await stage.room("general")]
    there = [event for event in said if event.room == await stage.room("admins")]
    assert "Quiet" not in text_of(here)
    assert "admins' room" in text_of(here)
    assert "Quiet" in text_of(there)


async def test_who_is_in_a_hidden_group_hears_of_it_where_nobody_else_does(stage: Stage) -> None:
    quiet = await stage.room("Quiet")
    await stage.person("bot").invite(quiet, stage.user("member"))
    await stage.person("member").join(quiet)
    assert "Quiet" not in await stage.answer("member", "!c group list")
    assert "Quiet" in await stage.answer("member", "!c group list", quiet)
    assert "Quiet" in await stage.answer("member", "!c group list", await stage.direct("member"))
    assert "Quiet" not in await stage.answer("greeter", "!c group list", await stage.direct("greeter"))


@pytest.mark.parametrize("name", ["member", "moderator", "announcer"])
@pytest.mark.parametrize(
    "command",
    ["show", "group list", "roles", "bridge status", "help", "role remove @x:y.z group-admin --group Quiet"],
)
async def test_a_hidden_group_is_never_named_to_who_is_not_in_it(
    stage: Stage, name: str, command: str
) -> None:
    await stage.say("admin", "!c role add @member:haven.test group-admin --group Quiet", "admins")
    await stage.say("admin", "!c bridge link irc #quiet --group Quiet", "admins")
    for place in ("general", await stage.direct(name)):
        said = await stage.answer(name, f"!c {command}", place)
        assert "Quiet”" in said if "--group Quiet" in command else "Quiet" not in said
        if "--group Quiet" in command:
            assert "no group" in said.lower()


@pytest.mark.parametrize(
    "command",
    [
        "mute @member:haven.test --group {room}",
        "role add @member:haven.test group-admin --group {room}",
        "bridge link irc #quiet --group {room}",
        "group add Silent --visibility hidden",
    ],
)
async def test_what_is_done_in_a_hidden_group_is_answered_where_it_may_be_known(
    stage: Stage, command: str
) -> None:
    general, admins = await stage.room("general"), await stage.room("admins")
    said = await stage.say("admin", f"!c {command.format(room=await stage.room('Quiet'))}", general)
    here = text_of([event for event in said if event.room == general])
    there = text_of([event for event in said if event.room == admins])
    assert "admins' room" in here
    assert not {"Quiet", "Silent"} & set(re.split(r"\W+", here))
    assert {"Quiet", "Silent"} & set(re.split(r"\W+", there))


async def test_a_group_is_found_by_alias_id_name_and_kind(stage: Stage) -> None:
    madrid = await stage.room("Madrid")
    await stage.person("owner").send_state(
        madrid,
        "m.room.canonical_alias",
        "",
        {"alias": "#madrid:haven.test", "alt_aliases": ["#m:haven.test"]},
    )
    for word in ("madrid", madrid, "#madrid:haven.test", "#m:haven.test", f"https://matrix.to/#/{madrid}"):
        said = await stage.answer("admin", f"!c role add @member:haven.test group-admin --group {word}")
        assert "Done" in said or "already" in said
    said = await stage.answer("admin", "!c role add @member:haven.test group-admin --group general")
    assert "Nobody can be `group-admin` in “General chat”" in said


async def test_an_unclear_name_lists_the_candidates(stage: Stage) -> None:
    twin = await stage.room("Brno")
    await stage.person("bot").send_state(twin, "m.room.name", "", {"name": "madrid"})
    said = await stage.answer("admin", "!c role add @member:haven.test group-admin --group Madrid")
    assert twin in said
    assert await stage.room("Madrid") in said
