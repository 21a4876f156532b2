"""People on both sides of a link, between the fake homeserver and the memory network: roles, bans, removals, and who has gone."""

from pathlib import Path

import pytest

from bridge.networks.events import Person, Role
from embedded.waiting import eventually
from haven.ids import RemoteUserId, UserId
from tests.bridge.lives import BOT, CHAT, Lives
from tests.fakes.homeserver_power import power

BOB = RemoteUserId("bob")


async def speaks(lives: Lives, text: str, who: RemoteUserId = BOB) -> UserId:
    """Somebody says something; their ghost."""
    await lives.town.speak(CHAT, who, text)
    await lives.until(lambda: text in lives.said())
    return next(event.sender for event in lives.by_ghosts("m.room.message") if event.content["body"] == text)


@pytest.fixture
async def here(lives: Lives) -> Lives:
    await lives.link()
    await let_set_levels(lives)
    await lives.town.join(CHAT, "bob")
    return lives


async def let_set_levels(lives: Lives) -> None:
    """The bridge may set levels in the room, which 90 alone is not enough for in a room as clients make it."""
    levels = dict(lives.homeserver.rooms[lives.room].content("m.room.power_levels"))
    events = levels["events"]
    assert isinstance(events, dict)
    levels["events"] = {**events, "m.room.power_levels": 90}
    await lives.alice.send_state(lives.room, "m.room.power_levels", "", levels)


def level(lives: Lives, user: UserId) -> float:
    return power(lives.homeserver.rooms[lives.room]).of(user)


def role(lives: Lives, who: RemoteUserId = BOB) -> Role:
    return lives.town.chat(CHAT).people[who].role


async def set_level(lives: Lives, user: UserId, value: int) -> None:
    levels = dict(lives.homeserver.rooms[lives.room].content("m.room.power_levels"))
    users = levels["users"]
    assert isinstance(users, dict)
    await lives.alice.send_state(
        lives.room, "m.room.power_levels", "", {**levels, "users": {**users, user: value}}
    )


async def agreed(lives: Lives, number: int, about: str = "role") -> None:
    """Both sides have agreed on so many things, and that is on disk."""

    async def is_so() -> bool:
        assert lives.store is not None
        return await lives.store._number(f"SELECT COUNT(*) FROM standing WHERE about = '{about}'") == number  # noqa: S608  # ours

    await eventually(is_so, "an agreement on disk")


async def quiet(lives: Lives) -> None:
    """Everything is looked at once more, and nothing is done about it."""
    assert lives.bridge is not None
    before = written(lives)
    await lives.town.join(CHAT, "witness")
    await lives.town.give_role(CHAT, BOB, lives.town.chat(CHAT).people[BOB].role)
    await speaks(lives, f"quiet {before}", RemoteUserId("witness"))
    assert written(lives) == before


def written(lives: Lives) -> int:
    """How often the bridge's bot has written anything but invites."""
    faults = lives.homeserver.faults
    return faults.writes(user=BOT) - faults.count("invite", user=BOT)


# --- roles, in a room of no community -----------------------------------------------------------------------


async def test_who_is_operator_there_gets_the_level_here_and_loses_it_again(here: Lives) -> None:
    ghost = await speaks(here, "hi")
    await here.town.give_role(CHAT, BOB, Role.OPERATOR)
    await here.until(lambda: level(here, ghost) == 50)
    await quiet(here)
    await here.town.give_role(CHAT, BOB, Role.MEMBER)
    await here.until(lambda: level(here, ghost) == 0)
    await quiet(here)
    assert level(here, ghost) == 0


async def test_an_operator_who_speaks_for_the_first_time_has_the_level_soon(here: Lives) -> None:
    ghost = await speaks(here, "hi", here.oscar)
    await here.until(lambda: level(here, ghost) == 50)
    assert level(here, BOT) == 90


async def test_who_gets_the_level_here_is_operator_there_and_loses_it_again(here: Lives) -> None:
    ghost = await speaks(here, "hi")
    await set_level(here, ghost, 50)
    await here.until(lambda: role(here) is Role.OPERATOR)
    await set_level(here, ghost, 0)
    await here.until(lambda: role(here) is Role.MEMBER)
    assert level(here, ghost) == 0


