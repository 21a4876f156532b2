"""What the fake homeserver takes for a well-formed event, and what a redaction leaves of one."""

import json
from collections.abc import Mapping
from typing import Final

from haven.errors import Invalid
from haven.ids import RoomVersion
from haven.ports import Content
from tests.fakes.homeserver_power import LEVELS, TABLES
from tests.fakes.homeserver_room import Draft

EVENT_LIMIT: Final = 65_536
"""Bytes of an event (spec: size limits)."""

TYPE_LIMIT: Final = 255
LARGEST: Final = 2**53 - 1

REQUIRED: Final = {
    "m.room.message": ("body", "msgtype"),
    "m.room.name": ("name",),
    "m.room.topic": ("topic",),
    "m.room.member": ("membership",),
    "m.room.tombstone": ("replacement_room",),
}
"""The strings that Synapse wants in an event of a type."""

KEPT: Final = {
    "m.room.member": ("membership", "join_authorised_via_users_server"),
    "m.room.join_rules": ("join_rule", "allow"),
    "m.room.power_levels": (*(name for name in LEVELS if name != "invite"), "users", "events"),
    "m.room.history_visibility": ("history_visibility",),
}
"""What survives a redaction in version 10 (spec: redactions); 11 and later also keep the level for invites."""


def check(draft: Draft) -> None:
    """Raise `Invalid` for what no room would take, whoever sends it."""
    _check_json(draft.content)
    if len(json.dumps(draft.content).encode()) > EVENT_LIMIT or len(draft.type.encode()) > TYPE_LIMIT:
        raise Invalid("homeserver_invalid", code="M_TOO_LARGE")
    if draft.key is not None and len(draft.key.encode()) > TYPE_LIMIT:
        raise Invalid("homeserver_invalid", code="M_TOO_LARGE")
    if not all(isinstance(draft.content.get(name), str) for name in REQUIRED.get(draft.type, ())):
        raise Invalid("homeserver_invalid", code="M_UNKNOWN")
    if draft.type == "m.room.power_levels":
        _check_levels(draft.content)


def pruned(event_type: str, content: Content, version: RoomVersion) -> Content:
    """What is left of the content of a redacted event."""
    kept = set(KEPT.get(event_type, ()))
    if event_type == "m.room.power_levels" and version != "10":
        kept.add("invite")
    return {name: value for name, value in content.items() if name in kept}


def _check_json(value: object) -> None:
    """Canonical JSON: whole numbers only, and none that a double could not hold."""
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > LARGEST):
        raise Invalid("homeserver_invalid", code="M_BAD_JSON")
    if isinstance(value, Mapping):
        for inner in value.values():
            _check_json(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_json(inner)


def _check_levels(content: Content) -> None:
    singles = [content[name] for name in LEVELS if name in content]
    tables = [content[name] for name in TABLES if name in content]
    levels = [level for one in tables if isinstance(one, Mapping) for level in one.values()]
    if not all(isinstance(one, Mapping) for one in tables) or any(
        type(level) is not int for level in (*singles, *levels)
    ):
        raise Invalid("homeserver_invalid", code="M_BAD_JSON")
