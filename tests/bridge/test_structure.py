"""A whole community linked to a whole community: proof, names, groups that come and go, on both sides, also over death."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haven.ids import RemoteUserId, RoomVersion
from haven.ports import NewRoom
from haven.wishes import Wish
from tests.bridge.lives import BOT
from tests.bridge.parish import SAM, Parish
from tests.fakes.homeserver_room import Event


@pytest.fixture
async def parish(tmp_path: Path) -> AsyncIterator[Parish]:
    parish = Parish(tmp_path)
    await parish.begin("Madrid", "Brno")
    yield parish
    await parish.lives.end()


async def test_it_is_proven_by_an_admin_of_the_community_there(parish: Parish) -> None:
    await parish.land.add(parish.chat, "Madrid")
    await parish.ask()
    await parish.lives.until(lambda: parish.status().get("state") == "proof")
    code = str(parish.status()["code"])
    await parish.lives.town.join(parish.news, "mallory")
    await parish.lives.town.speak(parish.news, RemoteUserId("mallory"), code)
    await parish.lives.town.heard(parish.news, 1)
    assert parish.status()["state"] == "proof"
    assert not _links(parish)
    await parish.lives.town.speak(parish.news, SAM, code)
    await parish.lives.until(lambda: parish.status().get("state") == "linked")


def _links(parish: Parish) -> list[Event]:
    timelines = [parish.lives.homeserver.rooms[room].timeline for room in parish.rooms.values()]
    return [event for each in timelines for event in each if event.type == "chat.haven.link"]


async def test_groups_of_both_sides_meet_and_those_that_only_we_have_are_added_there(parish: Parish) -> None:
    await parish.land.add(parish.chat, "MADRID")
    await parish.link()
    await parish.lives.until(
        lambda: parish.linked("News", "Fathers news") and parish.linked("Hall", "General")
    )
    await parish.lives.until(lambda: parish.linked("Madrid", "MADRID") and parish.linked("Brno", "Brno"))
    assert parish.land.names(parish.chat) == {"Fathers news", "General", "MADRID", "Brno"}
    assert parish.name("Madrid") == "Madrid"
    assert parish.asked() == {}


async def test_people_hear_each_other_in_every_group(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Brno", "Brno"))
    brno = parish.land.named(parish.chat, "Brno")
    await parish.lives.town.join(brno, "eva")
    await parish.lives.town.speak(brno, RemoteUserId("eva"), "ahoj")
    timeline = parish.lives.homeserver.rooms[parish.rooms["Brno"]]
    await parish.lives.until(lambda: any(each.content.get("body") == "ahoj" for each in timeline.timeline))
    await parish.lives.alice.send_message(
        parish.rooms["Brno"], "m.room.message", {"msgtype": "m.text", "body": "hello"}, "hello"
    )
    assert "<Alice> hello" in await parish.lives.town.heard(brno, 1)


async def test_a_group_that_comes_there_is_asked_for_here_and_linked_when_it_is_made(parish: Parish) -> None:
    await parish.link()
    await parish.until_named("Madrid", "Brno")
    praga = await parish.land.add(parish.chat, "Praga", "For those in Praga")
    await parish.lives.until(lambda: bool(parish.asked()))
    (asked,) = parish.asked().values()
    assert (asked.wish, asked.chat, asked.name) == (Wish.GROUP, praga, "Praga")
    await parish.add("Praga")
    await parish.lives.until(lambda: parish.linked("Praga", "Praga") and parish.asked() == {})


async def test_a_group_is_known_again_though_it_was_renamed_before_it_was_made(parish: Parish) -> None:
    await parish.link()
    await parish.until_named("Madrid", "Brno")
    praga = await parish.land.add(parish.chat, "Praga")
    await parish.lives.until(lambda: bool(parish.asked()))
    (key,) = parish.asked()
    await parish.land.restyle(praga, name="Praha")
    await parish.lives.until(lambda: [asked.name for asked in parish.asked().values()] == ["Praha"])
    assert list(parish.asked()) == [key]
    await parish.add("Praga", wish=key)
    await parish.lives.until(lambda: parish.linked("Praga", "Praha") and parish.asked() == {})
    assert parish.land.names(parish.chat) == {"Fathers news", "General", "Madrid", "Brno", "Praha"}


async def test_a_group_that_comes_here_is_added_there_once(parish: Parish) -> None:
    await parish.link()
    await parish.until_named("Madrid", "Brno")
    await parish.add("Lisboa")
    await parish.until_named("Madrid", "Brno", "Lisboa")
    await parish.lives.until(lambda: parish.linked("Lisboa"))
    assert parish.land.founded == 3


async def test_names_follow_whoever_changed_them(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid") and parish.linked("Brno"))
    await parish.land.restyle(parish.land.named(parish.chat, "Madrid"), name="Madrid centro")
    await parish.lives.until(lambda: parish.name("Madrid") == "Madrid centro")
    await parish.lives.alice.send_state(parish.rooms["Brno"], "m.room.name", "", {"name": "Brno město"})
    await parish.until_named("Madrid centro", "Brno město")
    await parish.land.restyle(parish.chat, name="Dads", topic="Everybody")
    space = parish.lives.homeserver.rooms[parish.space]
    await parish.lives.until(lambda: space.content("m.room.topic").get("topic") == "Everybody")
    assert space.content("m.room.name") == {"name": "Dads"}


async def test_where_both_changed_nobody_is_overwritten_and_the_admins_are_told_once(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid"))
    await parish.lives.die()
    await parish.lives.alice.send_state(parish.rooms["Madrid"], "m.room.name", "", {"name": "Ours"})
    chat = parish.land.named(parish.chat, "Madrid")
    await parish.land.restyle(chat, name="Theirs")
    for _ in range(2):
        await parish.lives.live()
        await parish.lives.until(lambda: any("two names" in told for told in parish.told()))
    assert (parish.name("Madrid"), parish.land.look(chat).name) == ("Ours", "Theirs")
    assert sum("two names" in told for told in parish.told()) == 1
    await parish.land.restyle(chat, name="Ours")
    while '["Ours", "Ours"]' not in await parish.kept():  # noqa: ASYNC110  # it is the store that changes
        await asyncio.sleep(0.01)
    await parish.land.restyle(chat, name="Ours at last")
    await parish.lives.until(lambda: parish.name("Madrid") == "Ours at last")


async def test_what_we_let_go_is_let_go_there(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid"))
    chat = parish.land.named(parish.chat, "Madrid")
    await parish.archive("Madrid")
    await parish.until_named("Brno")
    room = parish.rooms["Madrid"]
    await parish.lives.until(lambda: parish.status(room, chat).get("state") == "unlinked")
    assert parish.status(room, chat)["state"] == "unlinked"


async def test_what_is_let_go_there_is_to_be_archived_here(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid"))
    chat = parish.land.named(parish.chat, "Madrid")
    await parish.land.release(parish.chat, chat)
    await parish.lives.until(lambda: bool(parish.asked()))
    (asked,) = parish.asked().values()
    assert (asked.wish, asked.room, asked.name) == (Wish.ARCHIVE, parish.rooms["Madrid"], "Madrid")
    await parish.archive("Madrid")
    await parish.lives.until(lambda: parish.asked() == {})
    assert parish.land.names(parish.chat) == {"Fathers news", "General", "Brno"}


async def test_a_network_that_suddenly_shows_nothing_changes_nothing(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid") and parish.linked("Brno"))
    parish.land.parishes[parish.chat].forgetful = True
    await parish.land.restyle(parish.chat, name="Dads")
    await parish.lives.until(lambda: any("suddenly shows nothing" in told for told in parish.told()))
    assert parish.asked() == {}
    assert parish.linked("Madrid")
    parish.land.parishes[parish.chat].forgetful = False
    await parish.land.restyle(parish.chat, topic="Again")
    space = parish.lives.homeserver.rooms[parish.space]
    await parish.lives.until(lambda: space.content("m.room.name") == {"name": "Dads"})
    parish.land.parishes[parish.chat].forgetful = True
    await parish.land.restyle(parish.chat, name="Papás")
    await parish.lives.until(lambda: len([t for t in parish.told() if "suddenly shows nothing" in t]) == 2)


async def test_too_many_are_not_let_go_at_once(parish: Parish) -> None:
    for name in ("Praga", "Lisboa"):
        await parish.add(name)
    await parish.link()
    await parish.lives.until(
        lambda: all(parish.linked(name) for name in ("Praga", "Lisboa", "Madrid", "Brno"))
    )
    groups = parish.land.parishes[parish.chat].groups
    for name in ("Praga", "Lisboa", "Madrid"):
        groups.pop(parish.land.named(parish.chat, name))
    await parish.land.release(parish.chat, parish.land.named(parish.chat, "Brno"))
    await parish.lives.until(lambda: any("looks like a mistake" in told for told in parish.told()))
    assert parish.asked() == {}


async def test_a_room_that_the_bridge_is_put_out_of_is_not_let_go(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid"))
    await parish.lives.alice.kick(parish.rooms["Madrid"], BOT)
    await parish.land.restyle(parish.chat, name="Dads")
    space = parish.lives.homeserver.rooms[parish.space]
    await parish.lives.until(lambda: space.content("m.room.name") == {"name": "Dads"})
    assert "Madrid" in parish.land.names(parish.chat)
    assert parish.land.founded == 2


async def test_hidden_groups_are_nobody_s_business_there(parish: Parish) -> None:
    await parish.add("Quiet", visibility="hidden")
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid") and parish.linked("Brno"))
    assert parish.land.names(parish.chat) == {"Fathers news", "General", "Madrid", "Brno"}


async def test_who_asks_there_is_let_in_or_not_by_our_admins(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid"))
    madrid = parish.land.named(parish.chat, "Madrid")
    await parish.land.apply(parish.chat, "eva", madrid)
    await parish.land.apply(parish.chat, "adam", group="Praga")
    await parish.lives.until(lambda: len(parish.asked()) == 2)
    by_wish = {asked.wish: (key, asked) for key, asked in parish.asked().items()}
    key, joining = by_wish[Wish.JOIN]
    assert (joining.name, joining.room, joining.chat) == ("eva", parish.rooms["Madrid"], madrid)
    await parish.answer(key, yes=True)
    await parish.lives.until(lambda: "eva" in parish.lives.town.chat(madrid).people)
    key, suggested = by_wish[Wish.SUGGESTION]
    assert (suggested.name, suggested.who) == ("Praga", "adam")
    await parish.answer(key, yes=False)
    await parish.lives.until(lambda: parish.asked() == {})
    assert "Praga" not in parish.land.names(parish.chat)


async def test_what_is_answered_or_taken_back_there_is_asked_no_more(parish: Parish) -> None:
    await parish.link()
    one = await parish.land.apply(parish.chat, "eva", parish.news)
    await parish.lives.until(lambda: len(parish.asked()) == 1)
    await parish.land.withdraw(parish.chat, one)
    await parish.lives.until(lambda: parish.asked() == {})
    assert parish.linked("Madrid")


async def test_unlinking_the_whole_ends_the_links_of_its_groups(parish: Parish) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid") and parish.linked("News", "Fathers news"))
    await parish.land.apply(parish.chat, "eva", parish.news)
    await parish.lives.until(lambda: len(parish.asked()) == 1)
    madrid = parish.land.named(parish.chat, "Madrid")
    await parish.lives.alice.send_state(parish.space, "chat.haven.link", f"memory:{parish.chat}", {})
    await parish.lives.until(lambda: parish.status().get("state") == "unlinked")
    room = parish.rooms["Madrid"]
    await parish.lives.until(lambda: parish.status(room, madrid).get("state") == "unlinked")
    assert parish.asked() == {}
    assert parish.land.names(parish.chat) == {"Fathers news", "General", "Madrid", "Brno"}


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
async def test_killed_anywhere_it_ends_with_one_group_of_each_name(
    parish: Parish, *, after_effect: bool
) -> None:
    await parish.land.add(parish.chat, "Praga")
    await parish.link()
    lives = parish.lives
    for at in range(1, 40, 4):
        lives.fate.at, lives.fate.after_effect = lives.fate.steps + at, after_effect
        await lives.until(lambda: lives.dead or (parish.linked("Brno", "Brno") and bool(parish.asked())))
        await lives.live()
    await lives.until(lambda: all(parish.linked(name, name) for name in ("Madrid", "Brno")))
    assert sorted(parish.land.looks[chat].name for chat in parish.land.parishes[parish.chat].groups) == [
        "Brno",
        "Fathers news",
        "General",
        "Madrid",
        "Praga",
    ]
    assert [asked.name for asked in parish.asked().values()] == ["Praga"]


async def test_whoever_asks_for_the_same_community_from_elsewhere_and_lets_go_ends_nothing_of_ours(
    parish: Parish,
) -> None:
    await parish.link()
    await parish.lives.until(lambda: parish.linked("Madrid", "Madrid"))
    mallory = parish.lives.homeserver.person("mallory")
    levels = {"users": {BOT: 90}, "state_default": 90}
    room = await mallory.create_room(
        NewRoom("M", RoomVersion("12"), "", {"type": "m.space"}, (), levels, (BOT,))
    )
    wanted = {"version": 1, "network": "memory", "chat": parish.chat, "by": mallory.user, "whole": True}
    key = f"memory:{parish.chat}"
    await mallory.send_state(room, "chat.haven.link", key, {**wanted, "proven": False})
    await parish.lives.until(lambda: parish.status(room).get("state") == "proof")
    await mallory.send_state(room, "chat.haven.link", key, {})
    await parish.lives.until(lambda: parish.status(room).get("state") == "unlinked")
    assert all(event.content for event in _links(parish))
    assert parish.linked("Madrid", "Madrid")
