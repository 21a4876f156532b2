"""The two sides of a whole community, read for `haven.accord`: ours out of room state, the network's out of what it says. Pure.

A room counts where the community's bot says so in the room, and the space lists it. Hidden groups, archives and the admins' room are
nobody's business on a network.
"""

from collections.abc import Callable, Iterator, Mapping

from haven.accord import Branch, Face, Here, Part, There, Trait
from haven.errors import Invalid
from haven.ids import ChatId, Network, RoomId
from haven.model import Kind, Visibility
from haven.stateevents import CHILD, COMMUNITY, GROUP, LINK, SLOT, GroupRecord, read_group, read_link
from haven.texts import NAME_LIMIT, readable_description

from .networks.structure import Look, RemoteCommunity
from .rooms import Rooms, RoomView

PART_OF = "part_of"
"""In the content of ``chat.haven.link``: the community on the network whose link this one belongs to."""

_PARTS: Mapping[Kind, Part] = {
    Kind.ANNOUNCEMENTS: Part.ANNOUNCEMENTS,
    Kind.GENERAL: Part.GENERAL,
    Kind.GROUP: Part.GROUP,
}


def here_side(rooms: Rooms, space: RoomId, network: Network) -> Here:
    """Our side, as far as the bridge is in the rooms."""
    hall = rooms.view(space)
    branches = ((room, _branch(rooms.view(room), record, network)) for room, record in groups(rooms, space))
    return Here(_face(hall, hall.topic), dict(branches))


def groups(rooms: Rooms, space: RoomId) -> Iterator[tuple[RoomId, GroupRecord]]:
    """The rooms of the community that people of networks may know of."""
    hall = rooms.view(space)
    said = hall.state.get((COMMUNITY, ""))
    if said is None or not said.content:
        return
    for room in sorted(rooms):
        view = rooms.view(room)
        event = view.state.get((GROUP, ""))
        listed = isinstance(hall.content(CHILD, room).get("via"), list)
        if event is None or event.sender != said.sender or not listed or view.replaced_by:
            continue
        try:
            record = read_group(event.content)
        except Invalid:
            continue
        if record.community == space and _is_shared(record):
            yield room, record


def space_of(rooms: Rooms, room: RoomId) -> RoomId | None:
    """The space of the community that a room says it belongs to."""
    named = rooms.view(room).text(GROUP, "community")
    return RoomId(named) if named else None


def is_let_go(rooms: Rooms, space: RoomId, room: RoomId) -> bool:
    """Whether our side has let a room go: the space lists it no more, or the room says that it is nobody's business on a network. That
    the bridge does not see a room says nothing.
    """
    if not isinstance(rooms.view(space).content(CHILD, room).get("via"), list):
        return (COMMUNITY, "") in rooms.view(space).state
    try:
        return not _is_shared(read_group(rooms.view(room).content(GROUP)))
    except Invalid:
        return False


def _is_shared(record: GroupRecord) -> bool:
    shown = record.visibility is not Visibility.HIDDEN and not record.archived and not record.released
    return shown and record.kind in _PARTS


def _branch(view: RoomView, record: GroupRecord, network: Network) -> Branch:
    made, said = view.state.get(("m.room.create", "")), view.state[GROUP, ""]
    slot = view.text("m.room.create", SLOT) if made is not None and made.sender == said.sender else ""
    return Branch(_PARTS[record.kind], _face(view), linked_chat(view, network), slot)


def linked_chat(view: RoomView, network: Network) -> ChatId | None:
    """The chat of the network that a room is to be linked to."""
    for (kind, key), event in view.state.items():
        if kind == LINK and key.startswith(f"{network}:"):
            try:
                link = read_link(event.content)
            except Invalid:
                continue
            if link is not None and link.key == key:
                return link.chat
    return None


def parts_of(
    rooms: Rooms, space: RoomId, network: Network, community: ChatId
) -> Iterator[tuple[RoomId, ChatId]]:
    """The links that belong to that of a whole community, as the rooms of the ``space`` say: another space may have asked for the same."""
    for room in sorted(rooms):
        if space_of(rooms, room) != space:
            continue
        for (kind, _), event in rooms.view(room).state.items():
            if kind != LINK or event.content.get(PART_OF) != community:
                continue
            try:
                link = read_link(event.content)
            except Invalid:
                continue
            if link is not None and link.network == network:
                yield room, link.chat


def _face(view: RoomView, topic: str | None = None) -> Face:
    """``topic``: where it is ours to compare; that of a group is (`bridge.topics`) carried by what is said in its chat."""
    face = {Trait.NAME: view.text("m.room.name", "name")}
    return face if topic is None else {**face, Trait.TOPIC: topic}


def there_side(remote: RemoteCommunity, *, founds: bool, slot_of: Callable[[ChatId], str] = str) -> There:
    """The network's side, its names made safe to show. ``slot_of``: the slot of the room that was made because of a chat."""
    chats = {
        member.chat: Branch(member.part, look_face(member.look), slot=slot_of(member.chat))
        for member in remote.groups
    }
    return There(look_face(remote.look, topic=True), chats, founds)


def look_face(look: Look, *, topic: bool = False) -> Face:
    """What the network shows, as it may stand in a room."""
    face = {Trait.NAME: " ".join(readable_description(look.name).split())[:NAME_LIMIT] or "?"}
    if topic:
        face[Trait.TOPIC] = readable_description(look.topic)
    return face
