"""Keeps people alike on both sides of a link: faces, who has gone, roles, bans, and who was put out.

Nothing is decided from what an event says: the room's state, the network's lists and what both last agreed on are read, everything is
decided (`bridge.standing`), then done; what takes away comes last. Doing it twice is as good as once, so a crash is made good by
the next look.
"""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import replace

from haven.ids import Network as NetworkName
from haven.ids import RemoteUserId, UserId

from .admins import Admins
from .ghosts import Ghosts
from .i18n import Voice
from .links import Linked
from .networks.base import Network
from .people_here import HereSide, record_of
from .people_there import Crowd, carry_out, crowd_of, put_out
from .rooms import Rooms
from .standing import MOST, About, Change, Decision, Key, Standing, decide, left_out
from .store_standing import Standings

log = logging.getLogger(__name__)


class People:
    """The people of all links."""

    def __init__(
        self,
        *,
        here: HereSide,
        standings: Standings,
        rooms: Rooms,
        ghosts: Ghosts,
        admins: Admins,
        voice: Voice,
    ) -> None:
        self._here = here
        self._standings = standings
        self._rooms = rooms
        self._ghosts = ghosts
        self._admins = admins
        self._voice = voice
        self._called: set[Linked] = set()
        self._refused: set[tuple[Linked, Change]] = set()
        self._told: set[str] = set()

    def connected(self, network: NetworkName) -> None:
        """A network is reached again: who has gone meanwhile is looked for, and what it refused is tried anew."""
        self._called = {link for link in self._called if link.network != network}
        self._refused = {(link, change) for link, change in self._refused if link.network != network}

    async def ended(self, link: Linked) -> None:
        """A link is no more."""
        self._called.discard(link)
        await self._standings.forget(link)

    async def settle(self, link: Linked, network: Network) -> None:
        """Compare the two sides and make them alike. Raises `TryLater` where one does not answer."""
        await self._ghosts.in_step(link.network, link.room)
        crowd = await crowd_of(network, link.chat)
        if crowd is None:
            return
        await self._let_go(link, crowd)
        before = await self._standings.of(link)
        out = await self._put_out(link, network, crowd, before)
        standing = await self._agree(link, network, crowd, before)
        await self._standings.keep(link, before, {**standing, **out})

    # --- who has gone ---------------------------------------------------------------------------------------

    async def _let_go(self, link: Linked, crowd: Crowd) -> None:
        """Ghosts of people who went while we were not looking leave. While we look, the network says who goes."""
        if link in self._called:
            return
        joined = self._rooms.view(link.room).joined
        inside = self._ghosts.of_network(link.network, joined)
        gone = left_out(frozenset(inside), frozenset(crowd.people))
        if gone is None:
            await self._tell(link, "people.many_gone", "", n=len(inside.keys() - crowd.people.keys()))
        for person in sorted(gone or ()):
            await self._ghosts.leave(link.network, person, link.room)
        self._called.add(link)

    async def _put_out(
        self, link: Linked, network: Network, crowd: Crowd, before: Standing
    ) -> dict[Key, str]:
        """Who was put out of the room is put out of the chat, once. A ban that was lifted looks the same, and is none."""
        events = self._rooms.view(link.room).put_out
        gone = self._ghosts.of_network(link.network, events)
        kept: dict[Key, str] = {(About.OUT, person): str(events[ghost]) for person, ghost in gone.items()}
        news = [
            person
            for person in sorted(gone)
            if before.get((About.OUT, person)) != kept[About.OUT, person]
            and (About.BAN, person) not in before
            and person in crowd.people
        ]
        if len(news) > MOST:
            await self._tell(link, "people.held_back", "out", n=len(news))
            return {key: event for key, event in kept.items() if before.get(key) == event}
        for person in news:
            if await put_out(network, link.chat, person) is False:
                name = self._ghosts.called(gone[person])
                await self._tell(link, "people.refused", kept[About.OUT, person], name=name)
        return kept

    # --- roles and bans -------------------------------------------------------------------------------------

    async def _agree(self, link: Linked, network: Network, crowd: Crowd, before: Standing) -> dict[Key, str]:
        agreed = {key: value for key, value in before.items() if key[0] != About.OUT}
        people = self._people(link, crowd, agreed)
        ranks = self._here.ranks(link.room)
        here, there, known = (
            {key: value for key, value in side.items() if self._is_compared(key, network, crowd)}
            for side in (
                self._here.standing(link.room, people),
                crowd.standing(people, ranks, agreed),
                agreed,
            )
        )
        decision = decide(here, there, known)
        await self._report(link, people, decision)
        now = {**{key: value for key, value in agreed.items() if key not in known}, **decision.agreed}
        for change in await self._carry_here(link, people, crowd, decision, there):
            _note(now, change)
        for change in await self._carry_there(link, network, people, crowd, decision):
            _note(now, change)
        return dict(now)

    def _people(self, link: Linked, crowd: Crowd, agreed: Standing) -> dict[RemoteUserId, UserId]:
        """Whom the two sides can speak of: people with a ghost that is or was in the room, or is banned, and Matrix members with an account."""
        view = self._rooms.view(link.room)
        found = self._ghosts.of_network(link.network, (*view.joined, *view.banned))
        for person in {person for _, person in agreed} | (crowd.banned or frozenset()):
            ghost = self._ghosts.ghost(link.network, person)
            found |= {person: ghost} if ghost is not None else {}
        members = {person: user for person, user in crowd.owners.items() if user in view.joined}
        return {**found, **members}

    @staticmethod
    def _is_compared(key: Key, network: Network, crowd: Crowd) -> bool:
        return crowd.tells(key) and (key[0] != About.ROLE or network.capabilities.roles)

    async def _carry_here(
        self,
        link: Linked,
        people: dict[RemoteUserId, UserId],
        crowd: Crowd,
        decision: Decision,
        there: Standing,
    ) -> list[Change]:
        """Bring into the room what changed in the chat; what of it is so now. No network gives roles to Matrix members."""
        wanted = [change for change in decision.here if change.person not in crowd.owners]
        roles = [change for change in wanted if change.about == About.ROLE]
        record = record_of(self._rooms.view(link.room))
        done: list[Change] = []
        if record is None and roles:
            given = await self._here.give(link, roles, people)
            done += [change for change in roles if change.key in given]
        elif record is not None and self._here.ranks(link.room):
            theirs = {
                person
                for about, person in there
                if about == About.ROLE and (about, person) not in decision.conflicts
            }
            kept = theirs - {change.person for change in decision.there} - crowd.owners.keys()
            away = self._here.lent(link) - {people[person] for person in people if person in crowd.people}
            await self._here.lend(link, record.kind, {people[person] for person in kept} | away)
            await self._overruled(link, people, roles)
        for change in wanted:
            if change.about == About.BAN and await self._here.ban(link, people[change.person], change.value):
                done.append(change)
        return done

    async def _carry_there(
        self,
        link: Linked,
        network: Network,
        people: dict[RemoteUserId, UserId],
        crowd: Crowd,
        decision: Decision,
    ) -> list[Change]:
        """Bring into the chat what changed in the room; what of it is so now. What was refused is not asked for again."""
        done = []
        for change in decision.there:
            if (link, change) in self._refused:
                continue
            there = replace(change, person=crowd.accounts.get(change.person, change.person))
            so = await carry_out(network, link.chat, there)
            if so:
                done.append(change)
            elif so is False:
                self._refused.add((link, change))
                await self._tell_of(link, "people.refused", change.key, people, change.value)
        return done

    # --- telling --------------------------------------------------------------------------------------------

    async def _report(self, link: Linked, people: dict[RemoteUserId, UserId], decision: Decision) -> None:
        for key in sorted(decision.conflicts):
            await self._tell_of(link, "people.conflict", key, people, "")
        if decision.held_back:
            await self._tell(link, "people.held_back", "", n=decision.held_back)

    async def _overruled(
        self, link: Linked, people: dict[RemoteUserId, UserId], roles: Iterable[Change]
    ) -> None:
        """Tell of roles that the community has given or taken by its own word, which the chat's does not change."""
        record = record_of(self._rooms.view(link.room))
        for change in roles:
            if record is not None and people[change.person] in record.exceptions:
                await self._tell_of(link, "people.overruled", change.key, people, change.value)

    async def _tell_of(
        self, link: Linked, phrase: str, key: Key, people: dict[RemoteUserId, UserId], value: str | None
    ) -> None:
        user = people[key[1]]
        name = self._ghosts.called(user) or self._rooms.name_of(link.room, user)
        await self._tell(link, phrase, f"{key} {value}", name=name)

    async def _tell(self, link: Linked, phrase: str, about: str, **values: str | int) -> None:
        """Tell the admins, once as long as it is so."""
        words = f"{phrase}\0{link.to_matrix}\0{link.event}\0{about}"
        transaction = hashlib.sha256(words.encode()).hexdigest()
        if transaction in self._told:
            return
        self._told.add(transaction)
        room = self._rooms.view(link.room).text("m.room.name", "name") or str(link.room)
        said = self._voice.say(phrase, room=room, network=link.network, **values)
        if await self._admins.tell(link.room, said, transaction) is None:
            log.info("Nobody could be told of what differs about people on %s", link.network)


def _note(agreed: dict[Key, str], change: Change) -> None:
    agreed.pop(change.key, None)
    if change.value is not None:
        agreed[change.key] = change.value
