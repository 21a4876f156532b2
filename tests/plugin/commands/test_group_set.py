"""`group set`: everything that can be set for a group, by whom, and that nobody is locked out or learns of what is hidden."""

import pytest

from haven.errors import Refused
from haven.model import Visibility
from plugin.service.group_settings import between
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import Stage, staged, text_of


async def names(stage: Stage) -> list[str]:
    return [group.name for group in (await stage.community()).groups]


async def visible(stage: Stage, name: str) -> set[str]:
    """The rooms that somebody's client shows them in the space."""
    person = stage.person(name)
    rooms = await person.hierarchy(stage.space)
    return {group.name for group in (await stage.community()).groups if group.room in rooms}


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_visibility_is_switched_back_and_forth_and_nobody_loses_their_place(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, version) as stage:
        madrid = await stage.room("Madrid")
        room = stage.server.rooms[madrid]
        inside = room.members("join")
        for word in ("request", "hidden", "open", "hidden", "request", "open"):
            await stage.say("admin", f"!c group set Madrid visibility {word}")
            group = next(g for g in (await stage.community()).groups if g.room == madrid)
            assert group.visibility is Visibility(word)
            assert room.members("join") == inside
            assert (
                room.content("m.room.join_rules")["join_rule"]
                == {"open": "restricted", "request": "knock", "hidden": "invite"}[word]
            )


async def test_who_may_come_in_follows_the_visibility(stage: Stage) -> None:
    newcomer = stage.person("newcomer")
    await newcomer.join(stage.space)
    madrid = await stage.room("Madrid")
    await stage.say("admin", "!c group set Madrid visibility hidden")
    assert madrid not in await newcomer.hierarchy(stage.space)
    for rejected in (newcomer.join, newcomer.knock):
        with pytest.raises(Refused):
            await rejected(madrid)
    await stage.say("admin", "!c group set Madrid visibility request")
    assert madrid in await newcomer.hierarchy(stage.space)
    with pytest.raises(Refused):
        await newcomer.join(madrid)
    await newcomer.knock(madrid)
    await stage.say("admin", "!c group set Madrid visibility open")
    await newcomer.join(madrid)


async def test_who_hides_a_group_they_are_not_in_is_let_in(stage: Stage) -> None:
    brno = await stage.room("Brno")
    await stage.say("admin", "!c group set Brno visibility hidden")
    assert stage.server.rooms[brno].membership(stage.user("admin")) == "invite"


async def test_name_topic_and_suggestion(stage: Stage) -> None:
    madrid = await stage.room("Madrid")
    assert "`name` of Barajas" in await stage.answer("admin", '!c group set Madrid name "Barajas"')
    await stage.say("admin", "!c group set Barajas topic Todo sobre Barajas")
    await stage.say("admin", "!c group set Barajas suggested on")
    room = stage.server.rooms[madrid]
    assert room.content("m.room.name")["name"] == "Barajas"
    assert room.content("m.room.topic")["topic"] == "Todo sobre Barajas"
    assert stage.server.rooms[stage.space].content("m.space.child", madrid)["suggested"] is True
    await stage.say("admin", "!c group set Barajas suggested off")
    assert stage.server.rooms[stage.space].content("m.space.child", madrid)["suggested"] is False
    stage.forget()
    assert "was off already" in await stage.answer("admin", "!c group set Barajas suggested off")
    assert stage.written() == []
    assert "set name to “Barajas” for a group: Madrid" in await stage.answer("admin", "!c log", "admins")