async def test_a_change_while_the_bridge_was_away_is_made_good(here: Lives) -> None:
    ghost = await speaks(here, "hi")
    oscar = await speaks(here, "ho", here.oscar)
    await here.until(lambda: level(here, oscar) == 50)
    await agreed(here, 1)
    await here.die()
    await here.town.give_role(CHAT, BOB, Role.OPERATOR)
    await set_level(here, oscar, 0)
    await here.live()
    await here.until(lambda: level(here, ghost) == 50)
    await here.until(lambda: role(here, here.oscar) is Role.MEMBER)
    assert (level(here, oscar), role(here)) == (0, Role.OPERATOR)


async def test_a_network_that_lets_nobody_change_anything_is_asked_once(here: Lives) -> None:
    here.town.chat(CHAT).we_rule = False
    ghost = await speaks(here, "hi")
    await set_level(here, ghost, 50)
    await quiet(here)
    assert role(here) is Role.MEMBER
    assert level(here, ghost) == 50, "nor is it taken away here"


async def test_somebody_higher_than_the_bridge_is_left_alone(here: Lives) -> None:
    ghost = await speaks(here, "hi")
    await set_level(here, ghost, 95)
    await here.until(lambda: role(here) is Role.OPERATOR)
    await here.town.give_role(CHAT, BOB, Role.MEMBER)
    await quiet(here)
    assert level(here, ghost) == 95


async def test_an_admin_with_an_account_there_is_promoted_and_never_by_it(here: Lives) -> None:
    accounts = here.town.chat(CHAT).accounts
    bo = here.homeserver.person("bo")
    await here.alice.invite(here.room, bo.user)
    await bo.join(here.room)
    accounts[bo.user] = Person(RemoteUserId("bo's own"), "bo")
    await set_level(here, bo.user, 50)
    await here.until(lambda: accounts[bo.user].role is Role.OPERATOR)
    await set_level(here, bo.user, 0)
    await here.until(lambda: accounts[bo.user].role is Role.MEMBER)
    accounts[bo.user] = Person(RemoteUserId("bo's own"), "bo", Role.OPERATOR)
    await quiet(here)
    assert level(here, bo.user) == 0


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 7))
async def test_a_crash_on_the_way_changes_nothing_about_the_end(
    tmp_path: Path, at: int, after_effect: bool
) -> None:
    lives = Lives(tmp_path)
    await lives.begin()
    await lives.live()
    await lives.link()
    await let_set_levels(lives)
    for name in ("bob", "ben", "mallory"):
        await lives.town.join(CHAT, name)
    bob = await speaks(lives, "hi")
    ben = await speaks(lives, "ho", RemoteUserId("ben"))
    mallory = await speaks(lives, "spam", RemoteUserId("mallory"))
    lives.town.chat(CHAT).people[BOB] = Person(BOB, "bob", Role.OPERATOR)
    lives.fate.at, lives.fate.after_effect = lives.fate.steps + at, after_effect
    await lives.alice.ban(lives.room, mallory)
    await set_level(lives, ben, 50)

    def done() -> bool:
        there = lives.town.chat(CHAT)
        return (
            level(lives, bob) == 50
            and role(lives, RemoteUserId("ben")) is Role.OPERATOR
            and RemoteUserId("mallory") in there.banned
        )

    await lives.until(lambda: lives.dead or done())
    await lives.live()
    await lives.until(done)
    assert level(lives, ben) == 50
    assert role(lives) is Role.OPERATOR
    assert lives.homeserver.rooms[lives.room].membership(mallory) == "ban"
    await lives.end()


# --- bans and removals --------------------------------------------------------------------------------------


async def test_a_ban_there_is_one_here_and_ends_there_too(here: Lives) -> None:
    ghost = await speaks(here, "spam")
    await here.town.ban(CHAT, BOB)
    room = here.homeserver.rooms[here.room]
    await here.until(lambda: room.membership(ghost) == "ban")
    assert room.content("m.room.member", ghost)["reason"] == "Banned on memory"
    await here.town.unban(CHAT, BOB)
    await here.until(lambda: room.membership(ghost) == "leave")
    await here.town.join(CHAT, "bob")
    assert await speaks(here, "sorry") == ghost


async def test_a_ban_here_is_one_there_and_ends_here_too(here: Lives) -> None:
    ghost = await speaks(here, "spam")
    there = here.town.chat(CHAT)
    await here.alice.ban(here.room, ghost)
    await here.until(lambda: BOB in there.banned)
    assert BOB not in there.people
    await here.alice.unban(here.room, ghost)
    await here.until(lambda: BOB not in there.banned)
    await here.town.join(CHAT, "bob")
    assert await speaks(here, "sorry") == ghost
    assert BOB in there.people, "a ban that ends puts nobody out"


