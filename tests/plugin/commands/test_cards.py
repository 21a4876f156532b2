"""Cards: dealt once, shown once, decided once, by whoever may, whatever dies in between."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from embedded.waiting import eventually
from haven.errors import HavenError, Invalid, NotAllowed, Unreachable
from haven.ids import EventId
from plugin.audit import Door
from plugin.cards import LAPSE, SHUT, Card, Cards, Word
from plugin.desk import open_desk
from plugin.homeserver_messages import Messenger
from plugin.replies import Replies
from plugin.wording import Line, line
from tests.fakes.homeserver_faults import survives
from tests.fakes.homeserver_room import Event
from tests.plugin.commands.reacting import put, settled
from tests.plugin.commands.stage import Stage, text_of
from tests.plugin.life import FastClock


@dataclass
class Ask:
    """A dealer that notes what it was asked to do; moderators may not decide."""

    stage: Stage
    decided: list[Word] = field(default_factory=list)
    lapsed: list[str] = field(default_factory=list)
    trouble: list[HavenError] = field(default_factory=list)

    @property
    def choices(self) -> Mapping[str, str]:
        """See `plugin.cards.Dealer`."""
        return {"✅": "approve", "❌": "reject"}

    async def lines(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        return (line("show.description", text=f"May {card.payload['name']} be? {card.id}"),)

    async def decide(self, card: Card, word: Word) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        if word.who == self.stage.user("moderator"):
            raise NotAllowed("right_missing", role="moderator", holders="admin")
        if self.trouble:
            raise self.trouble.pop()
        self.decided.append(word)
        await asyncio.sleep(0)
        return (line("show.description", text=f"{word.choice} it was"),)

    async def lapse(self, card: Card) -> Sequence[Line]:
        """See `plugin.cards.Dealer`."""
        self.lapsed.append(card.id)
        return (line("show.description", text="nobody said anything"),)


@pytest.fixture
def ask(stage: Stage) -> Ask:
    ask = Ask(stage)
    stage.services.desk.cards.dealers["ask"] = ask
    return ask


async def deal(stage: Stage, name: str = "Praga", expires: int = 0) -> Card:
    return await stage.services.desk.cards.deal("ask", stage.space, name, {"name": name}, expires)


async def said(stage: Stage) -> list[Event]:
    room = stage.server.rooms[await stage.room("admins")]
    own = [e for e in room.timeline if e.type == "m.room.message" and e.sender == stage.bot]
    return [event for event in own if "founded the community" not in str(event.content["body"])]


def next_life(stage: Stage, ask: Ask) -> Cards:
    """The desk of a new process."""
    messages = Messenger(stage.server.person("bot"))
    replies = Replies(messages, stage.services.phrases, FastClock().wait)
    cards = open_desk(stage.engine.store._database, stage.engine, replies).cards
    cards.dealers["ask"] = ask
    return cards


async def test_a_question_is_put_once_with_its_choices_beneath(stage: Stage, ask: Ask) -> None:
    first = await deal(stage)
    assert await deal(stage) == first
    other = await deal(stage, "Viena")
    assert "May Praga be?" in text_of(await said(stage))
    assert len(await said(stage)) == 2
    under = await stage.person("owner").reactions(first.room, first.event)
    assert [reaction.emoji for reaction in under] == ["✅", "❌"]
    assert await stage.services.desk.cards.open("ask", stage.space) == (first, other)


async def test_a_reaction_decides_and_the_card_says_so(stage: Stage, ask: Ask) -> None:
    card = await deal(stage)
    event = await put(stage, "admin", card, "❌\ufe0f")
    await settled(stage)
    assert ask.decided == [Word("reject", stage.user("admin"), Door.REACTION, event)]
    assert text_of(await said(stage)) == "reject it was"
    await put(stage, "owner", card)
    await settled(stage)
    assert len(ask.decided) == 1
    new = await deal(stage)
    assert new.id != card.id


async def test_other_emoji_and_other_messages_mean_nothing(stage: Stage, ask: Ask) -> None:
    card = await deal(stage)
    await put(stage, "admin", card, "🎉")
    other = await stage.person("owner").send_message(
        card.room, "m.room.message", {"msgtype": "m.text", "body": "x"}, "t"
    )
    relation = {"rel_type": "m.annotation", "event_id": other, "key": "✅"}
    await stage.person("admin").send_message(card.room, "m.reaction", {"m.relates_to": relation}, "u")
    await settled(stage)
    assert ask.decided == []
    assert len(await said(stage)) == 1


async def test_two_at_the_same_time_are_one_decision(stage: Stage, ask: Ask) -> None:
    card, cards = await deal(stage), stage.services.desk.cards
    words = [
        Word("approve", stage.user(name), Door.COMMAND, EventId(f"${name}")) for name in ("admin", "owner")
    ]
    results = await asyncio.gather(*(cards.decide(card, word) for word in words), return_exceptions=True)
    assert len(ask.decided) == 1
    (refused,) = [result for result in results if isinstance(result, Invalid)]
    assert refused.key == "card_decided"


async def test_who_may_not_is_told_and_the_card_stays_open(stage: Stage, ask: Ask) -> None:
    card = await deal(stage)
    await put(stage, "moderator", card)
    await settled(stage)
    assert "You cannot do that as `moderator`" in text_of(await said(stage))
    await put(stage, "admin", card)
    await settled(stage)
    assert len(ask.decided) == 1


async def test_trouble_leaves_the_card_open_and_is_told(stage: Stage, ask: Ask) -> None:
    card = await deal(stage)
    ask.trouble = [Unreachable()]
    await put(stage, "admin", card)
    await settled(stage)
    assert "does not answer" in text_of(await said(stage))
    await stage.services.desk.cards.resume()
    assert len(ask.decided) == 1


async def test_nobody_s_word_in_time_ends_it(stage: Stage, ask: Ask) -> None:
    card, timers = await deal(stage, expires=1), stage.services.desk.timers
    task = asyncio.create_task(timers.run())

    async def lapsed() -> bool:
        return not await stage.services.desk.cards.open("ask", stage.space)

    await eventually(lapsed, "the card has lapsed", timeout=10, interval=0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert ask.lapsed == [card.id]
    assert text_of(await said(stage)) == "nobody said anything"
    assert await timers.store.timers(LAPSE) == ()


async def test_a_decided_card_does_not_lapse(stage: Stage, ask: Ask) -> None:
    card = await deal(stage, expires=4_000_000_000_000)
    timers = stage.services.desk.timers
    assert [timer.key for timer in await timers.store.timers(LAPSE)] == [card.id]
    await stage.services.desk.cards.decide(
        card, Word("approve", stage.user("admin"), Door.COMMAND, EventId("$x"))
    )
    assert await timers.store.timers(LAPSE) == ()


async def test_a_question_that_has_gone_is_withdrawn(stage: Stage, ask: Ask) -> None:
    card, cards = await deal(stage), stage.services.desk.cards
    await cards.withdraw(card, (line("show.description", text="never mind"),))
    assert text_of(await said(stage)) == "never mind"
    found = await cards.store.card(card.id)
    assert found is not None
    assert found.decided == SHUT
    await put(stage, "admin", card)
    await settled(stage)
    assert ask.decided == []


async def test_dying_anywhere_shows_a_card_once(stage: Stage, ask: Ask) -> None:
    """Killed at every request of dealing, before and after its effect."""
    await stage.community()
    for number in range(1, 4):
        for after in (False, True):
            name = f"Town {number} {after}"
            cards = next_life(stage, ask)
            stage.server.faults.kill(at=number, user=stage.bot, after_effect=after)
            lived = await survives(cards.deal("ask", stage.space, name, {"name": name}))
            stage.server.faults.forgive()
            await next_life(stage, ask).resume()
            shown = [e for e in await said(stage) if name in str(e.content["body"])]
            assert len(shown) == 1 or (number == 1 and not lived), name
            (card,) = [c for c in await cards.open("ask", stage.space) if c.key == name]
            under = await stage.person("owner").reactions(card.room, card.event)
            assert [reaction.emoji for reaction in under] == ["✅", "❌"], name


async def test_dying_over_a_decision_ends_in_one_decision_that_is_shown(stage: Stage, ask: Ask) -> None:
    for after in (False, True):
        card = await deal(stage, f"Town {after}")
        cards = next_life(stage, ask)
        stage.server.faults.kill(at=1, user=stage.bot, after_effect=after)
        word = Word("approve", stage.user("admin"), Door.COMMAND, await react_unheard(stage, card))
        assert not await survives(cards.decide(card, word))
        stage.server.faults.forgive()
        await next_life(stage, ask).resume()
        edits = [e for e in await said(stage) if card.event in str(e.content.get("m.relates_to"))]
        assert len(edits) == 1
        assert await cards.open("ask", stage.space) == ()


async def react_unheard(stage: Stage, card: Card) -> EventId:
    """A reaction that no sync brings."""
    listeners, stage.server._listeners = stage.server._listeners, []
    event = await put(stage, "admin", card)
    stage.server._listeners = listeners
    return event


async def test_reactions_of_the_time_when_nobody_was_there_count(stage: Stage, ask: Ask) -> None:
    card, other = await deal(stage), await deal(stage, "Viena")
    refused = await deal(stage, "Lisboa")
    event = await react_unheard(stage, card)
    listeners, stage.server._listeners = stage.server._listeners, []
    await put(stage, "moderator", refused, "❌")
    stage.server._listeners = listeners
    before = len(await said(stage))
    await next_life(stage, ask).resume()
    assert [(word.choice, word.event) for word in ask.decided] == [("approve", event)]
    left = await stage.services.desk.cards.open("ask", stage.space)
    assert sorted(left, key=lambda each: each.id) == sorted((other, refused), key=lambda each: each.id)
    assert len(await said(stage)) == before + 1
