"""The way of one Matrix event into a chat of a network.

Most networks cannot be told the same thing twice without saying it twice. So each part is claimed in the
database directly before it is written to the network, after all waiting for pace: a part that was claimed
counts as written, whatever happens to us then. A network that keeps a history is asked for it: a part that is not there is
sent. Elsewhere, a crash in the instant between the claim and the write loses the part; a crash at any other place loses nothing and
doubles nothing. While we live we know better: a send that fails is unclaimed, and tried again.
"""

from collections.abc import Sequence
from dataclasses import replace

from haven.errors import GiveUp, HavenError, TryLater
from haven.ids import RemoteMessageId

from .convert.polls import END, RESPONSE
from .links import Linked
from .networks.acts import Outgoing, Receipt, Sender
from .networks.base import LooksUp, Network
from .reactions import Reactions
from .rooms import Rooms
from .spoken import Doing, Spoken
from .store import Item, Pair, Store
from .votes import Votes
from .wording import Wording


class ToNetwork:
    """Carries what people say in rooms to networks."""

    def __init__(
        self, store: Store, rooms: Rooms, *, wording: Wording, reactions: Reactions, votes: Votes
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._wording = wording
        self._reactions = reactions
        self._votes = votes
        self._claimed: dict[int, int] = {}

    async def carry(self, item: Item, link: Linked, network: Network, spoken: Spoken) -> Sequence[Pair]:
        """Do in the chat what ``spoken`` says; the pairs that came of it."""
        doing = await self._doing(link, network, spoken)
        if doing is None:
            return ()
        sender = Sender(spoken.sender, self._rooms.name_of(link.room, spoken.sender))
        receipt = await self.send(item, network, Outgoing(spoken.event, link.chat, sender, doing.act))
        messages = ((0, doing.gesture),) if doing.gesture is not None else receipt.messages
        return [
            Pair(link.network, link.chat, message, part, link.room, spoken.event, spoken.sender)
            for part, message in messages
        ]

    async def send(self, item: Item, network: Network, outgoing: Outgoing) -> Receipt:
        """Send what comes of ``item``, each part once, however often the item is tried."""
        known = await self._find_again(item, network, outgoing) if item.seq not in self._claimed else ()
        before = self._claimed.setdefault(item.seq, item.claimed)
        refused = False

        async def claim(part: int) -> bool:
            nonlocal refused
            if part < self._claimed[item.seq]:
                return False
            try:
                await self._store.claim(item, part + 1)
            except TryLater:
                refused = True  # by our database: all that was claimed before went out
                raise
            self._claimed[item.seq] = part + 1
            return True

        try:
            receipt = await network.send(outgoing, claim)
        except HavenError as error:
            if self._claimed[item.seq] > before and not refused:
                # The network says that the last part did not go out after all.
                self._claimed[item.seq] -= 1
                await self._store.claim(item, self._claimed[item.seq])
            if isinstance(error, GiveUp):
                del self._claimed[item.seq]
            raise
        del self._claimed[item.seq]
        return replace(receipt, messages=(*known, *receipt.messages))

    async def _find_again(
        self, item: Item, network: Network, outgoing: Outgoing
    ) -> tuple[tuple[int, RemoteMessageId], ...]:
        """The parts that went out in an earlier life. The last one claimed then is in doubt, and sent where it cannot be found."""
        if not item.claimed or not (network.capabilities.history and isinstance(network, LooksUp)):
            return ()
        found = [(part, await network.sent(outgoing, part)) for part in range(item.claimed)]
        if found[-1][1] is None:
            await self._store.claim(item, item.claimed - 1)
            self._claimed[item.seq] = item.claimed - 1
        return tuple((part, message) for part, message in found if message is not None)

    async def _doing(self, link: Linked, network: Network, spoken: Spoken) -> Doing | None:
        if spoken.type == "m.room.redaction":
            return await self._reactions.redaction(link, network, spoken)
        if spoken.type == "m.reaction":
            return await self._reactions.reaction(link, network, spoken)
        if spoken.type in RESPONSE:
            return await self._votes.vote(link, network, spoken)
        if spoken.type in END:
            return await self._votes.end(link, network, spoken)
        act = await self._wording.act(link, network, spoken)
        return Doing(act) if act is not None else None
