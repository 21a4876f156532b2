"""`log`, and the deeds that commands and hands leave in it."""

import csv
import json
from io import StringIO

import pytest

from haven.ids import RoomId
from haven.model import Role
from plugin.by_hand import RolesByHand
from plugin.store_roles import RoleStore
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.stage import Stage, text_of

LINES = [
    ("role add @member:haven.test moderator", "@admin:haven.test made @member:haven.test moderator"),
    (
        "role remove @greeter:haven.test greeter",
        "@admin:haven.test took the role greeter from @greeter:haven.test",
    ),
    ("role add @member:haven.test announcer", "made @member:haven.test announcer in: Announcements"),
    (
        "role add @member:haven.test group-admin --group Quiet",
        "made @member:haven.test group-admin in: a hidden group",
    ),
    ("settings replies open", "@admin:haven.test set replies to “open”"),
    ("group add Praga", "@admin:haven.test added a group: Praga"),
    ("group add Secret --visibility hidden", "@admin:haven.test added a group: a hidden group"),
    ("repair --insist", "@admin:haven.test insisted on a repair; changes: 0"),
    ("bridge link irc #parents --group Madrid", "asked to link #parents on irc with: Madrid"),
]


@pytest.mark.parametrize(("command", "words"), LINES)
async def test_what_is_done_is_told_to_the_admins_and_kept(stage: Stage, command: str, words: str) -> None:
    admins = await stage.room("admins")
    said = await stage.say("admin", f"!c {command}")
    (told,) = [event for event in said if event.room == admins and words in text_of([event])]
    assert text_of([told]).endswith("(by command)")
    assert words in await stage.answer("moderator", "!c log --last 1", admins)


async def test_a_link_undone_is_kept(stage: Stage) -> None:
    await stage.say("admin", "!c bridge link irc #parents --group Madrid")
    await stage.say("owner", "!c bridge unlink irc")
    assert "@owner:haven.test asked to undo the link of #parents" in await stage.answer(
        "admin", "!c log", "admins"
    )


async def test_what_changes_nothing_is_no_deed(stage: Stage) -> None:
    admins = await stage.room("admins")
    for command in (
        "settings replies off",
        "role add @admin:haven.test admin",
        "plan",
        "repair",
    ):
        said = await stage.say("admin", f"!c {command}")
        assert [event for event in said if event.room == admins] == [], command
    assert "The last entry:" in await stage.answer("admin", "!c log", admins)


async def test_it_is_told_where_not_everybody_reads_along_and_in_the_language_of_the_community(
    stage: Stage,
) -> None:
    await stage.say("admin", "!c settings language es")
    said = await stage.say("admin", "!c log --last 2")
    admins = await stage.room("admins")
    (there,) = [event for event in said if event.room == admins]
    assert "@admin:haven.test cambió language a «es» (por comando)" in text_of([there])
    assert "fundó la comunidad" in text_of([there])
    assert "cambió" not in text_of([event for event in said if event.room != admins])


@pytest.mark.parametrize("number", ["0", "201", "-1", "x", "٣", "9" * 40])
async def test_how_many_is_a_number(stage: Stage, number: str) -> None:
    assert "number from 1 to 200" in await stage.answer("admin", f"!c log --last {number}", "admins")


async def test_the_same_command_twice_is_one_line(stage: Stage) -> None:
    incoming = await stage.incoming("admin", "!c group add Praga", await stage.room("general"))
    for _ in range(2):
        await stage.dispatcher.handle(incoming)
        await stage.engine.jobs.idle()
    said = await stage.answer("admin", "!c log", "admins")
    assert said.count("added a group: Praga") == 1


# --- roles changed by hand ----------------------------------------------------------------------------------


def hands(stage: Stage) -> RolesByHand:
    """What watches over roles, in a new life."""
    store = RoleStore(stage.engine.store._database)
    return RolesByHand(stage.engine.communities, store, stage.services.desk.audit)


async def look(stage: Stage) -> None:
    """What the watch does when rooms may have changed."""
    await stage.engine.rooms.observe()
    await stage.engine.watch.before([stage.space, await stage.room("general")])


