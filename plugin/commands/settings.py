"""`settings`: what an admin can set for a community, its name and description among it."""

from dataclasses import fields, replace

from haven.errors import Invalid
from haven.model import Community, Settings, WhoAddsGroups, setting_choices, with_setting
from haven.permissions import Right
from haven.texts import checked_description, checked_name

from ..outcomes import troubles
from ..wording import Answer, Line, Term, answer, code, head, item, line, strong
from .asked import Asked, Within
from .grammar import SHORT, Argument, Command, Takes
from .suggestion import approve_all

SETTINGS = Command("settings", (Argument("KEY", optional=True), Argument("VALUE", Takes.TEXT, optional=True)))
_KEYS = tuple(setting.name for setting in fields(Settings))
_TEXTS = ("name", "description")


async def settings(asked: Asked, community: Community) -> Answer:
    """Show all settings or one, or change one."""
    key, value = asked.request.argument("KEY").lower().replace("-", "_"), asked.request.argument("VALUE")
    if key and key not in (*_TEXTS, *_KEYS):
        raise Invalid("setting_unknown", setting=key[:100], known=", ".join((*_TEXTS, *_KEYS)))
    if key and "VALUE" in asked.request.arguments:
        return await _changed(asked, community, key, value)
    fresh = await asked.services.communities.fresh(community.space)
    asked.require(fresh)
    return answer(*_explained(asked, fresh, key)) if key else answer(*_all(fresh))


def _all(community: Community) -> tuple[Line, ...]:
    told = (_one(community, key) for key in (*_TEXTS, *_KEYS))
    return (
        head("settings.head", name=community.name),
        *told,
        line("settings.how", usage=code(SETTINGS.usage)),
    )


def _one(community: Community, key: str) -> Line:
    value = strong(_value(community, key) or "–")
    return item("settings.one", setting=code(key), value=value, about=Term(f"setting.{key}"))


def _explained(asked: Asked, community: Community, key: str) -> tuple[Line, ...]:
    explained = [item(f"choice.{key}.{choice}", value=code(choice)) for choice in _choices(asked, key)]
    return (
        _one(community, key),
        *explained,
        line("settings.set", usage=code(f"{SHORT} settings {key} VALUE")),
    )


def _choices(asked: Asked, key: str) -> tuple[str, ...]:
    if key == "language":
        return asked.services.phrases.languages
    return () if key in _TEXTS else setting_choices(key)


def _value(community: Community, key: str) -> str:
    return str(getattr(community if key in _TEXTS else community.settings, key))


async def _changed(asked: Asked, community: Community, key: str, value: str) -> Answer:
    wanted = _checked(asked, community, key, value)
    before = _value(community, key)
    about = replace(asked, right=Right.CHANGE_SETTINGS)
    outcome = await about.change(community, lambda now: _with(now, key, wanted))
    language = outcome.community.settings.language
    after = _value(outcome.community, key)
    if before != after:
        await asked.note("setting_changed", outcome.community, setting=key, value=after[:100] or "–")
    said = line(
        "settings.unchanged" if before == after else "settings.changed",
        setting=code(key),
        value=strong(after or "–"),
    )
    opened = key == "who_adds_groups" and after == WhoAddsGroups.EVERYONE
    approved = await approve_all(asked, outcome.community) if opened else ()
    return Answer((said, *approved, *troubles(outcome)), language=language)


def _checked(asked: Asked, community: Community, key: str, value: str) -> str:
    """The value as it can be set. Raises `Invalid` where it cannot."""
    choices = _choices(asked, key)
    if key == "language" and value.strip().lower() not in choices:
        raise Invalid("setting_value", setting=key, choices=", ".join(choices))
    _with(community, key, value)
    return value


def _with(community: Community, key: str, value: str) -> Community:
    if key == "name":
        return replace(community, name=checked_name(value))
    if key == "description":
        return replace(community, description=checked_description(value))
    return replace(community, settings=with_setting(community.settings, key, value))


ENTRIES = (Within(SETTINGS, Right.SEE, settings, changes=True),)
