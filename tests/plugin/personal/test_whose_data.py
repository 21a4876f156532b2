"""Nobody reads what is kept of another: not in the room where it is handed over, and not in the file itself."""

import pytest

from haven.ids import EventId, RoomId, RoomVersion
from haven.ports import Content, NewRoom, StateEvent
from plugin.safety.list_watch import LISTED
from tests.plugin.commands.stage import Stage
from tests.plugin.personal.world import NAME, come, file_of, strange_room, who

JOIN_RULES, HISTORY = "m.room.join_rules", "m.room.history_visibility"
OPEN: list[tuple[str, Content]] = [
    (JOIN_RULES, {"join_rule": "public"}),
    (JOIN_RULES, {"join_rule": "restricted", "allow": []}),
    (HISTORY, {"history_visibility": "world_readable"}),
]


async def trap(stage: Stage, kind: str, content: Content) -> RoomId:
    """A member makes a room that others can read later, asks somebody in as well as the bot, and goes."""
    trapper, bot = stage.person("member"), stage.person("bot")
    state = [StateEvent(kind, "", trapper.user, content)]
    invited = [bot.user, who(stage)]
    room = await trapper.create_room(NewRoom("", RoomVersion("11"), state=state, invite=invited))
    await bot.join(room)
    await stage.person(NAME).join(room)
    await trapper.leave(room)
    await stage.engine.rooms.look()
    await stage.engine.rooms.observe()
    return room


@pytest.mark.parametrize(("kind", "content"), OPEN, ids=str)
async def test_a_room_that_others_can_come_into_is_no_direct_chat(
    stage: Stage, kind: str, content: Content
) -> None:
    room = await trap(stage, kind, content)
    for place in ("general", room):
        said = await stage.say(NAME, "!c my data export", place)
        assert "write it to me in a direct chat" in str(said[-1].content["body"])
        assert not [event for event in said if event.content.get("msgtype") == "m.file"]


async def test_nor_is_one_to_which_somebody_else_is_invited(stage: Stage) -> None:
    room = await strange_room(stage, ())
    await stage.person(NAME).invite(room, stage.user("member"))
    await stage.engine.rooms.observe()
    assert "write it to me in a direct chat" in await stage.answer(NAME, "!c my data export", room)


async def test_why_others_are_on_a_ban_list_is_not_told(stage: Stage) -> None:
    chat = await come(stage)
    people = f"{stage.user('member')} {who(stage)}"
    reasons = "Bad people: seen with the neighbour\x1fBad people: too loud"
    payload = {"why": "crowd", "people": people, "reasons": reasons}
    await stage.services.desk.cards.deal(LISTED, stage.space, "crowd", payload)
    text = str(file_of(stage, await stage.say(NAME, "!c my data export", chat)))
    assert "neighbour" not in text
    assert "too loud" in text


async def test_that_somebody_names_them_in_a_report_is_not_told(stage: Stage) -> None:
    chat, room = await come(stage), await stage.room("Madrid")
    spam: Content = {"msgtype": "m.text", "body": "Spam"}
    said = await stage.person("admin").send_message(room, "m.room.message", spam, "spam")
    reports = stage.services.safety.reports
    await reports.take(room, said, stage.user("member"), EventId("$report"), f"like {who(stage)} once")
    text = str(file_of(stage, await stage.say(NAME, "!c my data export", chat)))
    assert "report_about_you" not in text
    assert said not in text
