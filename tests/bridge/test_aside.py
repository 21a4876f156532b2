"""What cannot be carried is marked for who sent it, shown to the admins, and tried again when one of them asks; through crashes, too."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge import inbox as inbox_module
from bridge.networks.base import Capabilities
from bridge.networks.memory import EVERYTHING, LINES
from bridge.store import Arrival
from haven.errors import Invalid
from haven.ids import EventId, RoomId, RoomVersion
from haven.ports import NewRoom
from tests.bridge.lives import BOT, CHAT, PATIENCE, Lives
from tests.fakes.homeserver_room import Event

SPACE = "!space"
AGAIN = "🔁"


class Village(Lives):
    """A linked group of a community: Alice is the plugin's bot, Eva a moderator, Greta a greeter."""

    admins: RoomId

    async def found(self) -> None:
        """Link the group, and have the bridge among the admins."""
        self.eva, self.greta = self.homeserver.person("eva"), self.homeserver.person("greta")
        power = {"users": {self.eva.user: 50, self.greta.user: 40}}
        self.admins = await self.alice.create_room(NewRoom("Admins", RoomVersion("12"), power=power))
        for room, kind in ((self.room, "group"), (self.admins, "admins")):
            record = {"version": 1, "community": SPACE, "kind": kind, "visibility": "open"}
            await self.alice.send_state(room, "chat.haven.group", "", record)
        for user in (BOT, self.eva.user, self.greta.user):
            await self.alice.invite(self.admins, user)
        for person in (self.eva, self.greta):
            await person.join(self.admins)
        await self.link()
        await self.until(lambda: self.homeserver.rooms[self.admins].membership(BOT) == "join")
        await self.known()

    async def known(self) -> None:
        """Wait until the bridge knows the admins' room."""
        await self.until(
            lambda: self.bridge is not None and self.bridge._admins.room_of(self.room) == self.admins
        )

    def by_bot(self, room: RoomId, kind: str = "m.room.message") -> list[Event]:
        """What the bridge's bot sent in a room and was not taken back."""
        timeline = self.homeserver.rooms[room].timeline
        gone = {one.redacts for one in timeline}
        return [one for one in timeline if one.type == kind and one.sender == BOT and one.id not in gone]

    def cards(self) -> list[str]:
        """The cards as they read now, by the order in which they came."""
        latest: dict[str, str] = {}
        for event in self.by_bot(self.admins):
            relation = event.content.get("m.relates_to", {})
            assert isinstance(relation, Mapping)
            if relation.get("rel_type") == "m.replace":
                latest[str(relation["event_id"])] = str(event.content["body"]).removeprefix("* ")
            elif not relation:
                latest[event.id] = str(event.content["body"])
        return list(latest.values())

    def marked(self) -> list[object]:
        """The messages that bear a mark."""
        relations = [event.content["m.relates_to"] for event in self.by_bot(self.room, "m.reaction")]
        return [relation["event_id"] for relation in relations if isinstance(relation, Mapping)]

    async def wish(self, who: str = "eva") -> None:
        """Somebody reacts to the latest card."""
        person = {"alice": self.alice, "eva": self.eva, "greta": self.greta}[who]
        cards = [one for one in self.by_bot(self.admins) if not one.content.get("m.relates_to")]
        relation = {"rel_type": "m.annotation", "event_id": cards[-1].id, "key": AGAIN}
        count = len(self.homeserver.rooms[self.admins].timeline)
        await person.send_message(self.admins, "m.reaction", {"m.relates_to": relation}, f"{who} {count}")

    async def offered(self) -> None:
        """Wait until a person may react to the card: it is offered, and the bridge knows it as one."""
        await self.until(lambda: len(self.by_bot(self.admins, "m.reaction")) == len(self.cards()) > 0)
        cards = [one for one in self.by_bot(self.admins) if not one.content.get("m.relates_to")]
        async with asyncio.timeout(PATIENCE):
            while not await self._is_card(cards[-1].id):  # noqa: ASYNC110  # a database sets no event
                await asyncio.sleep(0.005)

    async def _is_card(self, event: EventId) -> bool:
        known = await self.bridge._reports.aside.card_at(self.admins, event) if self.bridge else None
        return known is not None


