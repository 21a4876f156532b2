"""What the code says, found by reading it: every phrase that a call names, with the gaps that the call fills."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embedded.places import ROOT
from haven import errors
from haven.changes import _STATE_LINES
from haven.model import Settings, setting_choices
from haven.permissions import ActRefusal, HandoverRefusal, RoleRefusal
from haven.phrases import Phrases
from haven.stateevents import LinkState
from plugin.audit import Door
from plugin.commands.my_data import COUNTED
from plugin.commands.table import TABLE
from plugin.config import RETAINED_BY
from plugin.entrance.invite import State
from plugin.i18n import LANGUAGES, read_phrases
from plugin.notices import WORDED
from plugin.safety.expulsions import Verb
from plugin.safety.report_cards import MUTE, REMOVE, RIGHTS
from plugin.service.group_settings import KEYS

CATALOGUES = ROOT / "plugin" / "i18n"
LINES = {"line", "head", "item", "Term", "Section", "Concern"}
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type)} | {
    "NotUnderstood",
    "_refusal",
}
NOT_PHRASES = {"after", "forms"}


@dataclass(frozen=True)
class Use:
    """A phrase that the code says. ``gaps``: what it fills; ``None`` where the call does not tell."""

    key: str
    gaps: frozenset[str] | None
    where: str


async def from_disk(name: str) -> bytes:
    """A catalogue's file."""
    return (CATALOGUES / name).read_bytes()


async def all_phrases() -> Phrases:
    """The catalogues as the plugin reads them."""
    return await read_phrases(from_disk)


def sources() -> Iterator[Path]:
    """The files of the plugin and the mind."""
    for package in ("plugin", "haven"):
        yield from sorted((ROOT / package).rglob("*.py"))


def uses() -> list[Use]:
    """Every phrase named by a call in the plugin or the mind."""
    return [use for path in sources() for use in _uses(path)]


def _uses(path: Path) -> Iterator[Use]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            for key in _constants(node):
                if called in LINES and "." in key:
                    yield Use(key, _filled(node, called), where)
                elif called == "note":
                    yield Use(
                        f"audit.{key}", ((_filled(node, called) or frozenset()) - {"why"}) | {"who"}, where
                    )
                elif called in ERRORS:
                    yield Use(f"error.{key}", _filled(node, called), where)


