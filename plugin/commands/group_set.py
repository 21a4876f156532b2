"""`group set`: what can be set for one group, at any time and without locking anybody out."""

from contextlib import suppress

from haven.errors import GiveUp, Invalid
from haven.model import Community, Group
from haven.permissions import Right, is_secret
from haven.reconcile import Outcome
from haven.snapshot import PRESENT

from ..outcomes import troubles
from ..rights import require, require_somewhere
from ..service.group_settings import (
    CHOICES,
    FOR_GOOD,
    KEYS,
    place_wanted,
    put_in_place,
    value_of,
    with_group_setting,
)
from ..service.groups import shown
from ..wording import Answer, Line, Term, code, head, item, line, strong
from .asked import Asked, Within, noted_name
from .grammar import SHORT, Argument, Command, Takes

SET = Command(
    "group set",
    (Argument("GROUP"), Argument("KEY", optional=True), Argument("VALUE", Takes.TEXT, optional=True)),
)
_ADMINS_ONLY = {"suggested", "order", "history", "retention", "encrypted"}
"""What is said by the space, and what a group admin could not set by hand either."""


async def set_(asked: Asked, community: Community) -> Answer:
    """Show what is set for a group, explain one thing, or set it."""
    key = asked.request.argument("KEY").lower()
    if key and key not in KEYS:
        raise Invalid("setting_unknown", setting=key[:100], known=", ".join(KEYS))
    fresh = await asked.services.communities.fresh(community.space)
    require_somewhere(asked.world, fresh, asked.who, asked.right)
    group = asked.sight(fresh).named(asked.request.argument("GROUP"))
    _require(asked, fresh, group, key)
    if key and "VALUE" in asked.request.arguments:
        return await _changed(asked, fresh, group, key, asked.request.argument("VALUE").strip())
    lines = _explained(fresh, group, key) if key else _all(asked, fresh, group)
    return Answer(lines, asked.sight(fresh).place_for((group,)))


def _require(asked: Asked, community: Community, group: Group, key: str) -> None:
    """A group admin may set what is said in their own group."""
    require(asked.world, community, asked.who, asked.right, None if key in _ADMINS_ONLY else group)


def _all(asked: Asked, community: Community, group: Group) -> tuple[Line, ...]:
    told = (_one(community, group, key) for key in KEYS)
    return (head("group_set.head", group=shown(asked.world, community, group)), *told, _how())


def _how() -> Line:
    return line("settings.how", usage=code(SET.usage))


def _one(community: Community, group: Group, key: str) -> Line:
    value = strong(value_of(community, group, key) or "–")
    return item("settings.one", setting=code(key), value=value, about=Term(f"group_setting.{key}"))


def _explained(community: Community, group: Group, key: str) -> tuple[Line, ...]:
    usage = code(f"{SHORT} group set GROUP {key} {'|'.join(CHOICES.get(key, ('VALUE',)))}")
    return (_one(community, group, key), line("settings.set", usage=usage))


async def _changed(asked: Asked, community: Community, group: Group, key: str, value: str) -> Answer:
    before = value_of(community, group, key)
    if key == "encrypted" and value.lower() == "on" and not group.encrypted:
        checked = with_group_setting(community, group.room, key, value, asked.who)
        return _warned(asked, checked, group)
    if key == "order":
        place = place_wanted(community, group, value)
        await put_in_place(asked.services.communities, community, group, place)
    outcome = await asked.change(
        community,
        lambda now: with_group_setting(now, group.room, key, value, asked.who),
        check=lambda now: _require(asked, now, now.group(group.room) or group, key),
    )
    after = outcome.community.group(group.room) or group
    if value_of(outcome.community, after, key) == before:
        return _told(asked, "group_set.unchanged", outcome, after, key)
    await _kept_in(asked, after, key)
    await _noted(asked, outcome.community, group, after, key)
    return _told(asked, "group_set.changed", outcome, after, key)


def _warned(asked: Asked, community: Community, group: Group) -> Answer:
    """What encryption means, before it is too late."""
    usage = code(f"{SHORT} group set {group.room} encrypted {FOR_GOOD}")
    said = line("group_set.encryption", group=shown(asked.world, community, group), usage=usage)
    return Answer((said,), asked.sight(community).place_for((group,)))


async def _kept_in(asked: Asked, group: Group, key: str) -> None:
    """Who hides a group that they are not in could never enter it again: they are invited."""
    room = asked.world.get(group.room)
    inside = room is not None and room.members.get(asked.who) in PRESENT
    if key == "visibility" and is_secret(group) and not inside:
        with suppress(GiveUp):
            await asked.services.communities.loop.hands.invite(group.room, asked.who)


async def _noted(asked: Asked, community: Community, before: Group, after: Group, key: str) -> None:
    secret = is_secret(before) or is_secret(after)
    value = "–" if secret and key in {"name", "topic"} else value_of(community, after, key)[:100] or "–"
    name = noted_name(after if secret else before)
    await asked.note("group_set", community, group=name, setting=key, value=value)


def _told(asked: Asked, key: str, outcome: Outcome, group: Group, setting: str) -> Answer:
    community = outcome.community
    value = strong(value_of(community, group, setting) or "–")
    said = line(key, group=shown(asked.world, community, group), setting=code(setting), value=value)
    more = (line(_about(asked, setting)),) if setting in _TOLD_MORE else ()
    lines = (said, *more, *troubles(outcome))
    return Answer(lines, asked.sight(community).place_for((group,)))


def _about(asked: Asked, setting: str) -> str:
    """What there is to know of a setting beside its value: of retention also who sees to it."""
    by = f"_{asked.services.settings.retention}" if setting == "retention" else ""
    return f"group_set.about_{setting}{by}"


_TOLD_MORE = {"history", "retention"}

ENTRIES = (Within(SET, Right.MANAGE_GROUPS, set_, changes=True),)
