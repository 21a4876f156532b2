"""Which invitations are accepted: some direct chats a person, and the way back into rooms of a community, which are missed."""

from embedded.waiting import eventually
from haven.ids import RoomId, RoomVersion
from haven.ports import NewRoom
from plugin.events import Invited, Left
from plugin.invitations import AT_ONCE
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.entrance.lives import Life, living


async def invited(life: Life, name: str, *, direct: bool = True) -> RoomId:
    """Somebody invites the bot to a new room; gives it, once that is answered."""
    wanted = NewRoom("Chat", RoomVersion("11"), invite=(life.stage.bot,))
    room = await life.stage.person(name).create_room(wanted)
    life.stage.engine.take(Invited(room, life.stage.user(name), direct=direct))
    return room


def bot_in(life: Life, room: RoomId) -> str:
    return life.stage.server.rooms[room].membership(life.stage.bot)


async def test_a_person_has_some_direct_chats_and_not_as_many_as_they_like(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        rooms = [await invited(life, "zoe") for _ in range(AT_ONCE + 3)]
        await life.until(lambda: "invite" not in {bot_in(life, room) for room in rooms}, "all are answered")
        answers = [bot_in(life, room) for room in rooms]
        assert (answers.count("join"), answers.count("leave")) == (AT_ONCE, 3)
        other = await invited(life, "yan")
        await life.until(lambda: bot_in(life, other) == "join", "others have theirs")


async def test_a_room_that_the_bot_was_put_out_of_is_told_and_taken_up_again(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        madrid, space = await life.stage.room("Madrid"), life.space
        admins, bot = await life.stage.room("admins"), life.stage.bot
        await life.stage.person("bot").leave(madrid)
        life.stage.engine.take(Left(madrid))
        told = await life.told(admins, "I am not in a room of the community any more")
        assert madrid in told
        assert bot in told
        await eventually(lambda: store.said(space), "it is remembered that it was told", interval=0.01)
    async with living(server, store, space=space) as life:
        await life.until(lambda: life.stage.engine.watch._noticed, "all was looked at")
        said = [text for text in life.said(admins) if "not in a room of the community any more" in text]
        assert len(said) == 1
        stranger = await invited(life, "zoe", direct=False)
        await server.person("groupadmin").invite(madrid, bot)
        life.stage.engine.take(Invited(madrid, life.stage.user("groupadmin"), direct=False))
        await life.until(lambda: bot_in(life, madrid) == "join", "the bot is back")
        assert bot_in(life, stranger) == "invite"
        await life.stage.engine.rooms.look()
        assert (await life.stage.community()).group(madrid) is not None


async def test_what_was_taken_out_by_command_or_listed_by_hand_is_not_missed(
    server: FakeHomeserver, store: Store
) -> None:
    async with living(server, store) as life:
        admins = await life.stage.room("admins")
        brno = await life.stage.room("Brno")
        await life.stage.say("admin", "!c group remove Brno", "admins")
        hers = await server.person("admin").create_room(NewRoom("Hers", RoomVersion("11")))
        child = {"via": ["haven.test"]}
        await server.person("admin").send_state(life.space, "m.space.child", hers, child)
        madrid = await life.stage.room("Madrid")
        for room in (brno, madrid):
            await life.stage.person("bot").leave(room)
            life.stage.engine.take(Left(room))
        assert madrid in await life.told(admins, "not in a room of the community any more")
        assert hers not in "\n".join(life.said(admins))
        assert len([text for text in life.said(admins) if "not in a room" in text]) == 1
