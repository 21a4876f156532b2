"""How people come and go on the fake homeserver: what Synapse 1.163 does around the rules themselves (all measured)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from haven.errors import Missing, Refused
from haven.ids import RoomId, UserId, server_of
from haven.ports import Content
from tests.fakes.homeserver_auth import RESTRICTED, allowed_through, could_invite, join_rule
from tests.fakes.homeserver_room import Draft, Room

if TYPE_CHECKING:
    from tests.fakes.homeserver import FakeHomeserver


def join(server: "FakeHomeserver", room_id: RoomId, user: UserId, via: Sequence[str]) -> None:
    """Join by invite, public or restricted rule. `Missing` where no server is known that could let the user in."""
    room = _reached(server, room_id, user, via)
    if room.membership(user) == "join":
        return
    content = {"membership": "join", **server.profile(user)}
    if join_rule(room) in RESTRICTED and room.membership(user) not in {"invite", "ban"}:
        content["join_authorised_via_users_server"] = _authoriser(server, room, user)
    server.put(room, Draft(user, "m.room.member", content, user))


def knock(server: "FakeHomeserver", room_id: RoomId, user: UserId, via: Sequence[str], reason: str) -> None:
    """Ask to be let in."""
    room = _reached(server, room_id, user, via)
    content = _with_reason({"membership": "knock", **server.profile(user)}, reason)
    server.put(room, Draft(user, "m.room.member", content, user))


def leave(server: "FakeHomeserver", room_id: RoomId, user: UserId) -> None:
    """Leave, refuse an invite or take back a knock; nothing happens to one who left already."""
    room = _known(server, room_id)
    if room.membership(user) != "leave":
        server.put(room, Draft(user, "m.room.member", {"membership": "leave"}, user))


def invite(server: "FakeHomeserver", room_id: RoomId, sender: UserId, user: UserId) -> None:
    """Invite a user."""
    content = {"membership": "invite", **server.profile(user)}
    server.put(server.entered(room_id), Draft(sender, "m.room.member", content, user))


def kick(server: "FakeHomeserver", room_id: RoomId, sender: UserId, user: UserId, reason: str) -> None:
    """Remove a user, take back an invite or refuse a knock; refused for one who is out or banned."""
    room = _known(server, room_id)
    if room.membership(user) not in {"join", "invite", "knock"}:
        raise Refused("homeserver_refused", code="M_FORBIDDEN")
    content = _with_reason({"membership": "leave"}, reason)
    server.put(room, Draft(sender, "m.room.member", content, user))


def ban(server: "FakeHomeserver", room_id: RoomId, sender: UserId, user: UserId, reason: str) -> None:
    """Ban a user, also one who never was here."""
    content = _with_reason({"membership": "ban"}, reason)
    server.put(server.entered(room_id), Draft(sender, "m.room.member", content, user))


def unban(server: "FakeHomeserver", room_id: RoomId, sender: UserId, user: UserId) -> None:
    """Lift a ban; refused for one who is here or has left."""
    room = _known(server, room_id)
    if room.membership(user) not in {"", "ban"}:
        raise Refused("homeserver_refused", code="M_BAD_STATE")
    server.put(room, Draft(sender, "m.room.member", {"membership": "leave"}, user))


def _known(server: "FakeHomeserver", room_id: RoomId) -> Room:
    room = server.rooms.get(room_id)
    if room is None:
        raise Missing("homeserver_missing", code="M_UNKNOWN")
    return room


def _reached(server: "FakeHomeserver", room_id: RoomId, user: UserId, via: Sequence[str]) -> Room:
    """The room, where the user's server is in it, or knows of one that is: through an invite or ``via``."""
    room = _known(server, room_id)
    reachable = {server_of(user), *via} & room.servers() or room.membership(user) == "invite"
    if not reachable:
        raise Missing("homeserver_missing", code="M_UNKNOWN")
    return room


def _authoriser(server: "FakeHomeserver", room: Room, user: UserId) -> UserId:
    """Whose power to invite lets the user in: one of their own server if there is one."""
    able = could_invite(room)
    if not able:
        raise Missing("homeserver_missing", code="M_UNKNOWN")
    if not any(server.is_joined(allowed, user) for allowed in allowed_through(room)):
        raise Refused("homeserver_refused", code="M_FORBIDDEN")
    return next((one for one in able if server_of(one) == server_of(user)), able[0])


def _with_reason(content: Content, reason: str) -> Content:
    return {**content, "reason": reason} if reason else content