async def test_where_the_network_does_not_tell_who_is_banned_bans_go_there_all_the_same(here: Lives) -> None:
    there = here.town.chat(CHAT)
    there.tells_bans = False
    ghost = await speaks(here, "spam")
    await here.alice.ban(here.room, ghost)
    await here.until(lambda: BOB in there.banned)
    await agreed(here, 1, "ban")
    await speaks(here, "good riddance", here.oscar)
    assert here.homeserver.rooms[here.room].membership(ghost) == "ban"
    await here.alice.unban(here.room, ghost)
    await here.until(lambda: BOB not in there.banned)


async def test_who_is_put_out_here_is_put_out_there_once(here: Lives) -> None:
    ghost = await speaks(here, "hi")
    people = here.town.chat(CHAT).people
    await here.alice.kick(here.room, ghost)
    await here.until(lambda: BOB not in people)
    await agreed(here, 1, "out")
    await here.town.join(CHAT, "bob")
    await here.live()
    await here.until(lambda: bool(here.town.accounts) and here.status()["state"] == "linked")
    await speaks(here, "I am back")
    assert BOB in people


async def test_who_is_put_out_there_leaves_here_and_may_come_again(here: Lives) -> None:
    ghost = await speaks(here, "hi")
    room = here.homeserver.rooms[here.room]
    await here.town.leave(CHAT, BOB)
    await here.until(lambda: room.membership(ghost) == "leave")
    await here.town.join(CHAT, "bob")
    assert await speaks(here, "again") == ghost
    assert BOB in here.town.chat(CHAT).people


async def test_many_removed_at_once_here_are_not_removed_there(here: Lives) -> None:
    names = [f"member {number}" for number in range(12)]
    for name in names:
        await here.town.join(CHAT, name)
    ghosts = [await speaks(here, f"I am {name}", RemoteUserId(name)) for name in names]
    await here.die()
    for ghost in ghosts:
        await here.alice.kick(here.room, ghost)
    await here.live()
    await here.until(lambda: bool(here.town.accounts) and here.status()["state"] == "linked")
    await speaks(here, "are they there?")
    assert set(names) <= set(here.town.chat(CHAT).people)


# --- who has gone, and lists that are no facts --------------------------------------------------------------


async def test_who_went_while_the_bridge_was_away_leaves(here: Lives) -> None:
    ghost, room = await speaks(here, "hi"), here.homeserver.rooms[here.room]
    other = await speaks(here, "ho", here.oscar)
    await here.die()
    del here.town.chat(CHAT).people[BOB]
    await here.live()
    await here.until(lambda: room.membership(ghost) == "leave")
    assert room.membership(other) == "join"


async def test_an_empty_answer_is_not_a_fact(here: Lives) -> None:
    ghost, room = await speaks(here, "hi"), here.homeserver.rooms[here.room]
    await here.town.give_role(CHAT, BOB, Role.OPERATOR)
    await here.until(lambda: level(here, ghost) == 50)
    await agreed(here, 1)
    await here.die()
    here.town.chat(CHAT).forgetful = True
    await here.live()
    await here.until(lambda: bool(here.town.accounts) and here.status()["state"] == "linked")
    await here.until(lambda: here.bridge is not None and here.bridge._keeper.ready.is_set())
    await speaks(here, "still here")
    assert (room.membership(ghost), level(here, ghost)) == ("join", 50)


async def test_a_list_that_is_suddenly_tiny_puts_nobody_out(here: Lives) -> None:
    names = [f"member {number}" for number in range(12)]
    for name in names:
        await here.town.join(CHAT, name)
    ghosts = [await speaks(here, f"I am {name}", RemoteUserId(name)) for name in names]
    await here.die()
    here.town.chat(CHAT).people = {BOB: here.town.chat(CHAT).people[BOB]}
    await here.live()
    await here.until(lambda: bool(here.town.accounts) and here.status()["state"] == "linked")
    await speaks(here, "where is everybody?")
    await quiet(here)
    room = here.homeserver.rooms[here.room]
    assert {room.membership(ghost) for ghost in ghosts} == {"join"}
