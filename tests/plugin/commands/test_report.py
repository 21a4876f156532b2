"""Reports: by flag and by command, one card a message, decided by reaction."""

import hashlib
from dataclasses import replace

import pytest

from embedded.waiting import eventually
from haven.errors import Unreachable
from haven.ids import EventId, RoomId
from plugin.safety.reporters import Reporters
from plugin.safety.reports import reporters
from tests.plugin.commands.stage import Stage, text_of

BAD = "something nasty"


async def wrote(stage: Stage, name: str = "member", room: str = "general", body: str = BAD) -> EventId:
    """Somebody has written something; gives its event."""
    where = await stage.room(room)
    content = {"msgtype": "m.text", "body": body}
    count = len(stage.server.rooms[where].events)
    return await stage.person(name).send_message(where, "m.room.message", content, f"w{count}")


async def react(stage: Stage, name: str, room: RoomId, event: EventId, emoji: str) -> EventId:
    """Somebody reacts, and the bot has dealt with it."""
    about = {"rel_type": "m.annotation", "event_id": event, "key": emoji}
    done = await stage.person(name).send_message(
        room, "m.reaction", {"m.relates_to": about}, f"{name}{event}{emoji}"
    )
    await quiet(stage)
    return done


async def quiet(stage: Stage) -> None:
    """Wait until nobody has a turn any more."""

    async def idle() -> bool:
        return not stage.engine.turns._waiting

    await eventually(idle, "all turns are over", timeout=5, interval=0.005)


async def flag(stage: Stage, name: str, event: EventId, room: str = "general") -> EventId:
    """Somebody flags a message."""
    return await react(stage, name, await stage.room(room), event, "🚩")


async def cards(stage: Stage) -> list[tuple[EventId, str]]:
    """The cards of reports, as they read in the end."""
    return await card_texts(stage, "Reported:")


async def card_texts(stage: Stage, words: str) -> list[tuple[EventId, str]]:
    """The messages in the admins' room that began with these words in them, as they read in the end."""
    admins = stage.server.rooms[await stage.room("admins")]
    shown = [
        e for e in admins.timeline if words in str(e.content.get("body")) and "m.new_content" not in e.content
    ]
    said = [e for e in admins.timeline if e.type == "m.room.message" and e.sender == stage.bot]
    texts = {card.id: text_of([e for e in said if card.id in (e.id, _edited(e.content))]) for card in shown}
    return list(texts.items())


def _edited(content: object) -> object:
    relation = content.get("m.relates_to") if isinstance(content, dict) else None
    return relation.get("event_id") if isinstance(relation, dict) else None


async def card(stage: Stage) -> tuple[EventId, str]:
    """The only card."""
    (one,) = await cards(stage)
    return one


def stands(stage: Stage, room: RoomId, event: EventId) -> bool:
    """Whether an event has not been taken out."""
    return bool(stage.server.rooms[room].events[event].content)


async def decide(stage: Stage, name: str, emoji: str) -> str:
    """Somebody decides about the only card; gives what it says then."""
    event, _ = await card(stage)
    await react(stage, name, await stage.room("admins"), event, emoji)
    return (await card(stage))[1]


async def audited(stage: Stage) -> list[str]:
    """What stands in the audit log."""
    return [deed.what for deed in await stage.services.desk.audit.store.deeds(stage.space, 10)]


async def test_a_flag_makes_a_card_with_a_link_and_without_the_text(stage: Stage) -> None:
    event = await wrote(stage)
    flagged = await flag(stage, "greeter", event)
    general = await stage.room("general")
    _, said = await card(stage)
    assert f"https://matrix.to/#/{general}/{event}" in said
    assert stage.user("member") in said
    assert "One person" in said
    assert BAD not in said
    assert stage.user("greeter") not in said
    assert not stands(stage, general, flagged)
    assert stands(stage, general, event)


async def test_several_flags_are_one_card_that_counts_people(stage: Stage) -> None:
    event = await wrote(stage)
    for name in ("greeter", "groupadmin", "greeter"):
        await react(stage, name, await stage.room("general"), event, "🚩")
    assert "2 people" in (await card(stage))[1]


async def test_the_command_reports_what_it_answers_and_is_taken_out(stage: Stage) -> None:
    event, general = await wrote(stage), await stage.room("general")
    incoming = await stage.incoming("groupadmin", "!c report It hurts\nme", general)
    command = await stage.person("groupadmin").send_message(
        general, "m.room.message", {"msgtype": "m.text", "body": "!c report"}, "command"
    )
    await stage.dispatcher.handle(replace(incoming, event=command, reply_to=event))
    _, said = await card(stage)
    assert "They say: It hurts" in said
    assert not stands(stage, general, command)
    thanks = [e for e in stage.server.rooms[general].timeline if "Thank you" in str(e.content.get("body"))]
    assert stage.user("groupadmin") not in str(thanks[0].content)
    assert "m.relates_to" not in thanks[0].content


