"""A community's own ban list: a room in which its bans stand as ``m.policy.rule.user`` for others to watch, as long as it publishes them.

Only what the bot has written there is ever taken back. Bans that follow somebody else's list are not passed on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from haven.banlists import BanLists, marked, own_list, own_slot
from haven.ids import RoomId, UserId, is_ghost
from haven.model import Community
from haven.policies import BAN, POLICY_ROOM, SHORTCODE, TYPES, Subject
from haven.ports import NO_EVENT, Content, CreatesRoom, NewRoom, StateEvent
from haven.snapshot import Room, World, census
from haven.stateevents import HISTORY, SLOT
from haven.texts import NAME_LIMIT

from ..replies import Replies
from ..service.communities import Communities
from ..wording import Term
from .lists import Lists

AT_ONCE = 20
"""How many rules are written in one look: other communities do not wait for thousands."""

RULE = TYPES[Subject.USER][0]
JOIN_RULES = "m.room.join_rules"
CLOSED = {"events_default": 100, "state_default": 100, "invite": 100, "kick": 100, "ban": 100, "redact": 100}


@dataclass(frozen=True, slots=True)
class OwnList:
    """Keeps the lists that communities publish. ``creation``: makes each room once, by its slot."""

    communities: Communities
    lists: Lists
    creation: CreatesRoom
    replies: Replies

    async def publish(self, space: RoomId, *, on: bool) -> BanLists:
        """Publish the bans of a community, or take them all back; the list itself is made, or emptied, by `look`. Raises as `Lists.edit`."""
        return await self.lists.edit(space, lambda lists: replace(lists, publishes=on))

    async def look(self, community: Community, world: World, lists: BanLists) -> bool:
        """Bring the list in step with the bans of the community; gives whether there is more to do. Raises `TryLater`."""
        room = own_list(lists, community.space, world, self.communities.loop.actors.bot)
        if room is None:
            if not lists.publishes:
                return False
            await self._made(community, world)
            return True
        meant = _meant(community) if lists.publishes else {}
        wrong = _differences(room, meant, self.communities.loop.actors.bot)
        for key, content in wrong[:AT_ONCE]:
            await self._write(room, RULE, key, content)
        rule = {"join_rule": "public" if lists.publishes else "invite"}
        if room.content(JOIN_RULES) != rule:
            await self._write(room, JOIN_RULES, "", rule)
        return len(wrong) > AT_ONCE

    async def _write(self, room: Room, kind: str, key: str, content: Content) -> None:
        await self.communities.loop.hands.send_state(room.id, kind, key, content)

    async def _made(self, community: Community, world: World) -> None:
        """Make the room, or find it again, and write it down."""
        bot, slot = self.communities.loop.actors.bot, own_slot(community.space)
        known = (room.id for room in census(world).by_slot.get(slot, ()) if room.maker == bot)
        room = next(known, None) or await self.creation.create_room(self._new(community, slot))
        self.communities.rooms.doubt((room,))
        await self.communities.rooms.observe()
        await self.lists.edit(community.space, lambda lists: replace(lists, own=room))

    def _new(self, community: Community, slot: str) -> NewRoom:
        actors = self.communities.loop.actors
        wording = self.replies.wording(community.settings.language)
        name = wording.text(Term("banlist.room_name", {"name": community.name}))[:NAME_LIMIT]
        state: Mapping[str, Content] = {
            JOIN_RULES: {"join_rule": "public"},
            HISTORY: {"history_visibility": "shared"},
            "m.room.guest_access": {"guest_access": "forbidden"},
            SHORTCODE: {"shortcode": name},
        }
        return NewRoom(
            name,
            actors.version,
            creation={SLOT: slot, "type": POLICY_ROOM},
            state=tuple(
                StateEvent(kind, "", actors.bot, content, NO_EVENT) for kind, content in state.items()
            ),
            power=CLOSED,
        )


def _meant(community: Community) -> dict[str, Content]:
    """The rules that shall stand there, by their state key (which is the one that Mjolnir and Draupnir give them)."""
    own = {who: why for who, why in community.banned.items() if not marked(why) and not is_ghost(who)}
    return {_key(who): {"entity": who, "recommendation": BAN, "reason": why} for who, why in own.items()}


def _key(user: UserId) -> str:
    return f"rule:{user}"


def _differences(room: Room, meant: Mapping[str, Content], bot: UserId) -> list[tuple[str, Content]]:
    stands = {event.key: event for event in room.keyed(RULE)}
    missing = [
        (key, rule) for key, rule in sorted(meant.items()) if key not in stands or not stands[key].content
    ]
    ours = (event for event in stands.values() if event.sender == bot and event.content)
    return [*((event.key, {}) for event in ours if event.key not in meant), *missing]
