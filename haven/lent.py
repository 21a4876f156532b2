"""Roles that people of other networks have in one room because they have them in the chat it is linked to: ``chat.haven.roles``.

The bridge says who may do what over there; which levels follow is decided here. What an admin says of the same person in the room by
command counts for more. Nobody but ghosts can be given anything in this way.
"""

from collections.abc import Iterable, Mapping

from haven.ids import UserId, is_ghost, is_user_id
from haven.model import Kind, Role
from haven.ports import Content, StateEvent

ROLES = "chat.haven.roles"
"""State of a linked room; the key is the link's. ``{"version": 1, "roles": {ghost: role}}``, empty for none."""

ROLE_THERE: Mapping[Kind, Role] = {
    Kind.ANNOUNCEMENTS: Role.ANNOUNCER,
    Kind.GROUP: Role.GROUP_ADMIN,
    Kind.GENERAL: Role.MODERATOR,
}
"""What somebody who has a say in a chat is in the room of it, by the room's kind."""

MOST = 500
"""People with a role in one chat; an event has room for twice as many."""


def roles_content(roles: Mapping[UserId, Role]) -> Content:
    """``chat.haven.roles`` for these people; of more than `MOST`, the first ones."""
    kept = sorted(roles)[:MOST]
    return {"version": 1, "roles": {user: str(roles[user]) for user in kept}} if kept else {}


def read_roles(content: Content) -> dict[UserId, Role]:
    """The ghosts and their roles; whatever else stands there is passed over."""
    said = content.get("roles")
    pairs = said.items() if isinstance(said, Mapping) and content.get("version") == 1 else ()
    known = {str(role): role for role in ROLE_THERE.values()}
    return {
        UserId(user): known[role]
        for user, role in pairs
        if isinstance(user, str) and is_user_id(user) and is_ghost(UserId(user)) and role in known
    }


def lent_roles(
    said: Iterable[StateEvent], bridge: UserId | None, keys: Iterable[str], kind: Kind
) -> dict[UserId, Role]:
    """Who has which role in a room of that kind by a chat. Only the bridge's own word counts, and only of chats that are linked.

    ``keys``: those of the links that are wanted.
    """
    wanted, fitting = frozenset(keys), ROLE_THERE.get(kind)
    found: dict[UserId, Role] = {}
    for event in said:
        if event.sender == bridge and event.key in wanted:
            found |= {user: role for user, role in read_roles(event.content).items() if role is fitting}
    return found