async def test_the_reporter_is_thanked_in_their_direct_chat(stage: Stage) -> None:
    direct, event, general = await stage.direct("groupadmin"), await wrote(stage), await stage.room("general")
    incoming = await stage.incoming("groupadmin", "!c report", general)
    await stage.dispatcher.handle(replace(incoming, reply_to=event))
    where = [
        room.id
        for room in stage.server.rooms.values()
        if any("Thank you" in str(e.content.get("body")) for e in room.timeline)
    ]
    assert where == [direct]


async def test_a_report_needs_a_message(stage: Stage) -> None:
    assert "Which message" in await stage.answer("member", "!c report")
    assert await cards(stage) == []


async def test_deleting(stage: Stage) -> None:
    event = await wrote(stage)
    await flag(stage, "greeter", event)
    assert "was deleted" in await decide(stage, "moderator", "🗑️")
    assert not stands(stage, await stage.room("general"), event)
    assert "report_delete" in await audited(stage)
    assert "Nothing is waiting" in await stage.answer("moderator", "!c reports")


async def test_warning_says_nothing_of_who_reported(stage: Stage) -> None:
    direct, event = await stage.direct("member"), await wrote(stage)
    await flag(stage, "greeter", event)
    assert "was warned" in await decide(stage, "admin", "⚠️")
    told = stage.server.rooms[direct].timeline[-1]
    assert "safe and kind" in str(told.content["body"])
    assert "greeter" not in str(told.content)
    assert stands(stage, await stage.room("general"), event)


async def test_dismissing(stage: Stage) -> None:
    event = await wrote(stage)
    await flag(stage, "greeter", event)
    assert "Nothing was wrong" in await decide(stage, "owner", "✅")
    assert stands(stage, await stage.room("general"), event)


@pytest.mark.parametrize("name", ["greeter"])
async def test_others_do_not_decide(stage: Stage, name: str) -> None:
    event = await wrote(stage)
    await flag(stage, "member", event)
    before = await card(stage)
    assert await decide(stage, name, "🗑️") == before[1]
    assert stands(stage, await stage.room("general"), event)


async def test_nobody_decides_about_their_own(stage: Stage) -> None:
    event = await wrote(stage, "moderator")
    await flag(stage, "member", event)
    await decide(stage, "moderator", "✅")
    assert "One report is waiting" in await stage.answer("admin", "!c reports", await stage.room("admins"))
    assert "was deleted" in await decide(stage, "admin", "🗑️")


async def test_the_open_ones_are_listed_in_the_admins_room_only(stage: Stage) -> None:
    await flag(stage, "greeter", await wrote(stage))
    said = await stage.say("moderator", "!c reports")
    listed = [e.room for e in said if "One report is waiting" in str(e.content["body"])]
    assert listed == [await stage.room("admins")]


@pytest.mark.parametrize("name", ["greeter", "announcer", "groupadmin", "member"])
async def test_others_do_not_see_them(stage: Stage, name: str) -> None:
    assert "cannot do that" in await stage.answer(name, "!c reports")


async def test_a_flag_in_a_strange_room_or_the_admins_own_is_no_report(stage: Stage) -> None:
    direct = await stage.direct("member")
    for name, room in (("member", direct), ("admin", await stage.room("admins"))):
        said = await stage.person(name).send_message(
            room, "m.room.message", {"msgtype": "m.text", "body": "x"}, "x"
        )
        done = await react(stage, name, room, said, "🚩")
        assert stands(stage, room, done)
    assert await cards(stage) == []


async def test_text_is_nowhere_in_the_database(stage: Stage) -> None:
    await flag(stage, "greeter", await wrote(stage))
    database = stage.engine.store._database
    rows = [str(tuple(row)) for row in await database.fetch("SELECT * FROM card")]
    assert rows
    assert BAD not in str(rows)
    assert stage.user("greeter") not in str(rows)


async def test_a_report_that_was_interrupted_is_taken_up_again(stage: Stage) -> None:
    event, timers = await wrote(stage), stage.services.desk.timers
    stage.server.faults.fail_next(5, Unreachable(), port="redact")
    await flag(stage, "greeter", event)
    (timer,) = await timers.store.timers("report")
    stage.server.faults.forgive()
    await timers.rings["report"](timer)
    assert "One person" in (await card(stage))[1]


async def test_who_reported_is_not_found_out_by_trying_names(stage: Stage) -> None:
    event = await wrote(stage)
    await flag(stage, "greeter", event)
    room, who = await stage.room("general"), stage.user("greeter")
    (one,) = await stage.services.desk.cards.open("report", stage.space)
    (digest,) = reporters(one)
    assert digest == await stage.services.safety.reports.reporters.digest(room, who)
    assert digest == await Reporters(stage.engine.store).digest(room, who)
    plain = hashlib.sha256(f"{room} {who}".encode()).hexdigest()
    assert not plain.startswith(digest)
