"""A whole community linked to a whole community: reads both sides, has `haven.accord` decide, and carries it out step by step.

After each step what is agreed is kept, and each step can be done again: a crash anywhere is made good by the next look.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping

from haven.accord import (
    Accord,
    Agreed,
    Forget,
    FoundHere,
    FoundThere,
    Join,
    LetGoHere,
    LetGoThere,
    ShowHere,
    ShowThere,
    Step,
    There,
    Trait,
    accord,
)
from haven.errors import GiveUp, Guarded, Refused
from haven.ids import ChatId, Network, RoomId
from haven.model import Link
from haven.stateevents import LINK, link_content
from haven.wishes import WISHED, Asking, Wish

from .admins import Admins
from .agreed import Treaties, Treaty
from .applications import Applications
from .asks import Asks
from .homeserver import AppserviceHomeserver
from .i18n import Voice
from .links import Linked
from .networks.base import Network as NetworkPort
from .networks.structure import HasCommunities, Look, RemoteCommunity, SetsLooks, ShapesCommunities
from .rooms import Rooms
from .sides import PART_OF, here_side, is_let_go, parts_of, there_side

log = logging.getLogger(__name__)


def _unheard(room: RoomId) -> None:
    """Nobody looks at rooms."""


class Structure:
    """Keeps whole communities alike. ``nudge``: told a room whose links have changed by our own hand."""

    def __init__(
        self,
        *,
        homeserver: AppserviceHomeserver,
        rooms: Rooms,
        treaties: Treaties,
        admins: Admins,
        asks: Asks,
        voice: Voice,
    ) -> None:
        self._homeserver = homeserver
        self._rooms = rooms
        self._treaties = treaties
        self._admins = admins
        self._asks = asks
        self._voice = voice
        self._applications = Applications(asks, rooms)
        self.nudge: Callable[[RoomId], None] = _unheard

    async def announcements(self, link: Linked, network: NetworkPort) -> ChatId:
        """The chat in which an admin of the community on the network can prove the link. Raises `Refused` where a network has no
        communities.
        """
        remote = await self._remote(link, network)
        found = there_side(remote, founds=False).announcements
        if found is None:
            raise Refused("network_no_such_chat")
        return found

    async def outlook(self, link: Linked, network: NetworkPort) -> Accord:
        """What would be done now. Raises `Guarded`, `GiveUp` and `TryLater`."""
        treaty = await self._treaties.recall(link, self._rooms.view(link.room).replaces)
        remote = await self._remote(link, network)
        return self._judge(link, treaty, self._there(link, network, remote))[0]

    async def settle(self, link: Linked, network: NetworkPort) -> None:
        """Look at both sides and do what makes them agree. Raises `TryLater` where a side cannot be reached."""
        treaty = await self._treaties.recall(link, self._rooms.view(link.room).replaces)
        remote = await self._remote(link, network)
        try:
            found, beside = self._judge(link, treaty, self._there(link, network, remote))
        except Guarded as error:
            await self._tell(link, treaty, "structure.empty", f"guard {error.key}")
            return
        treaty.forget("guard")
        treaty.take(found.agreed, beside)
        await self._tell_all(link, treaty, found)
        await self._treaties.keep(link, treaty)
        failed = set()
        for step in found.steps:
            failed.add(await self._try(link, network, treaty, step))
            await self._treaties.keep(link, treaty)
        treaty.forget("failed", failed)
        await self._treaties.keep(link, treaty)
        applications = await self._applications.wishes(link, network, treaty.pairs)
        await self._asks.settle(link.room, self._scope(link), {**self._wishes(link, found), **applications})

    async def end(self, space: RoomId, network: Network, community: ChatId) -> None:
        """The whole is linked no more: end the links that belonged to it, and ask nothing any more."""
        for room, chat in tuple(parts_of(self._rooms, space, network, community)):
            await self._unlink(room, network, chat)
        scope = self._asks.name(f"{network}\0{community}")
        await self._asks.settle(space, scope, {})
        await self._treaties.tear(space, f"{network}:{community}")

    # --- reading and judging --------------------------------------------------------------------------------

    async def _remote(self, link: Linked, network: NetworkPort) -> RemoteCommunity:
        if not isinstance(network, HasCommunities):
            raise Refused("network_cannot")
        return await network.community(link.chat)

    def _there(self, link: Linked, network: NetworkPort, remote: RemoteCommunity) -> There:
        """The network's side, with the slots of the rooms that were asked for because of its chats."""
        scope, founds = self._scope(link), isinstance(network, ShapesCommunities)
        return there_side(
            remote, founds=founds, slot_of=lambda chat: f"{WISHED}{scope}:{self._group_key(chat)}"
        )

    def _group_key(self, chat: ChatId) -> str:
        return self._asks.name(f"group\0{chat}")

    def _judge(self, link: Linked, treaty: Treaty, there: There) -> tuple[Accord, Mapping[ChatId, RoomId]]:
        """What is to be done, and the pairs that nothing can be said of now: the bridge cannot see the room, and the space has it
        still.
        """
        here = here_side(self._rooms, link.room, link.network)
        pairs = {chat: self._today(room) for chat, room in treaty.pairs.items()}
        beside = {
            chat: room
            for chat, room in pairs.items()
            if room not in here.rooms and not is_let_go(self._rooms, link.room, room)
        }
        seen = There(
            there.face, {c: b for c, b in there.chats.items() if c not in beside}, founds=there.founds
        )
        agreed = Agreed({c: r for c, r in pairs.items() if c not in beside}, treaty.agreed.faces)
        return accord(link.room, here, seen, agreed), beside

    def _today(self, room: RoomId) -> RoomId:
        """Where a room is today: it may have been upgraded."""
        new = self._rooms.view(room).replaced_by
        return new if new is not None and self._rooms.view(new).replaces == room else room

    def _scope(self, link: Linked) -> str:
        return self._asks.name(f"{link.network}\0{link.chat}")

    def _wishes(self, link: Linked, found: Accord) -> dict[str, Asking]:
        wishes: dict[str, Asking] = {}
        for step in found.steps:
            match step:
                case FoundHere(chat, branch):
                    topic = branch.face.get(Trait.TOPIC, "")
                    asking = Asking(link.network, chat, Wish.GROUP, branch.name, topic)
                    wishes[self._group_key(chat)] = asking
                case LetGoHere(room, chat, name):
                    asking = Asking(link.network, chat, Wish.ARCHIVE, name, room=room)
                    wishes[self._asks.name(f"archive\0{chat}")] = asking
        return wishes

    # --- doing ----------------------------------------------------------------------------------------------

    async def _try(self, link: Linked, network: NetworkPort, treaty: Treaty, step: Step) -> str:
        """Do it; what was told of it where it failed, else ""."""
        try:
            await self._do(link, network, treaty, step)
        except GiveUp as error:
            log.warning("Two sides of a community could not be brought together: %s", error)
            key, values = step.line()
            what, about = self._voice.say(f"accord.{key}", **values), f"failed {key} {values}"
            await self._tell(link, treaty, "structure.failed", about, what=what)
            return about
        return ""

    async def _do(self, link: Linked, network: NetworkPort, treaty: Treaty, step: Step) -> None:
        match step:
            case Join(room, chat):
                await self._join(link, treaty, room, chat)
            case FoundThere(room, branch):
                if isinstance(network, ShapesCommunities):
                    look = Look(branch.name, self._rooms.view(room).topic)
                    chat = await network.add_group(link.chat, look)
                    treaty.faces[chat] = {Trait.NAME: (branch.name, branch.name)}
                    await self._join(link, treaty, room, chat)
            case ShowHere():
                await self._show_here(step, treaty)
            case ShowThere():
                await self._show_there(link, network, step, treaty)
            case LetGoHere() | LetGoThere() | Forget():
                await self._let_go(link, network, treaty, step)
            case FoundHere():
                pass  # asked of the house, once all is known

    async def _let_go(
        self, link: Linked, network: NetworkPort, treaty: Treaty, step: LetGoHere | LetGoThere | Forget
    ) -> None:
        await self._unlink(step.room, link.network, step.chat)
        if isinstance(step, LetGoThere) and isinstance(network, ShapesCommunities):
            await network.release_group(link.chat, step.chat)
        if isinstance(step, Forget):
            treaty.pairs.pop(step.chat, None)

    async def _join(self, link: Linked, treaty: Treaty, room: RoomId, chat: ChatId) -> None:
        """The link of one group; what proves the whole proves it."""
        one = Link(link.network, chat, link.by, proven=True)
        content = link_content(one, {PART_OF: link.chat})
        await self._write(room, LINK, one.key, content)
        treaty.pairs[chat] = room
        self.nudge(room)

    async def _unlink(self, room: RoomId, network: Network, chat: ChatId) -> None:
        if self._rooms.view(room).content(LINK, f"{network}:{chat}"):
            await self._write(room, LINK, f"{network}:{chat}", {})
            self.nudge(room)

    async def _show_here(self, step: ShowHere, treaty: Treaty) -> None:
        value = step.ends[1]
        match step.trait:
            case Trait.NAME:
                await self._write(step.room, "m.room.name", "", {"name": value})
            case Trait.TOPIC:
                content = {"topic": value, "m.topic": {"m.text": [{"body": value}]}}
                await self._write(step.room, "m.room.topic", "", content)
        treaty.faces.setdefault(step.scope, {})[step.trait] = (value, value)

    async def _show_there(self, link: Linked, network: NetworkPort, step: ShowThere, treaty: Treaty) -> None:
        if not isinstance(network, SetsLooks):
            return
        chat, value = ChatId(step.scope or link.chat), step.ends[0]
        match step.trait:
            case Trait.NAME:
                await network.set_name(chat, value)
            case Trait.TOPIC:
                await network.set_description(chat, value)
        treaty.faces.setdefault(step.scope, {})[step.trait] = (value, value)

    async def _write(self, room: RoomId, kind: str, key: str, content: Mapping[str, object]) -> None:
        event = await self._homeserver.send_state(room, kind, key, content)
        self._rooms.view(room).note(kind, key, self._homeserver.user, content, event)

    # --- telling --------------------------------------------------------------------------------------------

    async def _tell_all(self, link: Linked, treaty: Treaty, found: Accord) -> None:
        """Tell the admins what only they can decide, once; and forget what is so no more."""
        treaty.forget("conflict", {f"conflict {each}" for each in found.conflicts})
        for conflict in found.conflicts:
            phrase = f"structure.conflict_{conflict.trait}"
            values = {"name": conflict.name, "here": conflict.ends[0], "there": conflict.ends[1]}
            await self._tell(link, treaty, phrase, f"conflict {conflict}", **values)
        for phrase, number in (("structure.withheld", found.withheld), ("structure.beyond", found.beyond)):
            if number:
                await self._tell(link, treaty, phrase, f"{phrase} {number}", n=number)
            else:
                treaty.forget(phrase)

    async def _tell(self, link: Linked, treaty: Treaty, phrase: str, about: str, **values: str | int) -> None:
        if about in treaty.told:
            return
        words = self._voice.say(phrase, network=str(link.network), **values)
        transaction = hashlib.sha256(f"{link.room}{link.event}{about}{treaty.ended}".encode()).hexdigest()[
            :32
        ]
        await self._admins.tell(link.room, words, transaction)
        treaty.told.add(about)
        await self._treaties.keep(link, treaty)