async def come_back(stage: Stage) -> None:
    """The first look of another life."""
    await stage.engine.rooms.observe()
    await hands(stage).noticed([stage.space])


async def by_hand(stage: Stage, name: str, level: int, by: str = "owner") -> None:
    """Somebody sets the level of somebody in the space."""
    levels = stage.server.rooms[stage.space].content("m.room.power_levels")
    users = levels["users"]
    assert isinstance(users, dict)
    changed = {**users, stage.user(name): level}
    await stage.person(by).send_state(stage.space, "m.room.power_levels", "", {**levels, "users": changed})


async def log(stage: Stage) -> str:
    return await stage.answer("owner", "!c log", "admins")


async def test_a_role_given_and_taken_by_hand_is_kept_with_who_did_it(stage: Stage) -> None:
    await look(stage)
    await by_hand(stage, "member", 50)
    await look(stage)
    await look(stage)
    await by_hand(stage, "member", 0, by="admin")
    await look(stage)
    said = await log(stage)
    assert said.count("@owner:haven.test made @member:haven.test moderator (by hand)") == 1
    assert said.count("@admin:haven.test took the role moderator from @member:haven.test (by hand)") == 1


async def test_a_role_changed_by_hand_while_we_were_down_is_kept(stage: Stage) -> None:
    await look(stage)
    await stage.say("admin", "!c role add @member:haven.test moderator")
    stage.engine.watch.saw = lambda room, event: None
    await by_hand(stage, "admin", 0)
    await by_hand(stage, "greeter", 50)
    await come_back(stage)
    await come_back(stage)
    said = await log(stage)
    assert said.count("@owner:haven.test took the role admin from @admin:haven.test (by hand)") == 1
    assert said.count("@owner:haven.test made @greeter:haven.test moderator (by hand)") == 1
    assert said.count("by hand") == 2


async def test_a_role_changed_by_command_is_not_kept_twice(stage: Stage) -> None:
    await look(stage)
    await stage.say("owner", "!c role add @member:haven.test moderator")
    await look(stage)
    assert (await stage.community()).role_of(stage.user("member")) is Role.MODERATOR
    assert (await log(stage)).count("made @member:haven.test moderator") == 1
    assert "by hand" not in await log(stage)


async def test_a_command_before_it_is_not_taken_for_the_hand_s_deed(stage: Stage) -> None:
    await look(stage)
    await stage.say("admin", "!c role add @member:haven.test moderator")
    await by_hand(stage, "greeter", 0)
    await look(stage)
    said = await log(stage)
    assert "@owner:haven.test took the role greeter from @greeter:haven.test (by hand)" in said
    assert said.count("made @member:haven.test moderator") == 1
    assert said.count("by hand") == 1


async def test_hands_that_follow_each_other_fast_are_told_apart_also_when_the_keeper_is_faster(
    stage: Stage,
) -> None:
    await look(stage)
    await by_hand(stage, "member", 55)
    await by_hand(stage, "greeter", 50, by="admin")
    await stage.engine.communities.reconcile(stage.space)
    await look(stage)
    said = await log(stage)
    assert said.count("@owner:haven.test made @member:haven.test moderator (by hand)") == 1
    assert said.count("@admin:haven.test made @greeter:haven.test moderator (by hand)") == 1
    assert said.count("by hand") == 2


async def test_who_is_what_at_the_first_look_is_no_news(stage: Stage) -> None:
    await look(stage)
    assert "by hand" not in await log(stage)


async def test_a_level_between_two_roles_is_the_hand_s_deed_and_its_mending_nobody_s(stage: Stage) -> None:
    await look(stage)
    await by_hand(stage, "member", 55)
    await look(stage)
    await stage.engine.communities.reconcile(stage.space)
    assert stage.power(stage.space, "member") == 50
    await look(stage)
    assert (await log(stage)).count("by hand") == 1


async def test_the_watch_looks_before_the_keepers_do(stage: Stage) -> None:
    assert stage.engine.watch.before.__name__ == RolesByHand.noticed.__name__
    assert stage.engine.watch.saw.__name__ == RolesByHand.saw.__name__


