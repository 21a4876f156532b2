"""First steps: tells who has come what there is for them, once, and reminds them of the announcements, once.

Whoever has a direct chat with the bot reads it there; the others in the general chat as soon as they are in it, together with those who
came with them. Nobody is pinged, and when many come at once nobody is told anything.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from haven.errors import GiveUp, TryLater
from haven.ids import RoomId, UserId
from haven.model import Community, FirstSteps, Kind, Visibility
from haven.snapshot import Membership, World
from haven.succession import is_member

from ..durations import DAY, MINUTE
from ..replies import Replies
from ..service.communities import Communities
from ..service.groups import shown, shown_space
from ..service.notes import direct_chat, unmanaged
from ..service.texts import Text, text_in
from ..store_arrivals import Arrival
from ..timers import Timer, Timers
from ..wording import Line, Shown, head, item, line, person
from .arrivals import Arrivals
from .waves import Waves

STEPS = "steps"
REMIND = "reminder"
"""The kinds of timers."""

GATHER = 3_000
"""Milliseconds in which those who come together are gathered."""

BETWEEN = MINUTE
"""Milliseconds between two greetings in one general chat."""

GROUPS_SHOWN = 20
NAMES_SHOWN = 10


@dataclass(slots=True)
class Steps:
    """Greets and reminds. ``epoch``: ms since the epoch, now."""

    communities: Communities
    arrivals: Arrivals
    waves: Waves
    timers: Timers
    replies: Replies
    epoch: Callable[[], int]
    _spoke: dict[RoomId, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timers.rings[STEPS] = self._greet
        self.timers.rings[REMIND] = self._remind

    async def look(self, community: Community, world: World) -> None:
        """Have those greeted who can be reached now."""
        chats = unmanaged(world)
        waiting = await self.arrivals.waiting(community.space)
        if not any(self._reached(community, world, chats, one) for one in waiting):
            return
        if all(timer.key != community.space for timer in await self.timers.store.timers(STEPS)):
            earliest = self._spoke.get(community.space, 0) + BETWEEN
            await self.timers.set(STEPS, community.space, max(self.epoch() + GATHER, earliest))

    def _reached(self, community: Community, world: World, chats: World, one: Arrival) -> bool:
        """Whether they can be greeted, or need not be any more."""
        late = one.came < self.epoch() - DAY
        return late or bool(self._chat(chats, one.who)) or _is_in(community, world, Kind.GENERAL, one.who)

    def _chat(self, world: World, who: UserId) -> RoomId | None:
        return direct_chat(world, self.communities.loop.actors.bot, who)

    async def _greet(self, timer: Timer) -> None:
        space = RoomId(timer.key)
        world, intent = await self.communities.reading()
        community = intent.communities.get(space)
        if community is None or community.deactivated is not None:
            return
        chats, come = unmanaged(world), await self.arrivals.waiting(space)
        waiting = [one for one in come if self._reached(community, world, chats, one)]
        quiet = community.settings.first_steps is FirstSteps.OFF or await self.waves.is_on(community)
        late = [one for one in waiting if quiet or one.came < self.epoch() - DAY]
        await self.arrivals.greeted(*late, at=self.epoch())
        in_time = [one for one in waiting if one not in late]
        for one in in_time:
            if chat := self._chat(chats, one.who):
                lines = [
                    head("steps.welcome", name=shown_space(world, community)),
                    *_own(community, world),
                    *_steps(community, world),
                ]
                await self._tell(community, (one,), chat, lines)
        await self._greet_all(community, world, [one for one in in_time if not self._chat(chats, one.who)])

    async def _greet_all(self, community: Community, world: World, together: list[Arrival]) -> None:
        general = community.only(Kind.GENERAL)
        if general is not None and together:
            self._spoke[community.space] = self.epoch()
            lines = [
                head("steps.welcome_all", who=_names(together)),
                *_own(community, world),
                *_steps(community, world),
            ]
            await self._tell(community, tuple(together), general.room, lines)

    async def _tell(
        self, community: Community, to: tuple[Arrival, ...], room: RoomId, lines: list[Line]
    ) -> None:
        """Say it at most once, whatever comes between."""
        await self.arrivals.greeted(*to, at=self.epoch())
        transaction = f"steps.{to[0].space}.{to[0].who}.{to[0].came}"
        try:
            with suppress(GiveUp):
                await self.replies.tell(room, community.settings.language, lines, transaction)
        except TryLater:
            await self.arrivals.greeted(*to, at=0)
            raise
        for one in to:
            await self.timers.set(REMIND, f"{one.space} {one.who}", one.came + DAY)

    async def _remind(self, timer: Timer) -> None:
        """Who is not in the announcements, and never was, is told of them in their chat; without one they are invited.

        Where an admin asks for it, also who was invited before, and whatever the community does on its own.
        """
        space, _, who = timer.key.partition(" ")
        asked = timer.payload.get("asked", "")
        world, intent = await self.communities.reading()
        community = intent.communities.get(RoomId(space))
        news = community.only(Kind.ANNOUNCEMENTS) if community else None
        if community is None or news is None:
            return
        if not asked and community.settings.first_steps is FirstSteps.OFF:
            return
        user = UserId(who)
        held = world[news.room].members.get(user) if news.room in world else Membership.JOINED
        waits = {None, Membership.INVITED} if asked else {None}
        if held not in waits or not is_member(world, community, user):
            return
        chat = self._chat(world, user)
        with suppress(GiveUp):
            if chat is not None:
                told = line("steps.reminder", room=shown(world, community, news))
                transaction = f"reminder.{space}.{who}.{asked or timer.at}"
                await self.replies.tell(chat, community.settings.language, (told,), transaction)
            elif held is None:
                await self.communities.loop.hands.invite(news.room, user)


def _is_in(community: Community, world: World, kind: Kind, who: UserId) -> bool:
    group = community.only(kind)
    return group is not None and world[group.room].members.get(who) is Membership.JOINED


def _names(together: list[Arrival]) -> Shown:
    names = [person(one.who) for one in together[:NAMES_SHOWN]]
    more = " …" if len(together) > NAMES_SHOWN else ""
    return Shown(", ".join(name.text for name in names) + more, ", ".join(name.html for name in names) + more)


def _own(community: Community, world: World) -> list[Line]:
    """The community's own words for newcomers, and what has been agreed on."""
    language = community.settings.language
    texts = {kind: text_in(world, community.space, kind, language) for kind in (Text.WELCOME, Text.RULES)}
    keys = {Text.WELCOME: "text.words", Text.RULES: "show.rules"}
    return [line(keys[kind], text=text) for kind, text in texts.items() if text]


def _steps(community: Community, world: World) -> Iterator[Line]:
    """The rooms that one may join, as links."""
    news, general = community.only(Kind.ANNOUNCEMENTS), community.only(Kind.GENERAL)
    if news is not None:
        yield line("steps.announcements", room=shown(world, community, news))
    if general is not None:
        yield line("steps.general", room=shown(world, community, general))
    groups = [group for group in community.groups if group.kind is Kind.GROUP]
    seen = [group for group in groups if group.visibility is not Visibility.HIDDEN and not group.archived]
    told = seen[:GROUPS_SHOWN]
    if told:
        yield line("steps.groups")
    for group in told:
        key = "steps.group" if group.visibility is Visibility.OPEN else "steps.group_on_request"
        yield item(key, room=shown(world, community, group))
    yield line("steps.more")
