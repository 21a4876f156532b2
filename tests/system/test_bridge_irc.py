"""The bridge between a real Synapse and a real IRC server, as operators and members meet it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from embedded.chatter import Chatter
from tests.system.bridge_world import BOT, CHANNEL, KEY, World, world

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
async def here() -> AsyncIterator[World]:
    async with world() as everything:
        yield everything


async def test_a_link_is_proven_by_an_operator_and_then_carries_both_ways(here: World) -> None:
    await here.ask_for_link()
    code = str((await here.status("proof"))["code"])
    async with await Chatter.connect(here.irc.host, here.irc.port, "mallory") as mallory:
        await mallory.join(CHANNEL)
        await mallory.say(CHANNEL, code)
        await mallory.heard("Only an operator of this chat can confirm the link.")
        assert (await here.status("proof"))["code"] == code
        await mallory.say(CHANNEL, "said too early")
    await here.alice.say(here.room, "also too early")
    await here.oscar.say(CHANNEL, f"!haven {code.lower()}")
    await here.status("linked")
    link = await here.alice.state(here.room, "chat.haven.link", KEY)
    assert link is not None
    assert (link["proven"], link["chat.haven.test"]) == (True, "kept")

    await here.oscar.say(CHANNEL, "hello Matrix")
    (hello,) = await here.texts(1, lambda event: event.body == "hello Matrix")
    assert hello.sender.startswith("@_haven_irc_")
    assert "oscar" not in hello.sender
    assert (await here.alice.members(here.room))[hello.sender].displayname == "oscar (irc)"
    await here.alice.say(here.room, "hello IRC")
    await here.oscar.heard("<Alice> hello IRC")
    assert not [event for event in await here.history() if event.body == "said too early"]


async def test_keeps_the_order_of_many_from_several(here: World) -> None:
    async with (
        await Chatter.connect(here.irc.host, here.irc.port, "bob") as bob,
        await Chatter.connect(here.irc.host, here.irc.port, "carl") as carl,
    ):
        for chatter in (bob, carl):
            await chatter.join(CHANNEL)
        await asyncio.gather(*(_count(chatter, name, 30) for chatter, name in ((bob, "b"), (carl, "c"))))
        found = await here.texts(60, lambda event: event.body[:2] in {"b ", "c "})
        for name in ("b", "c"):
            mine = [event.body for event in found if event.body.startswith(f"{name} ")]
            assert mine == [f"{name} {number}" for number in range(30)]
    for number in range(30):
        await here.alice.say(here.room, f"a {number}")
    await here.oscar.heard("<Alice> a 29")
    heard = [line.text for line in here.oscar.received if line.text.startswith("<Alice> a ")]
    assert heard == [f"<Alice> a {number}" for number in range(30)]


async def _count(chatter: Chatter, name: str, most: int) -> None:
    for number in range(most):
        await chatter.say(CHANNEL, f"{name} {number}")


async def test_a_new_name_and_a_leaving_are_seen_on_the_ghost(here: World) -> None:
    async with await Chatter.connect(here.irc.host, here.irc.port, "dora") as dora:
        await dora.join(CHANNEL)
        await dora.say(CHANNEL, "it is me")
        (said,) = await here.texts(1, lambda event: event.body == "it is me")
        await dora.rename("theodora")
        await _until(lambda: _shown(here, said.sender), "theodora (irc)")
        await dora.say(CHANNEL, "still me")
        (again,) = await here.texts(1, lambda event: event.body == "still me")
        assert again.sender == said.sender
        await dora.part(CHANNEL)
        await _until(lambda: _membership(here, said.sender), "leave")


async def _shown(here: World, user: str) -> str | None:
    return (await here.alice.members(here.room))[user].displayname


async def _membership(here: World, user: str) -> str | None:
    return (await here.alice.members(here.room))[user].membership


async def _until(ask: Callable[[], Awaitable[str | None]], expected: str) -> None:
    async with asyncio.timeout(20):
        while await ask() != expected:  # noqa: ASYNC110  # a server on the other side of HTTP sets no event
            await asyncio.sleep(0.1)


async def test_the_topic_goes_both_ways(here: World) -> None:
    await here.oscar.topic(CHANNEL, "Tomorrow at eight")
    await here.alice.wait_for(
        here.room,
        lambda event: event.type == "m.room.topic" and event.content["topic"] == "Tomorrow at eight",
    )
    await here.alice.send_state(here.room, "m.room.topic", {"topic": "Not before nine"})
    await here.oscar.wait_for(lambda line: line.command == "TOPIC" and line.text == "Not before nine")
    topics = [
        event.content["topic"]
        for event in await here.alice.messages(here.room)
        if event.type == "m.room.topic"
    ]
    assert topics[-2:] == ["Tomorrow at eight", "Not before nine"]


async def test_replies_edits_deletions_and_reactions_are_told_in_words(here: World) -> None:
    await here.oscar.say(CHANNEL, "who brings the cake?")
    (asked,) = await here.texts(1, lambda event: event.body == "who brings the cake?")
    answer = await here.alice.reply(here.room, asked.id, "I do")
    await here.oscar.heard("<Alice> I do")
    await here.alice.edit(here.room, answer, "We do")
    await here.oscar.heard("<Alice> (edited) We do")
    await here.alice.react(here.room, asked.id, "🎂")
    await here.oscar.heard("Alice reacted with 🎂 to: “who brings the cake?”")
    await here.alice.redact(here.room, answer)
    await here.oscar.heard("Alice took back a message.")
    assert [event.body for event in await here.history() if event.body == "I do"] == []


async def test_a_message_costs_one_request_and_a_new_ghost_four(here: World) -> None:
    async with await Chatter.connect(here.irc.host, here.irc.port, "erik") as erik:
        await erik.join(CHANNEL)
        here.proxy.forget()
        await erik.say(CHANNEL, "first words")
        await here.texts(1, lambda event: event.body == "first words")
        assert len(here.proxy.asked) <= 4
        here.proxy.forget()
        for number in range(5):
            await erik.say(CHANNEL, f"more words {number}")
        await here.texts(5, lambda event: event.body.startswith("more words"))
        assert len(here.proxy.asked) == 5


async def test_ngircd_nicks_texts_and_tokens_are_not_in_the_log(here: World) -> None:
    log = here.bridge.log()
    assert "Ready" in log
    for secret in ("oscar", "theodora", "hello Matrix", "hello IRC", "as_token", "Bearer"):
        assert secret not in log


async def test_check_and_plan_find_nothing_to_complain_of(here: World) -> None:
    plan = await here.bridge.command("plan")
    assert (plan.status, plan.out) == (0, "Nothing to change.\n")
    check = await here.bridge.command("check")
    assert check.status == 0, check.out
    assert check.out.splitlines()[-1] == "The network irc: fine."


async def test_operators_and_removals_go_both_ways(here: World) -> None:
    async with await Chatter.connect(here.irc.host, here.irc.port, "ruth") as ruth:
        await ruth.join(CHANNEL)
        await ruth.say(CHANNEL, "I could help")
        (said,) = await here.texts(1, lambda event: event.body == "I could help")
        levels = await here.alice.state(here.room, "m.room.power_levels") or {}
        levels["events"]["m.room.power_levels"] = 90
        await here.alice.send_state(here.room, "m.room.power_levels", levels)
        await here.oscar.send(f"MODE {CHANNEL} +o haven")
        await here.oscar.send(f"MODE {CHANNEL} +o ruth")
        await _until(lambda: _level(here, said.sender), "50")
        levels = await here.alice.state(here.room, "m.room.power_levels") or {}
        levels["users"][said.sender] = 0
        await here.alice.send_state(here.room, "m.room.power_levels", levels)
        await ruth.wait_for(lambda line: line.command == "MODE" and "-o" in line.raw)
        await here.alice.kick(here.room, said.sender)
        await ruth.wait_for(lambda line: line.command == "KICK" and " ruth" in line.raw)


async def test_an_unlinked_chat_is_left_and_nothing_is_carried_any_more(here: World) -> None:
    await here.alice.send_state(here.room, "chat.haven.link", {}, KEY)
    await here.status("unlinked")
    await here.oscar.wait_for(lambda line: line.command == "PART" and line.nick.startswith("haven"))
    members = await here.alice.members(here.room)
    assert {user for user, member in members.items() if member.membership == "join"} == {
        here.alice.user_id,
        BOT,
    }
    metrics = await here.bridge.metrics()
    assert metrics['haven_bridge_links{state="unlinked"}'] == 1


async def _level(here: World, user: str) -> str:
    levels = await here.alice.state(here.room, "m.room.power_levels") or {}
    return str(levels["users"].get(user, 0))
