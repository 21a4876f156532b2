"""Turns ``chat.haven.*`` and ``m.bridge`` content into values and back (CONTRACT, "Room state").

Reading is tolerant: an unknown field is kept when we write again, an unknown value of a setting falls back to its default,
and content that cannot be understood raises `Invalid`, which callers report and survive. Writing always starts from what is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from haven.errors import Invalid
from haven.ids import ChatId, Network, RoomId, UserId, is_user_id
from haven.measures import (
    Lockdown,
    Mute,
    lockdown_content,
    mutes_content,
    read_lockdown,
    read_mutes,
)
from haven.model import History, Kind, Link, Release, Role, Settings, Visibility
from haven.ports import Content

COMMUNITY = "chat.haven.community"
GROUP = "chat.haven.group"
RECORDS = (COMMUNITY, GROUP)
LINK = "chat.haven.link"
CHILD = "m.space.child"
PARENT = "m.space.parent"
BRIDGE = "m.bridge"
BRIDGE_UNSTABLE = "uk.half-shot.bridge"
HISTORY = "m.room.history_visibility"
RETENTION = "m.room.retention"
ENCRYPTION = "m.room.encryption"
MEGOLM = "m.megolm.v1.aes-sha2"
STATUS = "chat.haven.status"
SLOT = "chat.haven.slot"
"""In the content of ``m.room.create``: which room of which founding this is."""

VERSION = 1


Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class CommunityRecord:
    """``chat.haven.community``: what the space says of its community."""

    name: str
    owner: UserId
    announcements: RoomId | None = None
    general: RoomId | None = None
    admins: RoomId | None = None
    settings: Settings = field(default_factory=Settings)
    deactivated: int | None = None
    muted: Mapping[UserId, Mute] = field(default_factory=dict)
    lockdown: Lockdown | None = None
    successor: UserId | None = None


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """``chat.haven.group``: what a room says of its place in a community."""

    community: RoomId
    kind: Kind
    visibility: Visibility = Visibility.OPEN
    exceptions: Mapping[UserId, Role] = field(default_factory=dict)
    archived: bool = False
    released: Release | None = None


class LinkState(StrEnum):
    """What became of a link, as ``chat.haven.status`` in ``m.bridge`` says."""

    CONNECTING = "connecting"
    PROOF = "proof"
    LINKED = "linked"
    BROKEN = "broken"
    UNLINKED = "unlinked"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """State of one link. ``since`` in ms since the epoch; ``reason`` a phrase key; ``code`` only while a proof is awaited."""

    network: Network
    chat: ChatId
    state: LinkState
    since: int
    reason: str = ""
    code: str = ""


def _checked_version(content: Content) -> None:
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise Invalid("state_damaged", field="version")
    if version > VERSION:
        raise Invalid("state_newer", version=version)


def _text(content: Content, name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid("state_damaged", field=name)
    return value


def _user(content: Content, name: str) -> UserId:
    value = _text(content, name)
    if not _is_user(value):
        raise Invalid("state_damaged", field=name)
    return UserId(value)


def _is_user(value: object) -> bool:
    return isinstance(value, str) and is_user_id(value)


def _room(content: Content, name: str) -> RoomId | None:
    value = content.get(name)
    return RoomId(value) if isinstance(value, str) and value else None


def _time(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_settings(value: object) -> Settings:
    """Settings out of JSON; what is unknown or of the wrong type falls back to the default."""
    settings = Settings()
    for setting in fields(Settings):
        wanted = value.get(setting.name) if isinstance(value, Mapping) else None
        try:
            settings = replace(
                settings, **{setting.name: _setting(type(getattr(settings, setting.name)), wanted)}
            )
        except (ValueError, Invalid):
            continue
    return settings


def _setting(kind: type, wanted: object) -> Any:
    if isinstance(wanted, bool) or not isinstance(wanted, int if kind is int else str):
        raise Invalid("state_damaged", field="settings")
    return kind(wanted)


def read_community(content: Content) -> CommunityRecord:
    """Read ``chat.haven.community``. Raises `Invalid` when it is damaged or newer than we are."""
    _checked_version(content)
    return CommunityRecord(
        name=_text(content, "name"),
        owner=_user(content, "owner"),
        announcements=_room(content, "announcements"),
        general=_room(content, "general"),
        admins=_room(content, "admins"),
        settings=read_settings(content.get("settings")),
        deactivated=_time(content.get("deactivated")),
        muted=read_mutes(content.get("muted")),
        lockdown=read_lockdown(content.get("lockdown")),
        successor=_user(content, "successor") if _is_user(content.get("successor")) else None,
    )


def community_content(record: CommunityRecord, before: Content) -> Content:
    """``chat.haven.community`` for ``record``, on top of the content ``before``, whose unknown fields stay."""
    old = before.get("settings")
    settings = {s.name: getattr(record.settings, s.name) for s in fields(Settings)}
    plain = {name: value if isinstance(value, int) else str(value) for name, value in settings.items()}
    rooms = {"announcements": record.announcements, "general": record.general, "admins": record.admins}
    kept = {name: value for name, value in before.items() if name not in {*rooms, *_COMES_AND_GOES}}
    content = {
        **kept,
        "version": VERSION,
        "name": record.name,
        "owner": record.owner,
        **{name: room for name, room in rooms.items() if room is not None},
        "settings": {**(old if isinstance(old, Mapping) else {}), **plain},
    }
    return {**content, **_passing(record, before)}


_COMES_AND_GOES = ("deactivated", "muted", "lockdown", "successor")


def _passing(record: CommunityRecord, before: Content) -> Content:
    """What is only there while it holds."""
    locked, old = record.lockdown, before.get("lockdown")
    held: dict[str, object] = {
        "deactivated": record.deactivated,
        "successor": record.successor,
        "muted": mutes_content(record.muted, before.get("muted")) or None,
        "lockdown": None if locked is None else lockdown_content(locked, old),
    }
    return {name: value for name, value in held.items() if value is not None}


def read_group(content: Content) -> GroupRecord:
    """Read ``chat.haven.group``. Raises `Invalid` when it is damaged or newer than we are."""
    _checked_version(content)
    community = RoomId(_text(content, "community"))
    kind = _one_of(Kind, content.get("kind"), "kind")
    visibility = _one_of(Visibility, content.get("visibility", str(Visibility.OPEN)), "visibility")
    return GroupRecord(
        community,
        kind,
        visibility,
        _read_exceptions(content),
        archived=content.get("archived") is True,
        released=_read_release(content.get("released")),
    )


def _read_release(value: object) -> Release | None:
    """Only what we wrote sets a group free."""
    return Release(value) if isinstance(value, str) and value in set(Release) else None


def _one_of(kind: type[Choice], value: object, name: str) -> Choice:
    """Never a default: taking a hidden room that we cannot read for an open one would open it."""
    try:
        return kind(str(value))
    except ValueError:
        raise Invalid("state_damaged", field=name) from None


_EXCEPTIONS: Mapping[object, Role] = {str(role): role for role in Role if role is not Role.OWNER}


def _pairs(content: Content) -> tuple[tuple[object, object], ...]:
    value = content.get("exceptions")
    return tuple(value.items()) if isinstance(value, Mapping) else ()


def _is_exception(user: object, role: object) -> bool:
    return isinstance(user, str) and is_user_id(user) and isinstance(role, str) and role in _EXCEPTIONS


def _read_exceptions(content: Content) -> dict[UserId, Role]:
    pairs = _pairs(content)
    return {UserId(str(user)): _EXCEPTIONS[role] for user, role in pairs if _is_exception(user, role)}


def group_content(record: GroupRecord, before: Content) -> Content:
    """``chat.haven.group`` for ``record``, on top of ``before``, whose unknown fields and unreadable exceptions stay."""
    unread: dict[str, object] = {
        str(user): role for user, role in _pairs(before) if not _is_exception(user, role)
    }
    kept = {name: value for name, value in before.items() if name not in {"archived", "released"}}
    return {
        **kept,
        **({"archived": True} if record.archived else {}),
        **({"released": str(record.released)} if record.released else {}),
        "version": VERSION,
        "community": record.community,
        "kind": str(record.kind),
        "visibility": str(record.visibility),
        "exceptions": unread | {user: str(role) for user, role in record.exceptions.items()},
    }


def read_link(content: Content) -> Link | None:
    """Read ``chat.haven.link``; ``None`` for the empty content that stands for "unlinked". Raises `Invalid` when damaged."""
    if "network" not in content:
        return None
    _checked_version(content)
    return Link(
        network=Network(_text(content, "network")),
        chat=ChatId(_text(content, "chat")),
        by=_user(content, "by"),
        whole=content.get("whole") is True,
        proven=content.get("proven") is True,
    )


def link_content(link: Link, before: Content) -> Content:
    """``chat.haven.link`` for ``link``, on top of the content ``before``, whose unknown fields stay."""
    return {
        **before,
        "version": VERSION,
        "network": link.network,
        "chat": link.chat,
        "whole": link.whole,
        "by": link.by,
        "proven": link.proven,
    }


def read_history(content: Content) -> History:
    """What ``m.room.history_visibility`` means to newcomers."""
    shared = content.get("history_visibility") in ("shared", "world_readable")
    return History.SHARED if shared else History.JOINED


def history_content(history: History, before: Content) -> Content:
    """``m.room.history_visibility``; what says the same already stays, but for what lets the whole world read along."""
    said = before.get("history_visibility") in ("joined", "invited", "shared")
    return before if said and read_history(before) is history else {"history_visibility": str(history)}


def read_retention(content: Content) -> int | None:
    """After how many ms messages disappear by ``m.room.retention`` (MSC1763)."""
    lifetime = _time(content.get("max_lifetime"))
    return lifetime if lifetime is not None and lifetime > 0 else None


def retention_content(retention: int | None, before: Content) -> Content:
    """``m.room.retention``, on top of the content ``before``, whose other fields stay."""
    if read_retention(before) == retention:
        return before
    others = {name: value for name, value in before.items() if name != "max_lifetime"}
    return others if retention is None else {**others, "max_lifetime": retention}


def is_encrypted(content: Content) -> bool:
    """Whether ``m.room.encryption`` names a way of encrypting."""
    return isinstance(content.get("algorithm"), str)


def encryption_content(encrypted: bool, before: Content) -> Content:
    """``m.room.encryption``, which nobody can take back."""
    return {"algorithm": MEGOLM} if encrypted and not is_encrypted(before) else before


def bridge_key(network: Network, chat: ChatId) -> str:
    """The state key of ``m.bridge`` for a chat."""
    return f"haven://{network}/{chat}"


def bridge_content(
    status: LinkStatus, bot: UserId, creator: UserId, network_name: str, chat_name: str
) -> Content:
    """``m.bridge`` (MSC2346) for a link; ``network_name`` and ``chat_name`` are what people read."""
    known = {"state": str(status.state), "since": status.since, "reason": status.reason, "code": status.code}
    return {
        "bridgebot": bot,
        "creator": creator,
        "protocol": {"id": status.network, "displayname": network_name},
        "channel": {"id": status.chat, "displayname": chat_name},
        STATUS: {name: value for name, value in known.items() if value != ""},
    }


def read_status(content: Content) -> LinkStatus | None:
    """The state of a link out of ``m.bridge``; ``None`` where the event is not ours or is damaged."""
    status, protocol, channel = content.get(STATUS), content.get("protocol"), content.get("channel")
    if not (isinstance(status, Mapping) and isinstance(protocol, Mapping) and isinstance(channel, Mapping)):
        return None
    since = status.get("since")
    try:
        return LinkStatus(
            network=Network(_text(protocol, "id")),
            chat=ChatId(_text(channel, "id")),
            state=LinkState(str(status.get("state"))),
            since=since if isinstance(since, int) else 0,
            reason=str(status.get("reason", "")),
            code=str(status.get("code", "")),
        )
    except (ValueError, Invalid):
        return None
