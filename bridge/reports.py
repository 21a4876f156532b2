"""Tells of what was set aside: marks the message for who sent it, shows it to the admins, has it tried again when one of them asks.

Each step is an item of the inbox itself, so that none is forgotten by a crash. Nothing here quotes what was said.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from haven.errors import GiveUp
from haven.ids import ChatId, EventId, RoomId, UserId
from haven.ids import Network as NetworkName

from .admins import Admins
from .aside import Aside, Card, Mark
from .homeserver import AppserviceHomeserver
from .i18n import Voice
from .links import Linked, Links
from .message import Kind, Message, Reply, spans
from .networks.acts import Outgoing, Say
from .networks.base import Network
from .networks.events import ChatEvent, Talk
from .rooms import Rooms
from .spelling import read
from .store import Arrival, Item
from .to_matrix import transaction_id
from .to_network import ToNetwork

AGAIN = "🔁"
"""The reaction to a card that has what it shows tried again."""
FAILED = "⚠️"
"""The reaction that marks a message as not carried."""

_Job = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """``push`` has stored items done; see `bridge.inbox.Inbox`."""

    homeserver: AppserviceHomeserver
    networks: Mapping[NetworkName, Network]
    links: Links
    rooms: Rooms
    admins: Admins
    aside: Aside
    to_network: ToNetwork
    voice: Voice
    push: Callable[[Iterable[Item]], None]

    def report(self, item: Item, reference: str) -> Arrival | None:
        """What is to be done about an item that is set aside; nothing about what is no message."""
        job: _Job = {}
        with suppress(ValueError):
            job = json.loads(item.payload)
        if (
            not isinstance(job, dict)
            or job.get("to") not in {"network", "matrix"}
            or not {"link", "event"} <= job.keys()
        ):
            return None
        about = {"to": "report", "link": job["link"], "lane": item.lane, "source": item.source}
        failed = {"event": job["event"], "reference": reference}
        # A lane of its own: what keeps this from being told must not keep the next message from being carried.
        return Arrival(f"report {reference}", f"report {job['link'][0]}", json.dumps(about | failed))

    async def handle(self, item: Item, job: _Job) -> None:
        """Do an item that is about others."""
        match job["to"]:
            case "report":
                await self._tell(item, job)
            case "redo":
                await self._redo(RoomId(job["room"]), EventId(job["event"]), UserId(job["by"]))
            case "redone":
                await self._close(job)
            case "ring":
                await self._tell_of_ring(job)

    # --- telling --------------------------------------------------------------------------------------------

    async def _tell(self, item: Item, job: _Job) -> None:
        link = self._link(job)
        if link is None or not link.proven:
            return
        if isinstance(job["event"], dict):
            await self._mark(link, job)
        else:
            await self._tell_chat(item, link, job)
        if not await self._show(link, job) and not isinstance(job["event"], dict):
            words = self.voice.say("said.failed", reference=job["reference"])
            await self._say(link.room, words, job["reference"])

    async def _mark(self, link: Linked, job: _Job) -> None:
        """A reaction to the message, and an answer. Where the room does not let us, the admins know of it all the same."""
        event, reference = job["event"]["event_id"], job["reference"]
        if not await self.aside.mark_of(job["source"]):
            relation = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": FAILED}}
            with suppress(GiveUp):
                transaction = self._transaction(link, f"mark {reference}")
                mark = await self.homeserver.send_message(link.room, "m.reaction", relation, transaction)
                await self.aside.keep_mark(job["lane"], Mark(job["source"], link.room, mark))
        words = self.voice.say("said.not_carried", network=link.network, reference=reference)
        answer = {"m.relates_to": {"m.in_reply_to": {"event_id": event}}}
        await self._say(link.room, words, reference, answer)

    async def _tell_chat(self, item: Item, link: Linked, job: _Job) -> None:
        """Say in the chat, to who said it there, that it was not carried."""
        network = self.networks.get(link.network)
        event: ChatEvent = read(job["event"], ChatEvent)
        person = event.person if isinstance(event, Talk) else None
        if network is None or person is None:
            return
        words = self.voice.say("said.not_carried_here", name=person.name, reference=job["reference"])
        reply = Reply(event.id) if network.capabilities.replies else None
        said = Say(Message(spans(words), Kind.NOTICE, reply))
        with suppress(GiveUp):
            await self.to_network.send(
                item, network, Outgoing(f"report {job['reference']}", link.chat, None, said)
            )

    async def _show(self, link: Linked, job: _Job) -> bool:
        """Have the lane's card in the admins' room say how much was set aside; whether there is such a room."""
        lane, number = job["lane"], await self.aside.number(job["lane"])
        words = self._words(link, "card.aside", n=number, reference=job["reference"])
        card = await self.aside.card(lane)
        if card is not None and card.room == self.admins.room_of(link.room):
            await self._edit(link, card, words, job["reference"])
            return True
        posted = await self.admins.tell(link.room, words, self._transaction(link, f"card {job['reference']}"))
        if posted is None:
            return False
        offer = {"m.relates_to": {"rel_type": "m.annotation", "event_id": posted[1], "key": AGAIN}}
        with suppress(GiveUp):
            transaction = self._transaction(link, f"offer {job['reference']}")
            await self.homeserver.send_message(posted[0], "m.reaction", offer, transaction)
        await self.aside.keep_card(Card(lane, *posted))  # last: until then a crash has all of it done again
        return True

    async def _tell_of_ring(self, job: _Job) -> None:
        link = self._link(job)
        if link is None:
            return
        words, about = self._words(link, "card.ring"), f"ring {job['lane']} {job['at']}"
        if await self.admins.tell(link.room, words, self._transaction(link, about)) is None:
            await self._say(link.room, words, self._transaction(link, about))

    # --- trying again ---------------------------------------------------------------------------------------

    async def _redo(self, room: RoomId, event: EventId, by: UserId) -> None:
        card = await self.aside.card_at(room, event)
        if card is None:
            return
        if not self.admins.decides(room, by):
            answer = {"m.relates_to": {"m.in_reply_to": {"event_id": event}}}
            await self._say(room, self.voice.say("card.not_you"), f"not {by} {event}", answer)
            return
        link = next((link for link in self.links if card.lane in {link.to_matrix, link.to_network}), None)
        if link is not None:
            words = self._words(link, "card.again", name=self.rooms.name_of(room, by))
            await self._edit(link, card, words, f"again {event}")
        about = {"to": "redone", "lane": card.lane, "card": [card.room, card.event]}
        where = {"link": [link.room, link.network, link.chat]} if link else {}
        self.push(
            await self.aside.take_again(
                card.lane, Arrival(f"redone {event}", card.lane, json.dumps(about | where))
            )
        )

    async def _close(self, job: _Job) -> None:
        """All that was tried again is behind us in the lane: take marks away, and say on the card how it went."""
        for mark in await self.aside.settled(job["lane"]):
            with suppress(GiveUp):
                await self.homeserver.redact(mark.room, mark.event, "", f"unmark {mark.event}")
            await self.aside.forget_mark(mark)
        link = self._link(job)
        if link is None:
            return
        failed = await self.aside.number(job["lane"])
        words = self._words(link, "card.failed_again" if failed else "card.done", n=failed)
        await self._edit(link, Card(job["lane"], *job["card"]), words, f"closed {job['card'][1]}")

    # --- words ----------------------------------------------------------------------------------------------

    def _link(self, job: _Job) -> Linked | None:
        if "link" not in job:
            return None
        room, network, chat = job["link"]
        return self.links.find(RoomId(room), NetworkName(network), ChatId(chat))

    def _words(self, link: Linked, phrase: str, **values: str | int) -> str:
        name = self.rooms.view(link.room).text("m.room.name", "name") or str(link.room)
        return self.voice.say(phrase, room=name, network=link.network, chat=link.chat, **values)

    def _transaction(self, link: Linked, about: str) -> str:
        return transaction_id(link, self.homeserver.user, about)

    async def _edit(self, link: Linked, card: Card, words: str, about: str) -> None:
        new = {"msgtype": "m.notice", "body": words, "m.mentions": {}}
        relation = {"rel_type": "m.replace", "event_id": card.event}
        content = {**new, "body": f"* {words}", "m.new_content": new, "m.relates_to": relation}
        with suppress(GiveUp):
            transaction = self._transaction(link, f"edit {about}")
            await self.homeserver.send_message(card.room, "m.room.message", content, transaction)

    async def _say(
        self, room: RoomId, words: str, about: str, more: Mapping[str, object] | None = None
    ) -> None:
        content = {"msgtype": "m.notice", "body": words, "m.mentions": {}, **(more or {})}
        with suppress(GiveUp):
            await self.homeserver.send_message(room, "m.room.message", content, f"say {about}")