async def test_the_order_is_changed_by_one_write(stage: Stage) -> None:
    assert await names(stage) == ["Announcements", "General chat", "Madrid", "Brno", "Admins", "Quiet"]
    await stage.say("admin", "!c group set Brno order 1")
    assert await names(stage) == ["Brno", "Announcements", "General chat", "Madrid", "Admins", "Quiet"]
    stage.forget()
    await stage.say("admin", "!c group set Madrid order 2")
    assert [request.about for request in stage.written()] == ["m.space.child"]
    assert await names(stage) == ["Brno", "Madrid", "Announcements", "General chat", "Admins", "Quiet"]
    await stage.say("admin", "!c group set Brno order 5")
    assert await names(stage) == ["Madrid", "Announcements", "General chat", "Admins", "Brno", "Quiet"]
    assert "is now 3" in await stage.answer("admin", "!c group set Brno order 3")
    assert "was 3 already" in await stage.answer("admin", "!c group set Brno order 3")


async def test_the_order_is_kept_however_often_it_is_changed(stage: Stage) -> None:
    for number in range(60):
        await stage.say("admin", f"!c group set Brno order {1 + number % 2}")
        await stage.say("admin", f"!c group set Madrid order {2 - number % 2}")
        assert (await names(stage))[:2] == (["Brno", "Madrid"] if number % 2 == 0 else ["Madrid", "Brno"])


def test_between_two_orders_is_another() -> None:
    assert "" < between("", "0000") < "0000"
    assert between("0001", "0001N") > "0001"
    assert between("a", "a") == ""
    assert between("a" * 50, "b") == ""


REFUSED = [
    ("admin", "Madrid name brno", "already a room called"),
    ("admin", "Madrid name “ ”", "cannot be empty"),
    ("admin", "Madrid visibility secret", "It can be: open, request, hidden"),
    ("admin", "Madrid suggested maybe", "It can be: on, off"),
    ("admin", "Madrid archived maybe", "It can be: on, off"),
    ("admin", "Madrid history all", "It can be: joined, shared"),
    ("admin", "Madrid retention 5m", "It can be: 24h, 7d, 90d, off"),
    ("admin", "Madrid encrypted off", "It can be: on, for-good"),
    ("admin", "general archived on", "follows from what the room is for"),
    ("admin", "Madrid order 0", "from 1 to 5"),
    ("admin", "Madrid order 6", "from 1 to 5"),
    ("admin", "Madrid order last", "from 1 to 5"),
    ("admin", "Madrid colour blue", "There are: name, topic, visibility"),
    ("admin", "Lisboa name Lisbon", "no group “Lisboa”"),
    ("admin", "general visibility hidden", "follows from what the room is for"),
    ("admin", "admins visibility open", "follows from what the room is for"),
    ("admin", "Quiet order 1", "stands in no list"),
    ("admin", "Quiet suggested on", "stands in no list"),
    ("groupadmin", "Madrid order 1", "cannot do that as"),
    ("groupadmin", "Madrid suggested on", "cannot do that as"),
    ("groupadmin", "Brno topic x", "cannot do that as"),
    ("member", "Madrid topic x", "cannot do that as"),
    ("groupadmin", "Quiet topic x", "no group “Quiet”"),
    ("moderator", "Quiet topic x", "cannot do that as"),
    ("stranger", "Madrid topic x", "Only members"),
]


@pytest.mark.parametrize(("name", "command", "words"), REFUSED, ids=str)
async def test_what_cannot_be_is_said_and_nothing_is_changed(
    stage: Stage, name: str, command: str, words: str
) -> None:
    stage.forget()
    assert words in await stage.answer(name, f"!c group set {command}")
    assert stage.written() == []


async def test_a_group_admin_sets_their_own_group(stage: Stage) -> None:
    assert "is now" in await stage.answer("groupadmin", "!c group set Madrid topic Somos de Madrid")
    assert "is now" in await stage.answer("groupadmin", "!c group set Madrid visibility request")


async def test_what_is_set_is_shown(stage: Stage) -> None:
    said = await stage.answer("admin", "!c group set Madrid")
    for expected in ("`visibility`: open", "`topic`: For those in Madrid", "`order`: 3", "`suggested`: off"):
        assert expected in said
    assert "group set GROUP visibility open|request|hidden" in await stage.answer(
        "admin", "!c group set Madrid visibility"
    )


