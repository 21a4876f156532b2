"""The plugin's way of speaking: who is meant, what is rich, what is an edit, and saying things once."""

import pytest

from haven.errors import Invalid
from haven.ids import RoomId, RoomVersion
from haven.ports import Content, Homeserver
from plugin.homeserver_messages import Messenger, Speaks, Words
from tests.contracts.homeserver_world import public
from tests.fakes.homeserver import FakeHomeserver


class Stage:
    """A room with a bot that speaks and a person who listens."""

    def __init__(self, world: FakeHomeserver, room: RoomId, bot: Speaks, ben: Homeserver) -> None:
        self.world, self.room, self.ben = world, room, ben
        self.messenger = Messenger(bot)

    def last(self) -> Content:
        """The content of the last event."""
        return self.world.rooms[self.room].timeline[-1].content


@pytest.fixture
async def stage() -> Stage:
    world = FakeHomeserver()
    bot, ben = world.person("bot"), world.person("ben")
    return Stage(world, await public(bot, RoomVersion("12"), ben), bot, ben)


async def test_plain_words_mention_nobody(stage: Stage) -> None:
    await stage.messenger.say(stage.room, Words("Hola ben"))
    assert stage.last() == {"msgtype": "m.notice", "body": "Hola ben", "m.mentions": {}}


async def test_rich_words_that_mean_somebody(stage: Stage) -> None:
    words = Words("Hola", "<b>Hola</b>", mentions=[stage.ben.user], notice=False)
    await stage.messenger.say(stage.room, words)
    assert stage.last() == {
        "msgtype": "m.text",
        "body": "Hola",
        "format": "org.matrix.custom.html",
        "formatted_body": "<b>Hola</b>",
        "m.mentions": {"user_ids": [stage.ben.user]},
    }


async def test_replies_and_threads(stage: Stage) -> None:
    first = await stage.messenger.say(stage.room, Words("one"))
    await stage.messenger.say(stage.room, Words("two"), reply_to=first)
    assert stage.last()["m.relates_to"] == {"m.in_reply_to": {"event_id": first}}
    second = await stage.messenger.say(stage.room, Words("three"), thread=first)
    thread = {"rel_type": "m.thread", "event_id": first}
    assert stage.last()["m.relates_to"] == {
        **thread,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": first},
    }
    await stage.messenger.say(stage.room, Words("four"), thread=first, reply_to=second)
    assert stage.last()["m.relates_to"] == {
        **thread,
        "is_falling_back": False,
        "m.in_reply_to": {"event_id": second},
    }


async def test_an_edit_replaces_and_notifies_nobody_again(stage: Stage) -> None:
    said = await stage.messenger.say(stage.room, Words("1 of 9", "<i>1</i> of 9"))
    await stage.messenger.edit(stage.room, said, Words("2 of 9", "<i>2</i> of 9", mentions=[stage.ben.user]))
    content = stage.last()
    assert content["m.relates_to"] == {"rel_type": "m.replace", "event_id": said}
    assert (content["body"], content["formatted_body"]) == ("* 2 of 9", "* <i>2</i> of 9")
    assert content["m.mentions"] == {}
    new = content["m.new_content"]
    assert isinstance(new, dict)
    assert (new["body"], new["msgtype"]) == ("2 of 9", "m.notice")


async def test_reacting_once(stage: Stage) -> None:
    said = await stage.messenger.say(stage.room, Words("one"))
    await stage.messenger.react(stage.room, said, "✅")
    assert stage.last() == {"m.relates_to": {"rel_type": "m.annotation", "event_id": said, "key": "✅"}}
    with pytest.raises(Invalid):
        await stage.messenger.react(stage.room, said, "✅")


async def test_the_same_transaction_is_said_once_and_without_one_each_time(stage: Stage) -> None:
    once = {await stage.messenger.say(stage.room, Words("x"), transaction="job 7") for _ in range(2)}
    each = {await stage.messenger.say(stage.room, Words("x")) for _ in range(2)}
    assert (len(once), len(each)) == (1, 2)


async def test_names_of_people(stage: Stage) -> None:
    messenger, room, ben = stage.messenger, stage.room, stage.ben
    assert await messenger.display_name(room, ben.user) == "ben"
    await ben.send_state(room, "m.room.member", ben.user, {"membership": "join", "displayname": " "})
    assert await messenger.display_name(room, ben.user) == ben.user
    stranger = stage.world.person("eve").user
    assert await messenger.display_name(room, stranger) == stranger
    assert await messenger.display_name(RoomId("!nowhere"), ben.user) == ben.user
