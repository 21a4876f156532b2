"""What the tests of ban lists share: lists that somebody elsewhere keeps, and what came of them."""

import asyncio

from haven.banlists import BANLISTS
from haven.ids import RoomId, RoomVersion
from haven.ports import NewRoom, StateEvent
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_room import Event
from tests.plugin.entrance.lives import Life

RULE = "m.policy.rule.user"


async def a_list(server: FakeHomeserver, *named: str, rule: str = "public", kind: str = RULE) -> RoomId:
    """Somebody elsewhere keeps a ban list."""
    keeper = server.person("keeper")
    state = [StateEvent("m.room.join_rules", "", keeper.user, {"join_rule": rule})]
    room = await keeper.create_room(NewRoom("Bad people", RoomVersion("11"), state=state))
    await keeper.send_state(room, "org.matrix.mjolnir.shortcode", "", {"shortcode": "bad"})
    for entity in named:
        await name(server, room, entity, kind)
    return room


async def name(server: FakeHomeserver, room: RoomId, entity: str, kind: str = RULE) -> None:
    """A list names somebody, or some."""
    content = {"entity": entity, "recommendation": "m.ban", "reason": "spam"}
    await server.person("keeper").send_state(room, kind, f"rule:{entity}", content)


async def forgive(server: FakeHomeserver, room: RoomId, entity: str, kind: str = RULE) -> None:
    """A list names them no more."""
    await server.person("keeper").send_state(room, kind, f"rule:{entity}", {})


def user(who: str) -> str:
    return f"@{who}:haven.test"


async def watched(life: Life, room: RoomId) -> str:
    return await life.stage.answer("admin", f"!c banlist watch {room}", "admins")


async def is_banned(life: Life, who: str) -> None:
    await life.until(lambda: life.membership(who) == "ban", f"{who} is banned")
    for group in (await life.stage.community()).groups:
        await life.until(lambda at=group.room: life.membership(who, at) == "ban", f"{who} is banned there")  # type: ignore[misc]  # bound now


async def deeds(life: Life) -> list[tuple[str, str]]:
    kept = await life.stage.services.desk.audit.store.deeds(life.space, 100)
    return [(deed.what, deed.values["whom"]) for deed in kept if "whom" in deed.values]


def published(server: FakeHomeserver, life: Life) -> dict[str, object]:
    """The rules that stand in the community's own list."""
    own = server.rooms[life.space].content(BANLISTS).get("own")
    room = server.rooms[RoomId(str(own))]
    rules = {key: room.content(RULE, key) for kind, key in room.state if kind == RULE}
    return {str(rule["entity"]): rule["reason"] for rule in rules.values() if rule}


async def lists_made(server: FakeHomeserver) -> int:
    return sum(
        room.content("m.room.create").get("chat.haven.slot", "").endswith("/banlist")  # type: ignore[attr-defined]  # a text
        for room in server.rooms.values()
    )


async def quiet(life: Life, server: FakeHomeserver) -> None:
    """Wait until the bot has been killed, or has nothing more to do."""
    requests = -1
    while requests != len(server.faults.requests) and not life.stage.person("bot")._dead:
        requests = len(server.faults.requests)
        await asyncio.sleep(0.05)


async def card(life: Life, words: str) -> Event:
    """Wait for the card that says this and for both its answers, so that a reaction is one to a card; gives its event."""
    shown = await life.card(words)

    def answers() -> int:
        reactions = [
            e.content["m.relates_to"]
            for e in life.stage.server.rooms[shown.room].timeline
            if e.type == "m.reaction"
        ]
        return sum(isinstance(each, dict) and each["event_id"] == shown.id for each in reactions)

    await life.until(lambda: answers() >= 2, "both answers are offered")
    return shown
