"""Members whose client is made of matrix-js-sdk, which nobody here wrote: they come in, take part and leave by what it does alone.

Only the owner, who runs the community, speaks plain HTTP.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from embedded.matrix import Event, Json, MatrixRefused
from embedded.person import Person
from embedded.synapse import Synapse
from embedded.waiting import eventually
from haven.model import Community
from tests.system.js_member import JsMember, js_member
from tests.system.plugin_world import Bot, card, code_in, group, told

pytestmark = pytest.mark.system

NAME = "Plaza"
ROOMS = 5

NewClient = Callable[[str], Awaitable[JsMember]]
"""Somebody new at a client of their own, whose name begins as given."""


@pytest.fixture(scope="module")
async def community(bot: Bot, ana: Person) -> Community:
    """A community that one asks to join, its owner in the admins' room and the announcements."""
    chat = await bot.chat(ana)
    await ana.say(chat, f'!community create "{NAME}" --group Madrid --group Brno')
    made = await bot.whole(NAME, ROOMS)
    await ana.wait_for_invite(made.space)
    for room in (made.space, *(group(made, name).room for name in ("Admins", "Announcements", "Madrid"))):
        await ana.join(room)
    return made


@pytest.fixture
async def client(homeserver: Synapse, own_data: Path) -> AsyncIterator[NewClient]:
    """Signs people in, each in a process of its own that ends with the test."""
    async with AsyncExitStack() as running:

        async def sign_in(name: str) -> JsMember:
            name, password = f"{name}{secrets.token_hex(3)}", secrets.token_hex(8)
            await homeserver.register(name, password)
            member = js_member(homeserver.url, name, password, own_data / f"{name}.log")
            return await running.enter_async_context(member)

        yield sign_in


async def by_code(client: NewClient, ana: Person, community: Community, name: str) -> JsMember:
    """Somebody who is in the space, let in for a code given as the reason of a knock."""
    code = code_in(await told(ana, community, "!c invite create"))
    member = await client(name)
    await member.do("knock", room=community.space, via=["haven.test"], reason=code)
    await member.becomes(community.space, "invite")
    await member.do("join", room=community.space)
    await member.becomes(community.space, "join")
    return member


async def through_the_space(member: JsMember, community: Community, name: str) -> str:
    """They join a room as the space lists it, without being invited. Its id."""
    room = group(community, name).room

    async def listed() -> Json:
        children: list[Json] = await member.do("children", space=community.space)
        return next((child for child in children if child["room"] == room), {})

    child = await eventually(listed, f"the space lists {name}")
    await member.do("join", room=room, via=child["via"])
    await member.becomes(room, "join")
    return room


async def taken_out(who: Person, room: str, event: str) -> None:
    """Wait until an event has been redacted."""

    async def gone() -> bool:
        return not (await who.event(room, event)).content

    await eventually(gone, "it is taken out")


async def test_a_code_in_a_direct_chat_opens_the_door(
    bot: Bot, ana: Person, community: Community, client: NewClient
) -> None:
    code = code_in(await told(ana, community, "!c invite create --name Friends"))
    eva = await client("eva")
    chat = await eva.do("chat", user=bot.person.user_id)
    await eva.event(
        chat, lambda event: event.state_key == bot.person.user_id and event.content["membership"] == "join"
    )
    await eva.do("say", room=chat, text=f"!c join {code}")
    await eva.event(chat, lambda event: event.sender == bot.person.user_id and NAME in event.body)
    await eva.becomes(community.space, "invite")
    await eva.do("join", room=community.space)
    rooms = {room["room_id"] for room in await eva.do("hierarchy", space=community.space)}
    assert {community.space, *(group(community, name).room for name in ("Madrid", "Announcements"))} <= rooms
    assert group(community, "Admins").room not in rooms


async def test_a_knock_with_a_reason_is_approved_and_a_group_joined_through_the_space(
    ana: Person, community: Community, client: NewClient
) -> None:
    leo, admins = await client("leo"), group(community, "Admins").room
    with pytest.raises(MatrixRefused) as refused:
        await leo.do("join", room=group(community, "Madrid").room, via=["haven.test"])
    assert refused.value.status == 403
    await leo.do("knock", room=community.space, via=["haven.test"], reason="I play the flute")
    await leo.becomes(community.space, "knock")
    await ana.react(admins, await card(ana, community, "I play the flute"), "✅")
    await leo.becomes(community.space, "invite")
    await leo.do("join", room=community.space)
    madrid = await through_the_space(leo, community, "Madrid")
    said = await leo.do("say", room=madrid, text="Good evening")
    assert (await ana.wait_for(madrid, lambda event: event.id == said)).body == "Good evening"


async def test_announcements_are_read_and_reacted_to_but_not_written(
    ana: Person, community: Community, client: NewClient
) -> None:
    await told(ana, community, "!c settings replies off")
    eva = await by_code(client, ana, community, "eva")
    news = await through_the_space(eva, community, "Announcements")
    announcement = await ana.say(news, "Meeting on Friday")
    await eva.event(news, lambda event: event.id == announcement)
    assert await eva.do("may_speak", room=news) is False
    with pytest.raises(MatrixRefused) as refused:
        await eva.do("say", room=news, text="Hello")
    assert (refused.value.status, refused.value.errcode) == (403, "M_FORBIDDEN")
    reaction = await eva.do("react", room=news, event=announcement, key="👍")
    seen = await ana.wait_for(news, lambda event: event.id == reaction)
    assert (seen.sender, seen.relates_to["key"]) == (eva.user_id, "👍")


async def test_an_answer_in_the_thread_of_an_announcement_stays(
    ana: Person, community: Community, client: NewClient
) -> None:
    await told(ana, community, "!c settings replies threads")
    eva = await by_code(client, ana, community, "eva")
    news = await through_the_space(eva, community, "Announcements")
    announcement = await ana.say(news, "Meeting on Friday")
    await eva.event(news, lambda event: event.id == announcement)
    answer = await eva.do("reply_in_thread", room=news, root=announcement, text="I will come")
    stray = await eva.do("say", room=news, text="Hello?")
    await taken_out(ana, news, stray)
    await eva.event(news, lambda event: event.type == "m.room.redaction" and _redacts(event) == stray)
    kept = await ana.event(news, answer)
    assert (kept.body, kept.relates_to["event_id"]) == ("I will come", announcement)


def _redacts(event: Event) -> str:
    """What a redaction takes out, as room version 11 and later say it."""
    return str(event.content.get("redacts", ""))


async def test_who_leaves_the_space_is_out_of_every_room(
    ana: Person, community: Community, client: NewClient
) -> None:
    leo = await by_code(client, ana, community, "leo")
    rooms = [await through_the_space(leo, community, name) for name in ("Madrid", "Announcements")]
    await leo.do("leave", room=community.space)
    for room in rooms:
        await leo.becomes(room, "leave")
        assert await leo.do("membership", room=room) == "leave"
    with pytest.raises(MatrixRefused):
        await leo.do("join", room=rooms[0], via=["haven.test"])
