"""Invite codes: told once, counted once for each person, and of no use to those who guess."""

import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haven.ids import RoomId
from plugin.durations import DAY, MINUTE
from plugin.entrance.invite import LENGTH, LETTERS, code_in, digest, new_code, without_codes
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import text_of
from tests.plugin.entrance.lives import Life, living


@pytest.fixture
async def life(server: FakeHomeserver, store: Store) -> AsyncIterator[Life]:
    """A community that one asks to join, and its bot."""
    async with living(server, store) as made:
        yield made


async def made(life: Life, options: str = "", name: str = "greeter") -> str:
    """The code of a new invite."""
    said = await life.stage.answer(name, f"!c invite create {options}", await life.stage.room("admins"))
    code = code_in(said)
    assert code, said
    return code


async def joins(life: Life, name: str, code: str, chat: RoomId | None = None) -> str:
    """What the bot answers to somebody who gives a code in a direct chat."""
    where = chat or await life.stage.direct(name)
    events = await life.stage.say(name, f"!c join {code}", where)
    return text_of([event for event in events if event.room == where])


def test_codes_are_random_and_long_enough() -> None:
    codes = {new_code() for _ in range(1_000)}
    assert len(codes) == 1_000
    assert len(LETTERS) == len(set(LETTERS)) == 32
    assert LENGTH * 5 >= 128
    assert set("".join(codes)) == set(LETTERS)


def test_a_code_is_found_in_text_and_taken_out_of_it() -> None:
    code = new_code()
    assert code_in(f"Hello, I am Ana ({code}).") == code
    assert code_in("Hello, I am a father of two and would like to come") == ""
    assert code not in without_codes(f"x {code} y")
    assert digest(code.upper()) == digest(code)


async def test_a_code_in_a_direct_chat_lets_in_at_once(life: Life) -> None:
    code = await made(life, "--name Friends")
    assert "I have invited you to Fathers" in await joins(life, "zoe", code)
    assert life.membership("zoe") == "invite"
    await life.stage.person("zoe").join(life.space)
    assert "in Fathers" in await joins(life, "zoe", code)
    listed = await life.stage.answer("moderator", "!c invite list", await life.stage.room("admins"))
    assert "Friends" in listed
    assert "one person came by it, one of them is here now" in listed
    assert code not in listed


async def test_a_code_as_the_reason_of_a_knock_lets_in_at_once(life: Life) -> None:
    code = await made(life)
    await life.knock("zoe", reason=f"Ana gave me this: {code.upper()}")
    await life.until(lambda: life.membership("zoe") == "invite", "she is invited")
    assert "@zoe" not in "\n".join(life.said(await life.stage.room("admins")))


async def test_a_code_is_told_to_the_staff_only_and_kept_nowhere(life: Life, own_data: Path) -> None:
    general, admins = await life.stage.room("general"), await life.stage.room("admins")
    await life.stage.say("greeter", "!c invite create --name Quiet", general)
    code = code_in(await life.told(admins, "Its code"))
    assert code not in "\n".join(life.said(general))
    await joins(life, "zoe", code)
    with sqlite3.connect(f"file:{own_data}/haven.db?mode=ro", uri=True) as database:
        assert code not in "\n".join(database.iterdump())


async def test_a_code_said_where_others_read_is_not_taken(life: Life) -> None:
    code = await made(life)
    general = await life.stage.room("general")
    assert "in a direct chat" in await life.stage.answer("member", f"!c join {code}", general)


async def test_an_invite_with_approval_asks_the_admins_naming_it(life: Life) -> None:
    code = await made(life, "--name Parish --approval")
    chat = await life.stage.direct("zoe")
    assert "I have asked the admins" in await joins(life, "zoe", code, chat)
    card = await life.card("They come by the invite “Parish”")
    assert life.membership("zoe") == ""
    await life.react("greeter", card, "✅")
    await life.told(chat, "I have invited you to Fathers")
    assert life.membership("zoe") == "invite"
    await life.knock("yan", reason=code)
    await life.until_open(1)
    await life.stage.say("greeter", "!c reject @yan:haven.test", await life.stage.room("admins"))
    assert life.membership("yan") == "leave"
    listed = await life.stage.answer("moderator", "!c invite list", await life.stage.room("admins"))
    assert "one person came by it" in listed