@asynccontextmanager
async def in_a_village(tmp_path: Path, capabilities: Capabilities) -> AsyncIterator[Village]:
    village = Village(tmp_path, capabilities)
    await village.begin()
    await village.live()
    await village.found()
    yield village
    await village.end()


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[Village]:
    async with in_a_village(tmp_path, EVERYTHING) as village:
        yield village


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off as always, a hundred times as fast."""
    original = inbox_module.back_off
    monkeypatch.setattr(inbox_module, "back_off", lambda tries: original(tries) / 100)


async def test_a_message_is_marked_shown_and_carried_when_an_admin_asks(village: Village) -> None:
    village.town.refuse_sends = True
    lost = await village.say("lost for now")
    await village.until(lambda: len(village.cards()) == 1)
    assert village.marked() == [lost]
    (answer,) = village.by_bot(village.room)
    assert answer.content["m.relates_to"] == {"m.in_reply_to": {"event_id": lost}}
    assert "could not be carried to memory" in str(answer.content["body"])
    assert "a message could not be carried over" in village.cards()[0]
    assert "lost for now" not in village.cards()[0] + str(answer.content["body"])
    await village.offered()
    (offer,) = village.by_bot(village.admins, "m.reaction")
    assert isinstance(offer.content["m.relates_to"], Mapping)
    assert offer.content["m.relates_to"]["key"] == AGAIN
    village.town.refuse_sends = False
    await village.wish()
    await village.until(lambda: village.heard()[1:] == ["<Alice> lost for now"])
    await village.until(lambda: "carried over after all" in village.cards()[0])
    assert village.marked() == []
    await village.wish("alice")
    await village.say("and on")
    await village.until(lambda: "<Alice> and on" in village.heard())
    assert village.heard()[1:] == ["<Alice> lost for now", "<Alice> and on"]


async def test_several_share_a_card_and_keep_their_order(village: Village) -> None:
    village.town.refuse_sends = True
    for number in range(3):
        await village.say(f"line {number}")
    await village.until(lambda: len(village.marked()) == 3 and "3 messages" in village.cards()[-1])
    assert len(village.cards()) == 1
    await village.offered()
    await village.wish()
    await village.until(lambda: any("3 messages could not" in card for card in village.cards()[1:]))
    await village.until(lambda: "3 messages failed again" in village.cards()[0])
    assert len(village.marked()) == 3
    await village.offered()
    village.town.refuse_sends = False
    await village.wish()
    await village.until(lambda: "carried over after all" in village.cards()[1])
    assert village.heard()[1:] == [f"<Alice> line {number}" for number in range(3)]
    assert village.marked() == []


async def test_whoever_may_not_decide_is_told_so(village: Village) -> None:
    village.town.refuse_sends = True
    await village.say("lost for now")
    await village.offered()
    village.town.refuse_sends = False
    await village.wish("greta")
    await village.until(
        lambda: any("Only moderators" in str(one.content["body"]) for one in village.by_bot(village.admins))
    )
    await village.say("later")
    await village.until(lambda: "<Alice> later" in village.heard())
    assert village.heard()[1:] == ["<Alice> later"]
    assert village.marked() != []


async def test_who_said_it_in_the_chat_is_told_there(village: Village) -> None:
    village.homeserver.faults.fail_next(
        1, Invalid("homeserver_invalid", code="M_TOO_LARGE"), port="send_message"
    )
    await village.town.speak(CHAT, village.oscar, "too much")
    await village.until(lambda: len(village.heard()) == 2)
    assert "oscar: this message could not be carried to Matrix" in village.heard()[1]
    assert "too much" not in village.heard()[1]
    await village.offered()
    await village.wish()
    await village.until(lambda: village.said() == ["too much"])


async def test_without_an_admins_room_the_room_itself_hears_of_it(tmp_path: Path) -> None:
    lives = Lives(tmp_path, LINES)
    await lives.begin()
    await lives.live()
    await lives.link()
    lives.homeserver.faults.fail_next(
        1, Invalid("homeserver_invalid", code="M_TOO_LARGE"), port="send_message"
    )
    await lives.town.speak(CHAT, lives.oscar, "too much")
    timeline = lives.homeserver.rooms[lives.room].timeline
    await lives.until(
        lambda: any(
            "could not be carried over" in str(one.content.get("body"))
            for one in lives.homeserver.rooms[lives.room].timeline
            if one.sender == BOT
        )
    )
    assert timeline is not None
    await lives.end()


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 13))
async def test_a_crash_forgets_no_report_and_doubles_none(
    tmp_path: Path, at: int, after_effect: bool
) -> None:
    async with in_a_village(tmp_path, EVERYTHING) as village:
        village.town.refuse_sends = True
        village.fate.at, village.fate.after_effect = village.fate.steps + at, after_effect
        lost = await village.say("lost for now")
        await village.until(
            lambda: village.dead or (len(village.cards()) == 1 and village.marked() == [lost])
        )
        await village.live()
        await village.known()
        await village.until(lambda: len(village.by_bot(village.admins, "m.reaction")) == 1)
        assert village.marked() == [lost]
        assert len(village.cards()) == 1
        assert len(village.by_bot(village.room)) == 1


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 13))
async def test_a_crash_forgets_no_wish(tmp_path: Path, at: int, after_effect: bool) -> None:
    async with in_a_village(tmp_path, EVERYTHING) as village:
        village.town.refuse_sends = True
        await village.say("lost for now")
        await village.offered()
        village.town.refuse_sends = False
        village.fate.at, village.fate.after_effect = village.fate.steps + at, after_effect
        await village.wish()
        await village.until(lambda: village.dead or "after all" in village.cards()[0])
        await village.live()
        await village.until(lambda: "after all" in village.cards()[0])
        assert village.heard()[1:] == ["<Alice> lost for now"]
        assert village.marked() == []


async def test_a_damaged_item_stops_nothing(village: Village) -> None:
    assert village.bridge is not None
    for payload in ("no JSON", "[]", '{"to": "network"}', '{"to": "report"}'):
        await village.bridge._inbox.add([Arrival(payload, "damaged", payload)])
    await village.say("and on")
    await village.until(lambda: "<Alice> and on" in village.heard())
    store = village.store
    assert store is not None
    async with asyncio.timeout(PATIENCE):
        while (await store.counts()) != (0, 2):  # noqa: ASYNC110  # a database sets no event
            await asyncio.sleep(0.01)
    assert village.cards() == []