def _constants(call: ast.Call) -> Iterator[str]:
    """The texts that the first argument may be: a constant, or either side of a choice."""
    first = call.args[0] if call.args else None
    for each in (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _filled(call: ast.Call, called: str) -> frozenset[str] | None:
    named = {keyword.arg for keyword in call.keywords}
    if None in named or called == "Section" or (called in {"Term", "Concern"} and len(call.args) > 1):
        return None
    return frozenset(name for name in named if name is not None) - NOT_PHRASES


def _of_groups() -> set[str]:
    said = (
        "about",
        "card",
        "approved",
        "rejected",
        "rejected_why",
        "yes",
        "no",
        "no_why",
        "listed",
        "withdrawn",
    )
    return {
        *(f"group_setting.{key}" for key in KEYS),
        *(f"group_set.{key}" for key in ("changed", "unchanged", "about_history")),
        *(f"suggestion.{key}" for key in said),
        *("audit.suggestion_approved", "audit.suggestion_rejected", "audit.transferred", "group.archived"),
        *(f"adopt.{key}" for key in ("card", "done", "yes", "rejected", "lapsed")),
        "audit.group_adopted",
        *(f"transfer.{key}" for key in ("card", "done", "rejected", "withdrawn", "lapsed")),
        *("ending.archived", "ending.removed"),
        *(f"upgrade.{key}" for key in ("card", "confirmed", "rejected", "lapsed")),
        *("audit.upgraded", "job.upgrade_done", "job.upgrade_space_done"),
    }


def _of_links() -> set[str]:
    """What is said of links, and of what is asked on linked networks."""
    asked = {f"wish.{what}{how}" for what in ("join", "join_group", "suggestion") for how in ("", "_listed")}
    states = {f"link_state.{state}" for state in LinkState}
    news = {f"link_news.{state}" for state in LinkState if state is not LinkState.CONNECTING}
    decided = {f"wish.{how}" for how in ("yes", "no", "gone")}
    return asked | states | news | decided | {"audit.wish_yes", "audit.wish_no", "link_news.whole_proof"}


def families() -> set[str]:
    """The phrases whose keys the code makes of values."""
    commands = [entry.command for entry in TABLE.entries]
    arguments = {argument.name.lower() for command in commands for argument in command.arguments}
    options = {f"{o.name}{'_each' if o.repeated else ''}" for command in commands for o in command.options}
    settings = tuple(Settings.__dataclass_fields__)
    choices = {f"{setting}.{choice}" for setting in settings for choice in setting_choices(setting)}
    return _of_groups() | {
        *(f"command.{command.key}" for command in commands),
        *(f"argument.{name}" for name in arguments),
        *(f"option.{name}" for name in {*options, "in"}),
        *(f"setting.{name}" for name in (*settings, "name", "description")),
        *(f"choice.{choice}" for choice in choices),
        *(f"choice.language.{code}" for code in LANGUAGES),
        *(f"visibility.{each}" for each in ("open", "request", "hidden")),
        *(
            f"{table}.{kind}"
            for table in ("title", "kind")
            for kind in ("announcements", "general", "admins")
        ),
        *(f"audit_door.{door}" for door in Door),
        *(f"audit.role_{verb}{place}" for verb in ("added", "removed") for place in ("", "_in")),
        *("audit.created", "audit.group_added"),
        *_of_the_door(),
        *_of_safety(),
        *_of_links(),
        *(f"error.{refusal.value}" for refusal in (*RoleRefusal, *ActRefusal, *HandoverRefusal)),
        *(f"concern.{key}" for key in (*WORDED, "notice")),
        *(f"concern.{key}" for key in ("guard_removals", "guard_foreign_room", "guard_lockout")),
        *_STATE_LINES.values(),
        *(
            f"change.{verb}"
            for verb in ("create", "state", "invite", "remove", "ban", "unban", "abandon", "power_plain")
        ),
        *(f"role.{verb}{place}" for verb in ("added", "removed") for place in ("", "_in")),
        *("role.holder_in", "role.differs_in", "job.community_started", "job.group_started"),
        *("error.rate_limited", "error.unreachable", "error.link_there_already", "error.link_elsewhere"),
        *("bridge.asked", "bridge.undone"),
    }


def _of_privacy() -> set[str]:
    """What goes and what stays of somebody's data."""
    stays = ("member", "role", "mute", "ban", "removed", "link", "lockdown")
    return {
        *(f"my_data.goes_{name}" for name in COUNTED),
        *(f"my_data.stays_{key}" for key in stays),
        "audit.data_erased",
        *(f"group_set.about_retention_{by}" for by in RETAINED_BY),
    }


def _of_the_door() -> set[str]:
    """Those about coming and going."""
    return {
        *(f"audit.{what}" for what in ("let_in", "turned_away", "left", "wave")),
        *(f"invite_state.{state}" for state in State),
        *(f"error.code_{state}" for state in State if state is not State.VALID),
        *(f"join.{what}" for what in ("let_in", "asked", "in_already")),
        *("steps.group", "steps.group_on_request", "request.let_in", "request.turned_away"),
        *(f"request.{why}" for why in ("join_first", "too_often", "turned_away_reason", "lapsed_reason")),
    }


def _of_safety() -> set[str]:
    """What is said of a report by what was decided about it, and of people by what was done to them."""
    said = ("report.choice_", "report.done_")
    people = ("audit.person_", "people.done_", "people.asked_")
    return _of_privacy() | {
        *(f"{key}{choice}" for key in said for choice in RIGHTS),
        *(f"audit.report_{choice}" for choice in RIGHTS if choice not in {MUTE, REMOVE}),
        *(f"{key}{verb}" for key in people for verb in Verb),
        *(f"people.done_{verb}_all" for verb in Verb),
        *("audit.record_mended",),
        *("audit.wave_remove", "audit.wave_ban"),
        *(f"text.{name}" for name in ("rules", "welcome", "no_rules", "no_welcome", "written", "taken_away")),
        *(f"text.in_{code}" for code in LANGUAGES),
        *("audit.rules_written", "audit.welcome_written", "text.words", "show.rules"),
        *(f"audit.{what}" for what in ("muted", "unmuted", "mute_over")),
        *(f"audit.{what}" for what in ("listed_ban", "listed_unban", "list_spared")),
        *("banlist.room_name", "banlist.staff", "banlist.crowd", "listed.staff", "listed.crowd"),
        *(f"error.{verb}_nothing" for verb in Verb),
    }
