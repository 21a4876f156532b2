"""A record that an admin has damaged by hand: the bot offers to put back what it last wrote, and does so for who may."""

import pytest

from embedded.waiting import eventually
from haven.ids import RoomId
from haven.ports import Content
from haven.stateevents import COMMUNITY
from plugin.safety.mending import Mending
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_client import FakeClient
from tests.fakes.homeserver_room import Event
from tests.plugin.entrance.lives import Life, living

DAMAGES: list[Content] = [{}, {"version": 1}, {"version": "one", "name": "Fathers"}, {"oops": True}]


async def damaged(life: Life, content: Content, name: str = "admin") -> Content:
    """Somebody has written over the record; gives what stood there."""
    before = life.stage.server.rooms[life.space].content(COMMUNITY)
    await life.stage.person(name).send_state(life.space, COMMUNITY, "", content)
    return before


async def offered(life: Life, admins: RoomId) -> Event:
    """The bot has offered to mend it, and both answers; gives the card."""
    await life.told(admins, "has damaged by hand what is written down of “Fathers”")
    room = life.stage.server.rooms[admins]
    card = [e for e in room.timeline if "has damaged by hand" in str(e.content.get("body"))][-1]

    def answers() -> int:
        reactions = [e.content["m.relates_to"] for e in room.timeline if e.type == "m.reaction"]
        return sum(isinstance(each, dict) and each["event_id"] == card.id for each in reactions)

    await life.until(lambda: answers() == 2, "both answers are offered")
    return card


def record(life: Life) -> Content:
    return life.stage.server.rooms[life.space].content(COMMUNITY)


@pytest.mark.parametrize("content", DAMAGES, ids=str)
async def test_what_was_damaged_is_put_back(server: FakeHomeserver, store: Store, content: Content) -> None:
    async with living(server, store) as life:
        admins = await life.stage.room("admins")
        before = await damaged(life, content)
        card = await offered(life, admins)
        await life.react("greeter", card, "✅")
        await life.told(admins, "You cannot do that as `greeter`")
        assert record(life) == content
        await life.react("owner", card, "✅")
        await life.told(admins, "Put back, as @owner:haven.test wished")
        assert record(life) == before
        await life.told(admins, "@owner:haven.test had put back what is written down of the community")
        assert "Fathers" in await life.stage.answer("member", "!c show")


async def test_it_is_offered_after_a_restart_once_and_taken_back_when_mended_by_hand(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        space, admins = life.space, await life.stage.room("admins")
    before = server.rooms[space].content(COMMUNITY)
    for content in ({"oops": 1}, {"oops": 2}):
        await server.person("admin").send_state(space, COMMUNITY, "", content)
    for _ in range(2):
        async with living(server, store, space=space) as life:
            await life.told(admins, "has damaged by hand")
            said = [text for text in life.said(admins) if "has damaged by hand" in text]
            assert len(said) == 1
            await server.person("admin").send_state(space, COMMUNITY, "", before)
            await life.told(admins, "There is nothing to put back any more")


async def test_who_wants_it_so_is_not_asked_again(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store) as life:
        space, admins = life.space, await life.stage.room("admins")
        await damaged(life, {"oops": 1})
        await life.react("owner", await offered(life, admins), "❌")
        await life.told(admins, "Left as it is, as @owner:haven.test wished")
    async with living(server, store, space=space) as life:
        cards = life.stage.services.desk.cards
        mending = cards.dealers["mending"]
        assert isinstance(mending, Mending)
        await mending.look(space)
        assert await cards.open("mending", space) == ()
        assert record(life) == {"oops": 1}


async def test_what_a_newer_haven_wrote_is_left_alone(server: FakeHomeserver, store: Store) -> None:
    async with living(server, store) as life:
        admins = await life.stage.room("admins")
        await damaged(life, {**record(life), "version": 2})
        await life.told(admins, "was written by a newer Haven")
        assert await life.stage.services.desk.cards.open("mending", life.space) == ()


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("point", range(1, 8))
async def test_dying_over_it_mends_once_and_tells_once(
    server: FakeHomeserver, store: Store, point: int, after_effect: bool
) -> None:
    async with living(server, store) as life:
        space, admins, bot = life.space, await life.stage.room("admins"), life.stage.bot
        before = await damaged(life, {"oops": True})
        card = await offered(life, admins)
        client = life.stage.engine.homeserver
        assert isinstance(client, FakeClient)
        server.faults.kill(at=point, user=bot, after_effect=after_effect)
        await life.react("owner", card, "✅")
        await life.until(
            lambda: client._dead or record(life) == before,
            "it is mended, or the bot is dead",
        )
    server.faults.forgive()
    async with living(server, store, space=space, ahead=120_000) as life:
        await life.until(lambda: record(life) == before, "it is mended")
        cards = life.stage.services.desk.cards

        async def closed() -> bool:
            return not await cards.open("mending", space)

        await eventually(closed, "the card is decided", interval=0.01)
        await life.told(admins, "had put back what is written down")
        assert len([text for text in life.said(admins) if "had put back" in text]) == 1
