"""Somebody of whom everything is kept that can be: canaries in every table, and how to look for them."""

import json
import sqlite3
from pathlib import Path

from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.ports import NewRoom
from plugin.entrance.invite import code_in
from tests.fakes.homeserver_room import Event
from tests.plugin.commands.stage import Stage

NAME = "canary"
REASON = "yellow feathers"
"""What they wrote as a reason, here and there."""


def who(stage: Stage) -> UserId:
    """Their id."""
    return stage.user(NAME)


async def come(stage: Stage) -> RoomId:
    """They come by an invite, do this and that, and things are done to them; gives their chat with the bot."""
    chat, admins = await stage.direct(NAME), await stage.room("admins")
    code = code_in(await stage.answer("greeter", "!c invite create --name Poster", admins))
    await stage.say(NAME, f"!c join {code}", chat)
    await stage.person(NAME).join(stage.space)
    for room in ("announcements", "general", "Madrid"):
        await stage.person(NAME).join(await stage.room(room))
    await stage.engine.rooms.observe()
    await stage.services.entrance._look((stage.space,))
    await stage.engine.watch.before([stage.space])
    return chat


async def live(stage: Stage, chat: RoomId) -> None:
    """What a moderator of some standing leaves behind."""
    user, admins = who(stage), await stage.room("admins")
    await stage.say("owner", f"!c role add {user} moderator", admins)
    await stage.person(NAME).join(admins)
    await stage.say(NAME, "!c invite create --name Wall", admins)
    await stage.say(NAME, "!c mute @member:haven.test --for 1h", admins)
    await stage.say(NAME, f"!c remove @groupadmin:haven.test {REASON}", admins)
    await stage.say("owner", f"!c role remove {user} moderator", admins)
    await stage.say("admin", f"!c ban @stranger:haven.test because of {user}. Sorry", admins)
    await stage.say(NAME, f"!c suggest Aviary --topic {REASON}", chat)
    await report(stage)
    await be_reported(stage)
    await stage.services.desk.timers.set("reminder", f"{stage.space} {user}", 2**42)
    await stage.engine.watch.before([stage.space])


async def report(stage: Stage) -> EventId:
    """They report a message of the admin's, and so does another."""
    room = await stage.room("Madrid")
    content = {"msgtype": "m.text", "body": "Spam"}
    said = await stage.person("admin").send_message(room, "m.room.message", content, "spam")
    reports = stage.services.safety.reports
    await reports.take(room, said, who(stage), EventId("$report1"), REASON)
    await reports.take(room, said, stage.user("member"), EventId("$report2"), "it is spam")
    return said


async def be_reported(stage: Stage) -> None:
    """A member reports a message of theirs."""
    room = await stage.room("Madrid")
    content = {"msgtype": "m.text", "body": "Peep"}
    said = await stage.person(NAME).send_message(room, "m.room.message", content, "peep")
    reports = stage.services.safety.reports
    await reports.take(room, said, stage.user("member"), EventId("$report3"), "too loud")


def file_of(stage: Stage, said: list[Event]) -> dict[str, object]:
    """The file that was handed over."""
    (event,) = [one for one in said if one.content.get("msgtype") == "m.file"]
    return dict(json.loads(stage.server.media[str(event.content["url"])]))


async def strange_room(stage: Stage, members: tuple[str, ...]) -> RoomId:
    """A room of theirs with the bot and others in it."""
    room = await stage.person(NAME).create_room(
        NewRoom("Aviary", RoomVersion("11"), invite=[stage.bot, *map(stage.user, members)])
    )
    for each in ("bot", *members):
        await stage.person(each).join(room)
    await stage.engine.rooms.look()
    await stage.engine.rooms.observe()
    return room


def bytes_of(path: Path) -> bytes:
    """The database as it lies on the disk, with what lies beside it."""
    return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))


def dump(path: Path) -> str:
    """The database as SQL tells it."""
    with sqlite3.connect(path) as connection:
        return "\n".join(connection.iterdump())