async def test_what_a_community_asks_for_holds_for_every_code(life: Life) -> None:
    code = await made(life)
    await life.setting("codes", "approval")
    assert "I have asked the admins" in await joins(life, "zoe", code)


async def test_one_person_counts_once_and_then_it_is_used_up(life: Life) -> None:
    code = await made(life, "--uses 2")
    for name in ("zoe", "zoe", "yan", "zoe"):
        assert "invit" in await joins(life, name, code)
    assert "used as often as it could be" in await joins(life, "xen", code)
    await life.knock("wim", reason=code)
    await life.until(lambda: life.membership("wim") == "leave", "he is turned away")
    assert "used as often as it could be" in await life.member_reason("wim")


async def test_members_use_up_nothing(life: Life) -> None:
    code = await made(life, "--uses 1")
    assert "You are in Fathers" in await joins(life, "member", code)
    assert "I have invited you" in await joins(life, "zoe", code)


async def test_codes_end_by_time_by_word_and_all_at_once(life: Life) -> None:
    admins = await life.stage.room("admins")
    timed, named, other = await made(life, "--expires 7d"), await made(life, "--name One"), await made(life)
    life.ahead = 7 * DAY
    assert "has expired" in await joins(life, "zoe", timed)
    assert "opens nothing" in await life.stage.answer("greeter", "!c invite revoke one", admins)
    assert "has been withdrawn" in await joins(life, "zoe", named)
    assert "One invite opens nothing" in await life.stage.answer("greeter", "!c invite reset", admins)
    assert "has been withdrawn" in await joins(life, "zoe", other)
    assert life.membership("zoe") == ""


async def test_nobody_tries_more_than_five_codes_a_minute(life: Life) -> None:
    good, chat = await made(life), await life.stage.direct("zoe")
    for _ in range(5):
        assert "I do not know that code" in await joins(life, "zoe", new_code(), chat)
    assert "too many tries" in await joins(life, "zoe", good, chat)
    assert "I have invited you" in await joins(life, "yan", good)
    life.ahead = MINUTE + 1
    assert "I have invited you" in await joins(life, "zoe", good, chat)


async def test_who_was_removed_or_turned_away_does_not_walk_in_by_a_code(life: Life) -> None:
    code, admins = await made(life), await life.stage.room("admins")
    await life.stage.person("moderator").kick(life.space, life.stage.user("member"))
    await life.stage.person("moderator").ban(life.space, life.stage.user("announcer"))
    await life.knock("zoe")
    await life.until_open(1)
    await life.stage.say("greeter", "!c reject @zoe:haven.test", admins)
    assert "does not let you in" in await joins(life, "announcer", code)
    for name in ("member", "zoe"):
        assert "I have asked the admins" in await joins(life, name, code)
    assert (life.membership("member"), life.membership("zoe")) == ("leave", "leave")


async def test_who_came_by_a_code_is_known_until_they_leave(life: Life) -> None:
    code = await made(life, "--name Fair")
    for name in ("zoe", "yan"):
        await joins(life, name, code)
        await life.stage.person(name).join(life.space)
    invites = life.stage.services.entrance.invites
    _, came = await invites.came_by(life.space, "fair")
    assert came == (life.stage.user("zoe"), life.stage.user("yan"))
    await life.stage.person("zoe").leave(life.space)
    await life.told("admins", "@zoe:haven.test left the community")
    invite, came = await invites.came_by(life.space, code)
    assert (invite.used, came) == (2, (life.stage.user("yan"),))


REFUSED = [
    ("invite create --uses 0", "from 1 to"),
    ("invite create --uses many", "from 1 to"),
    ("invite create --expires soon", "no span of time"),
    ("invite create --expires 0d", "no span of time"),
    ("invite create --expires 500d", "no span of time"),
    ("invite revoke nothing", "no such invite"),
]


@pytest.mark.parametrize(("command", "words"), REFUSED, ids=str)
async def test_refusals_say_why(life: Life, command: str, words: str) -> None:
    assert words in await life.stage.answer("greeter", f"!c {command}", await life.stage.room("admins"))


async def test_two_invites_have_two_names(life: Life) -> None:
    await made(life, "--name One")
    said = await life.stage.answer("greeter", "!c invite create --name ONE", await life.stage.room("admins"))
    assert re.search("already an invite called", said)
