"""How the fake homeserver founds a room: the events that `createRoom` makes, in the order Synapse 1.163 makes them."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from haven.errors import Invalid
from haven.ids import EventId, RoomId, UserId, server_of
from haven.ports import Content, NewRoom
from tests.fakes.homeserver_room import Draft, copied

VERSIONS: Final = frozenset({"10", "11", "12"})

FIRST_LEVELS: Final = {
    "m.room.name": 50,
    "m.room.power_levels": 100,
    "m.room.history_visibility": 100,
    "m.room.canonical_alias": 50,
    "m.room.avatar": 50,
    "m.room.tombstone": 100,
    "m.room.server_acl": 100,
    "m.room.encryption": 100,
}
"""The levels by event type that Synapse gives a new room; a tombstone takes 150 in version 12."""

Key = tuple[str, str]


def check_wanted(creator: UserId, room: NewRoom) -> None:
    """Raise `Invalid` for what Synapse refuses before it makes anything."""
    if room.version not in VERSIONS:
        raise Invalid("homeserver_invalid", code="M_UNSUPPORTED_ROOM_VERSION")
    users = room.power.get("users")
    creator_unlisted = room.version != "12" and isinstance(users, Mapping) and creator not in users
    if creator_unlisted or not all(_is_user(user) for user in room.invite):
        raise Invalid("homeserver_invalid", code="M_UNKNOWN")
    more = room.creation.get("additional_creators", [])
    if room.version == "12" and not (isinstance(more, list) and all(_is_user(one) for one in more)):
        raise Invalid("homeserver_invalid", code="M_FORBIDDEN")


def founding(creator: UserId, room: NewRoom) -> tuple[Draft, Draft]:
    """The ``m.room.create`` event and the creator's join (without their name)."""
    content = {**copied(room.creation), "room_version": room.version}
    if room.version == "10":
        content["creator"] = creator
    create = Draft(creator, "m.room.create", content, "")
    return create, Draft(creator, "m.room.member", {"membership": "join"}, creator)


def first_state(creator: UserId, room: NewRoom) -> Iterator[Draft]:
    """What follows the founding; the preset is ``private_chat``, as where none is asked for."""
    wanted: dict[Key, Content] = {(event.type, event.key): copied(event.content) for event in room.state}
    levels = wanted.pop(("m.room.power_levels", ""), None) or _first_levels(creator, room)
    yield Draft(creator, "m.room.power_levels", levels, "")
    for (event_type, key), content in _of_the_preset().items():
        if (event_type, key) not in wanted:
            yield Draft(creator, event_type, content, key)
    for (event_type, key), content in wanted.items():
        yield Draft(creator, event_type, content, key)
    if room.name:
        yield Draft(creator, "m.room.name", {"name": room.name}, "")
    if room.topic:
        topic = {"topic": room.topic, "m.topic": {"m.text": [{"body": room.topic}]}}
        yield Draft(creator, "m.room.topic", topic, "")


def room_id(seed: str, creator: UserId, version: str) -> RoomId:
    """A room id in the shape of the version: without a server in version 12 (MSC4291)."""
    if version == "12":
        return RoomId(f"!{digest(seed)}")
    letters = "".join(letter for letter in digest(seed) if letter.isalpha())
    return RoomId(f"!{letters[:18]}:{server_of(creator)}")


def event_id(seed: str) -> EventId:
    """An event id: 43 characters of URL-safe base64."""
    return EventId(f"${digest(seed)}")


def digest(seed: str) -> str:
    """SHA-256 in unpadded URL-safe base64."""
    return base64.urlsafe_b64encode(hashlib.sha256(seed.encode()).digest()).decode().rstrip("=")


def _first_levels(creator: UserId, room: NewRoom) -> Content:
    """Synapse's own levels, with the caller's written over them name by name (not merged deeper)."""
    old = room.version != "12"
    levels: dict[str, object] = {
        "users": {creator: 100} if old else {},
        "users_default": 0,
        "events": FIRST_LEVELS if old else {**FIRST_LEVELS, "m.room.tombstone": 150},
        "events_default": 0,
        "state_default": 50,
        "ban": 50,
        "kick": 50,
        "redact": 50,
        "invite": 0,
        "historical": 100,
        **room.power,
    }
    return copied(levels)


def _of_the_preset() -> dict[Key, Content]:
    return {
        ("m.room.join_rules", ""): {"join_rule": "invite"},
        ("m.room.history_visibility", ""): {"history_visibility": "shared"},
        ("m.room.guest_access", ""): {"guest_access": "can_join"},
    }


def _is_user(raw: object) -> bool:
    return isinstance(raw, str) and raw.startswith("@") and ":" in raw