# --- as a file ----------------------------------------------------------------------------------------------


async def exported(stage: Stage, words: str = "", by: str = "admin") -> tuple[RoomId, str]:
    """Where the file was handed over, and what stands in it."""
    said = await stage.say(by, f"!c log --export {words}", await stage.room("admins"))
    (event,) = [one for one in said if one.content.get("msgtype") == "m.file"]
    return event.room, stage.server.media[str(event.content["url"])].decode()


async def test_it_is_exported_as_a_table_the_oldest_first(stage: Stage) -> None:
    admins = await stage.room("admins")
    await stage.say("admin", "!c ban @stranger:haven.test spam, twice", admins)
    room, text = await exported(stage)
    assert room == admins
    first, second = csv.DictReader(StringIO(text))
    assert list(first) == ["at", "who", "what", "door", "said", "why"]
    assert (first["what"], first["who"]) == ("created", "'@owner:haven.test")
    assert (second["what"], second["door"], second["why"]) == ("person_ban", "command", "spam, twice")
    assert "@stranger:haven.test" in second["said"]
    assert second["at"].endswith("+00:00")


async def test_as_lines_for_programs_and_the_last_of_them(stage: Stage) -> None:
    for name in ("Praga", "Viena"):
        await stage.say("admin", f"!c group add {name}")
    _, text = await exported(stage, "--format jsonl --last 1")
    (row,) = [json.loads(each) for each in text.splitlines()]
    assert row["who"] == "@admin:haven.test"
    assert "Viena" in row["said"]


async def test_it_is_handed_over_in_the_admins_room_wherever_it_was_asked_for(stage: Stage) -> None:
    said = await stage.say("admin", "!c log --export")
    (event,) = [one for one in said if one.content.get("msgtype") == "m.file"]
    assert event.room == await stage.room("admins")
    general = await stage.room("general")
    assert "in the admins' room" in text_of([one for one in said if one.room == general])


async def test_no_hidden_group_is_named_in_it_and_a_formula_is_none(stage: Stage) -> None:
    await stage.say("owner", "!c group add Secret --visibility hidden")
    await stage.say("owner", "!c group add =HYPERLINK(1)")
    await stage.say("owner", "!c ban @stranger:haven.test =1+1")
    _, text = await exported(stage)
    assert "Secret" not in text
    rows = list(csv.DictReader(StringIO(text)))
    assert rows[-1]["why"] == "'=1+1"
    assert not any(cell[:1] in "=+-@" for row in rows for cell in row.values() if cell)


async def test_that_it_was_exported_is_a_deed(stage: Stage) -> None:
    await exported(stage, by="moderator")
    assert "@moderator:haven.test took the log as a file" in await stage.answer("admin", "!c log", "admins")


async def test_a_member_gets_no_file(stage: Stage) -> None:
    assert "cannot do that as `member`" in await stage.answer("member", "!c log --export")
    assert stage.server.media == {}


@pytest.mark.parametrize("words", ["--format xml", "--last x", "--export yes"])
async def test_an_export_that_is_not_understood_is_none(stage: Stage, words: str) -> None:
    await stage.say("admin", f"!c log --export {words}", "admins")
    assert stage.server.media == {}


@pytest.mark.parametrize("at", range(1, 6))
async def test_dying_over_an_export_it_is_handed_over_once(stage: Stage, at: int) -> None:
    incoming = await stage.incoming("admin", "!c log --export", await stage.room("admins"))
    stage.server.faults.kill(at=at, user=stage.bot, after_effect=at % 2 == 0)
    await survives(stage.dispatcher.handle(incoming))
    stage.server.faults.forgive()
    stage.services.homeserver._dead = False  # type: ignore[attr-defined]  # a new life of the same client
    await stage.dispatcher.handle(incoming)
    timeline = stage.server.rooms[await stage.room("admins")].timeline
    assert len([one for one in timeline if one.content.get("msgtype") == "m.file"]) == 1
