"""Everybody who came by one invite is put out at once: previewed where they are many, with those who have a role left alone."""

from dataclasses import replace

import pytest

from plugin.entrance.invite import code_in
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import survives
from tests.plugin.entrance.lives import Life, living
from tests.plugin.safety.lists import card


async def came(life: Life, *names: str, invite: str = "Flyer") -> str:
    """These have come by a new invite, into Madrid as well; gives its code."""
    code = code_in(await life.stage.answer("greeter", f"!c invite create --name {invite}", "admins"))
    madrid = await life.stage.room("Madrid")
    for name in names:
        await life.knock(name, reason=code)
        await life.until(lambda who=name: life.membership(who) == "invite", f"{name} is let in")  # type: ignore[misc]  # bound now
        await life.stage.person(name).join(life.space)
        await life.stage.person(name).join(madrid)
    return code


async def say(life: Life, command: str, name: str = "admin") -> str:
    return await life.stage.answer(name, f"!c {command}", "admins")


def crowd(n: int) -> list[str]:
    return [f"raider{number}" for number in range(n)]


async def out(life: Life, *names: str) -> bool:
    """Whether they are in no room any more."""
    rooms = (life.space, await life.stage.room("Madrid"))
    return {life.membership(name, room) for name in names for room in rooms} == {"leave"}


async def test_a_few_are_removed_at_once_and_it_is_one_line_of_the_log(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        await came(life, "zoe", "yan")
        await came(life, "xavi", invite="Other")
        said = await say(life, "remove --came-by flyer a raid", "moderator")
        assert "2 people are no longer in the community" in said
        assert "The invite “Flyer” still lets people in" in said
        assert await out(life, "zoe", "yan")
        assert life.membership("xavi") == life.membership("member") == "join"
        assert await life.member_reason("zoe") == "a raid"
        told = await life.told("admins", "put out everybody who came by the invite “Flyer” (people: 2)")
        assert "a raid" in told
        assert "Nobody whom you could act upon" in await say(life, "remove --came-by Flyer")


async def test_many_wait_for_a_second_word(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store) as life:
        people = crowd(11)
        code = await came(life, *people)
        said = await say(life, f"ban --came-by {code}")
        assert "11 people are many" in said
        assert life.membership("raider0") == "join"
        shown = await card(life, "They came by the invite “Flyer”")
        await life.stage.say("admin", "!c role add @raider0:haven.test greeter", "admins")
        await life.react("moderator", shown, "✅")
        await life.until(lambda: life.membership("raider10") == "ban", "they are banned")
        await life.told("admins", "banned everybody who came by the invite “Flyer” (people: 10)")
        assert [life.membership(name) for name in people] == ["join", *["ban"] * 10]


async def test_who_has_a_role_stays_and_is_named(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store) as life:
        await came(life, "zoe", "yan", "xavi")
        await say(life, "role add @zoe:haven.test moderator")
        await say(life, "role add @yan:haven.test admin")
        said = await say(life, "remove --came-by Flyer", "moderator")
        assert "2 people who came by it stay, since they have a role" in said
        assert "@zoe:haven.test" in said
        assert "@yan:haven.test" in said
        assert await out(life, "xavi")
        assert life.membership("zoe") == life.membership("yan") == "join"


REFUSED = [
    ("admin", "remove --came-by Nothing", "There is no such invite"),
    ("admin", "remove @member:haven.test --came-by Flyer", "not both"),
    ("admin", "remove", "`WHO` is missing"),
    ("admin", "ban", "`WHO` is missing"),
    ("greeter", "remove --came-by Flyer", "cannot do that as `greeter`"),
]


@pytest.mark.parametrize(("name", "command", "words"), REFUSED, ids=str)
async def test_refusals(server: FakeHomeserver, store: Store, name: str, command: str, words: str) -> None:
    async with living(server, store) as life:
        await came(life, "zoe")
        assert words in await say(life, command, name)
        assert life.membership("zoe") == life.membership("member") == "join"


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("point", range(1, 9))
async def test_dying_over_it_removes_all_and_tells_once(
    server: FakeHomeserver, store: Store, point: int, after_effect: bool
) -> None:
    async with living(server, store) as life:
        await came(life, "zoe", "yan")
        space, bot, admins = life.space, life.stage.bot, await life.stage.room("admins")
        incoming = await life.stage.incoming("admin", "!c remove --came-by Flyer a raid", admins)
        server.faults.kill(at=point, user=bot, after_effect=after_effect)
        await survives(life.stage.dispatcher.handle(incoming))
    server.faults.forgive()
    async with living(server, store, space=space, ahead=120_000) as life:
        await life.stage.dispatcher.handle(replace(incoming, again=True))
        await life.told(admins, "put out everybody who came by the invite “Flyer”")

        async def gone() -> bool:
            return await out(life, "zoe", "yan")

        assert await gone()
        said = [text for text in life.said(admins) if "put out everybody" in text]
        assert len(said) == 1, said
