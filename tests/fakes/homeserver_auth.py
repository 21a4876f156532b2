"""The authorization rules of the fake homeserver: who may send what into a room (spec: room versions 10 to 12)."""

from haven.errors import Refused
from haven.ids import UserId
from haven.ports import Content
from tests.fakes.homeserver_power import check_new_levels, power
from tests.fakes.homeserver_room import Draft, Room

KNOCKABLE = frozenset({"knock", "knock_restricted"})
RESTRICTED = frozenset({"restricted", "knock_restricted"})


def authorise(room: Room, draft: Draft) -> None:
    """Raise `Refused` where the room's rules forbid the event, `Invalid` where a level is listed that may not be."""
    if draft.type == "m.room.member":
        _authorise_membership(room, draft)
        return
    _require(room.membership(draft.sender) == "join")
    levels = power(room)
    _require(levels.of(draft.sender) >= levels.to_send(draft.type, state=draft.key is not None))
    if draft.key is not None and draft.key.startswith("@"):
        _require(draft.key == draft.sender)
    if draft.type == "m.room.power_levels":
        check_new_levels(room, draft)
    if draft.redacts:
        _authorise_redaction(room, draft)


def join_rule(room: Room) -> str:
    """The join rule in force: ``invite`` where none is said."""
    return str(room.content("m.room.join_rules").get("join_rule", "invite"))


def allowed_through(room: Room) -> tuple[str, ...]:
    """The rooms whose members may join a restricted room."""
    allow = room.content("m.room.join_rules").get("allow")
    rules = allow if isinstance(allow, list) else []
    return tuple(
        str(rule.get("room_id"))
        for rule in rules
        if isinstance(rule, dict) and rule.get("type") == "m.room_membership"
    )


def could_invite(room: Room) -> tuple[UserId, ...]:
    """The joined users with the power to invite: those who can authorise a restricted join."""
    levels = power(room)
    return tuple(user for user in room.members() if levels.of(user) >= levels.named("invite"))


def _authorise_membership(room: Room, draft: Draft) -> None:
    target = UserId(draft.key or "")
    rules = {"join": _join, "invite": _invite, "leave": _leave, "ban": _ban, "knock": _knock}
    rule = rules.get(str(draft.content["membership"]))
    _require(rule is not None)
    if rule is not None:
        rule(room, draft.sender, target, draft.content)


def _join(room: Room, sender: UserId, target: UserId, content: Content) -> None:
    before = room.membership(target)
    _require(sender == target and before != "ban")
    if before in {"join", "invite"} or join_rule(room) == "public":
        return
    _require(join_rule(room) in RESTRICTED)
    _require(content.get("join_authorised_via_users_server") in could_invite(room))


def _invite(room: Room, sender: UserId, target: UserId, _content: Content) -> None:
    _require(room.membership(sender) == "join" and room.membership(target) not in {"join", "ban"})
    _require(power(room).of(sender) >= power(room).named("invite"))


def _leave(room: Room, sender: UserId, target: UserId, _content: Content) -> None:
    before = room.membership(target)
    if sender == target:
        _require(before in {"join", "invite", "knock"})
        return
    _require(room.membership(sender) == "join")
    levels = power(room)
    if before == "ban":
        _require(levels.of(sender) >= levels.named("ban"))
    _require(levels.of(sender) >= levels.named("kick") and levels.of(sender) > levels.of(target))


def _ban(room: Room, sender: UserId, target: UserId, _content: Content) -> None:
    levels = power(room)
    _require(room.membership(sender) == "join")
    _require(levels.of(sender) >= levels.named("ban") and levels.of(sender) > levels.of(target))


def _knock(room: Room, sender: UserId, target: UserId, _content: Content) -> None:
    _require(sender == target and join_rule(room) in KNOCKABLE)
    _require(room.membership(target) not in {"join", "invite", "ban"})


def _authorise_redaction(room: Room, draft: Draft) -> None:
    """One's own events, or any with the power to redact; never the founding one."""
    target = room.events.get(draft.redacts)
    _require(target is None or target.type != "m.room.create")
    levels = power(room)
    own = target is not None and target.sender == draft.sender
    _require(own or levels.of(draft.sender) >= levels.named("redact"))


def _require(met: bool) -> None:
    if not met:
        raise Refused("homeserver_refused", code="M_FORBIDDEN")
