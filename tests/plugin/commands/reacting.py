"""How people on the stage answer cards: by a reaction, which has had its turn when the call returns."""

import asyncio

from haven.ids import EventId
from plugin.cards import Card
from tests.plugin.commands.stage import Stage, text_of


async def waiting(stage: Stage, kind: str) -> tuple[Card, ...]:
    """The open cards of a kind in the community."""
    return await stage.services.desk.cards.open(kind, (await stage.community()).space)


async def put(stage: Stage, name: str, card: Card, emoji: str = "✅") -> EventId:
    """Someone puts a reaction on a card."""
    relation = {"rel_type": "m.annotation", "event_id": card.event, "key": emoji}
    return await stage.person(name).send_message(
        card.room, "m.reaction", {"m.relates_to": relation}, f"{name}{emoji}{card.id}"
    )


async def settled(stage: Stage) -> None:
    """Wait until every reaction has had its turn."""
    stage.engine.watch.ready.set()
    while stage.engine.turns._tasks:
        await asyncio.gather(*stage.engine.turns._tasks)


async def react(stage: Stage, name: str, card: Card, emoji: str = "✅") -> None:
    """Someone puts a reaction on a card, and it has had its turn."""
    await put(stage, name, card, emoji)
    await settled(stage)


async def react_to_the_only(stage: Stage, kind: str, name: str, emoji: str = "✅") -> None:
    """The same for the one card of its kind that is open."""
    (card,) = await waiting(stage, kind)
    await react(stage, name, card, emoji)


async def told(stage: Stage, room: str = "admins") -> str:
    """All that the bot has said in a room."""
    timeline = stage.server.rooms[await stage.room(room)].timeline
    return text_of([e for e in timeline if e.type == "m.room.message" and e.sender == stage.bot])
