"""What the rooms of a community say of themselves: the records, and what is kept of what is said in them."""

from haven.ids import RoomId
from haven.model import Community, Group, Kind
from haven.ports import Content
from haven.snapshot import World
from haven.stateevents import (
    COMMUNITY,
    ENCRYPTION,
    GROUP,
    HISTORY,
    RETENTION,
    CommunityRecord,
    GroupRecord,
    community_content,
    encryption_content,
    group_content,
    history_content,
    retention_content,
)


def community_record(community: Community, world: World) -> Content:
    """``chat.haven.community`` for a community, on top of what its space says."""
    space = world.get(community.space)
    record = CommunityRecord(
        name=community.name,
        owner=community.owner,
        announcements=_room_of(community, Kind.ANNOUNCEMENTS),
        general=_room_of(community, Kind.GENERAL),
        admins=_room_of(community, Kind.ADMINS),
        settings=community.settings,
        deactivated=community.deactivated,
        muted=community.muted,
        lockdown=community.lockdown,
        successor=community.successor,
    )
    return community_content(record, space.content(COMMUNITY) if space else {})


def _room_of(community: Community, kind: Kind) -> RoomId | None:
    group = community.only(kind)
    return group.room if group else None


def group_record(community: Community, group: Group, world: World) -> Content:
    """``chat.haven.group`` for a room, on top of what it says."""
    room = world.get(group.room)
    record = GroupRecord(
        community.space, group.kind, group.visibility, group.exceptions, group.archived, group.released
    )
    return group_content(record, room.content(GROUP) if room else {})


def keeping(group: Group, world: World) -> dict[tuple[str, str], Content]:
    """What is kept of what is said: for newcomers, for how long, and from whom."""
    room = world.get(group.room)
    before = {kind: room.content(kind) if room else {} for kind in (HISTORY, RETENTION, ENCRYPTION)}
    state = {
        HISTORY: history_content(group.history, before[HISTORY]),
        RETENTION: retention_content(group.retention, before[RETENTION]),
        ENCRYPTION: encryption_content(group.encrypted, before[ENCRYPTION]),
    }
    return {(kind, ""): content for kind, content in state.items() if content or before[kind]}