async def test_what_is_said_of_a_hidden_group_is_said_where_it_may_be_known(stage: Stage) -> None:
    general = await stage.room("general")
    for command in ("Quiet topic shh", "Quiet", "Madrid visibility hidden"):
        said = await stage.say("admin", f"!c group set {command}", general)
        here = text_of([event for event in said if event.room == general])
        assert "admins' room" in here
        assert not {"Quiet", "Madrid", "shh"} & set(here.split())
    log = await stage.answer("moderator", "!c log", "admins")
    assert not any(word in log for word in ("Quiet", "Madrid", "shh"))


async def test_who_is_no_admin_is_answered_in_the_hidden_group_itself(stage: Stage) -> None:
    general, quiet = await stage.room("general"), await stage.room("Quiet")
    await stage.say("admin", "!c role add @groupadmin:haven.test group-admin --group Quiet", "admins")
    await stage.person("bot").invite(quiet, stage.user("groupadmin"))
    await stage.person("groupadmin").join(quiet)
    said = await stage.say("groupadmin", "!c group set Quiet topic shh", general)
    here, there = (text_of([event for event in said if event.room == room]) for room in (general, quiet))
    assert "in the room that it is about" in here
    assert not {"Quiet", "shh"} & set(here.split())
    assert "shh" in there
    assert {event.room for event in said} <= {general, quiet, await stage.room("admins")}


async def test_history_and_retention_are_what_the_room_says(stage: Stage) -> None:
    room = stage.server.rooms[await stage.room("Madrid")]
    assert "from now on" in await stage.answer("admin", "!c group set Madrid history shared")
    assert room.content("m.room.history_visibility") == {"history_visibility": "shared"}
    assert "homeserver" in await stage.answer("admin", "!c group set Madrid retention 7d")
    assert room.content("m.room.retention")["max_lifetime"] == 7 * 24 * 3_600_000
    assert "`retention`: 7d" in await stage.answer("admin", "!c group set Madrid")
    await stage.say("admin", "!c group set Madrid retention off")
    assert "`retention`: off" in await stage.answer("admin", "!c group set Madrid")
    await stage.say("admin", "!c group set Madrid history joined")
    assert room.content("m.room.history_visibility") == {"history_visibility": "joined"}


async def test_encryption_is_explained_and_then_there_for_good(stage: Stage) -> None:
    room = stage.server.rooms[await stage.room("Madrid")]
    stage.forget()
    said = await stage.answer("admin", "!c group set Madrid encrypted on", "admins")
    assert stage.written() == []
    assert "cannot be undone" in said
    command = said[said.index("!c group set") :].split("`")[0]
    assert "is now on" in await stage.answer("admin", command, "admins")
    assert room.content("m.room.encryption") != {}
    assert "was on already" in await stage.answer("admin", command, "admins")
    assert "It can be: on" in await stage.answer("admin", "!c group set Madrid encrypted off")
    assert "follows from" in await stage.answer("admin", "!c group set general encrypted for-good")


@pytest.mark.parametrize("setting", ["history shared", "retention 7d", "encrypted for-good"])
async def test_a_group_admin_does_not_set_what_takes_an_admin_by_hand(stage: Stage, setting: str) -> None:
    assert "cannot do that" in await stage.answer("groupadmin", f"!c group set Madrid {setting}")


async def test_a_hidden_group_is_not_given_away_by_its_name(stage: Stage) -> None:
    assert "is now Quiet" in await stage.answer("groupadmin", "!c group set Madrid name Quiet")


async def test_one_rule_for_names_an_admin_hears_of_hidden_groups_others_do_not(stage: Stage) -> None:
    assert "already a room called" in await stage.answer("admin", "!c group set Madrid name quiet")
    assert "is now" in await stage.answer("groupadmin", "!c group set Madrid name quiet")
