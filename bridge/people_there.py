"""A chat's side of what people may do: what the network says of them, and how it is asked to change that."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from haven.errors import GiveUp
from haven.ids import ChatId, RemoteUserId, UserId

from .networks.base import ListsMembers, Network
from .networks.events import Person, Role
from .networks.people import Bans, KnowsAccounts, ListsBans, PutsOut, SetsRoles
from .standing import BANNED, About, Change, Key, Rank, Standing, told_apart

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody in a chat, as the network says. ``banned``: ``None`` where it does not say; ``bans``: it can be asked to, all the same.

    ``accounts``: who is a Matrix member's own account, by the member's id. By that they are known here, and kept: whoever has their
    data erased is found by it.
    """

    people: Mapping[RemoteUserId, Person]
    banned: frozenset[RemoteUserId] | None = None
    accounts: Mapping[RemoteUserId, RemoteUserId] = field(default_factory=dict)
    bans: bool = False

    @property
    def owners(self) -> Mapping[RemoteUserId, UserId]:
        """The members who have an account in the chat."""
        return {person: UserId(person) for person in self.accounts}

    def standing(
        self, people: Iterable[RemoteUserId], ranks: tuple[Rank, ...], agreed: Standing
    ) -> dict[Key, str]:
        """What the network says of these people, as far as power levels can say it; of bans that it does not tell, what was agreed."""
        hidden = agreed.items() if self.banned is None else ()
        found = {key: value for key, value in hidden if key[0] == About.BAN}
        for person in people:
            role = told_apart(self.people[person].role, ranks) if person in self.people else Role.MEMBER
            if role is not Role.MEMBER:
                found[About.ROLE, person] = role
            if person in (self.banned or ()):
                found[About.BAN, person] = BANNED
        return found

    def tells(self, key: Key) -> bool:
        """Whether the network says anything of it: of the role of somebody who is away it says nothing."""
        about, person = key
        if about == About.ROLE:
            return person in self.people
        return person not in self.accounts and (self.bans or self.banned is not None)


async def crowd_of(network: Network, chat: ChatId) -> Crowd | None:
    """Who is in a chat; ``None`` where the network does not say, or says that nobody is. Raises `TryLater`."""
    if not isinstance(network, ListsMembers):
        return None
    listed = await network.members(chat)
    if not listed:
        return None
    owned = await network.accounts(chat) if isinstance(network, KnowsAccounts) else ()
    everybody = {person.id: person for person in listed}
    everybody |= {RemoteUserId(user): person for user, person in owned}
    accounts = {RemoteUserId(user): person.id for user, person in owned}
    return Crowd(everybody, await _banned(network, chat), accounts, isinstance(network, Bans))


async def _banned(network: Network, chat: ChatId) -> frozenset[RemoteUserId] | None:
    if not isinstance(network, ListsBans):
        return None
    try:
        return frozenset(await network.banned(chat))
    except GiveUp:
        return None


async def carry_out(network: Network, chat: ChatId, change: Change) -> bool | None:
    """Have the network change it. ``None`` where it knows no such thing, ``False`` where it refuses. Raises `TryLater`."""
    try:
        if change.about == About.ROLE:
            if not isinstance(network, SetsRoles):
                return None
            await network.set_role(chat, change.person, Role(change.value or Role.MEMBER))
        elif not isinstance(network, Bans):
            return None
        elif change.value is None:
            await network.unban(chat, change.person)
        else:
            await network.ban(chat, change.person)
    except GiveUp as error:
        log.info("A network refuses to change what somebody may do: %s", error)
        return False
    return True


async def put_out(network: Network, chat: ChatId, person: RemoteUserId) -> bool | None:
    """Have the network put somebody out of the chat; answers as `carry_out`."""
    if not isinstance(network, PutsOut):
        return None
    try:
        await network.put_out(chat, person)
    except GiveUp as error:
        log.info("A network refuses to put somebody out: %s", error)
        return False
    return True
