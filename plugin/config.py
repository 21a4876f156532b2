"""The plugin's configuration as one typed value; a wrong value is one sentence that names the key."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mautrix.util.config import BaseProxyConfig, ConfigUpdateHelper

from haven.desired import Actors
from haven.errors import Misconfigured
from haven.ids import RoomVersion, UserId

VERSIONS = ("10", "11", "12")
RETAINED_BY = ("bot", "server")
KEYS = (
    "creators",
    "room_version",
    "bridge_bot",
    "language",
    "accept_invites",
    "removal_limit",
    "reread_minutes",
    "server_admin",
    "retention",
)
USER = re.compile(r"@[^:\s]+:\S+")


class WrongSetting(Misconfigured):
    """A setting that cannot be used. ``sentence`` says which and why, in English, for the log."""

    def __init__(self, setting: str, must: str) -> None:
        super().__init__("misconfigured", setting=setting)
        self.sentence = f"configuration: {setting} {must}"


class Config(BaseProxyConfig):
    """The configuration as maubot keeps it: our keys, with what base-config.yaml says where the operator says nothing."""

    def do_update(self, helper: ConfigUpdateHelper) -> None:
        """See mautrix: copies the operator's values over ours."""
        for key in KEYS:
            helper.copy(key)

    def read(self, languages: Collection[str]) -> "Settings":
        """The settings. Raises `WrongSetting`; then nothing has been changed."""
        self.load()
        unknown = sorted(str(key) for key in self._data if key not in KEYS)
        if unknown:
            raise WrongSetting(unknown[0], f"is no setting; there are {', '.join(KEYS)}")
        self.load_and_update()
        return settings_of({key: self[key] for key in KEYS}, languages)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator has set.

    ``creators``: patterns of Matrix ids, ``*`` standing for anything. ``bridge``: the bridge's bot, or ``None``.
    ``language``: for those of whom we know no other. ``removals``: how many removals one plan may have without being insisted on.
    ``retention``: who deletes messages that are too old, the bot or the homeserver alone.
    ``reread``: seconds between two readings of everything. ``server_admin``: the bot is an administrator of a Synapse.
    """

    creators: tuple[str, ...] = ("*",)
    version: RoomVersion = RoomVersion("12")
    bridge: UserId | None = None
    language: str = "en"
    accept_invites: bool = True
    removals: int = 10
    reread: float = 3_600.0
    server_admin: bool = False
    retention: str = "bot"

    def may_create(self, user: UserId) -> bool:
        """Whether somebody may create communities here."""
        return any(fnmatchcase(user, pattern) for pattern in self.creators)

    def actors(self, bot: UserId) -> Actors:
        """Who works for Haven here."""
        return Actors(bot, self.version, self.bridge)


def settings_of(values: Mapping[str, object], languages: Collection[str]) -> Settings:
    """Settings out of the values of the configuration. Raises `WrongSetting`."""
    return Settings(
        creators=_creators(values["creators"]),
        version=RoomVersion(_one_of("room_version", values["room_version"], VERSIONS)),
        bridge=_bridge(values["bridge_bot"]),
        language=_one_of("language", values["language"], sorted(languages)),
        accept_invites=_yes_or_no("accept_invites", values["accept_invites"]),
        removals=_number("removal_limit", values["removal_limit"], 0, 10_000),
        reread=60.0 * _number("reread_minutes", values["reread_minutes"], 1, 10_080),
        server_admin=_yes_or_no("server_admin", values["server_admin"]),
        retention=_one_of("retention", values["retention"], RETAINED_BY),
    )


def _creators(value: object) -> tuple[str, ...]:
    if value == "everyone":
        return ("*",)
    if isinstance(value, list) and all(isinstance(one, str) and one.startswith(("@", "*")) for one in value):
        return tuple(value)
    raise WrongSetting("creators", 'must be everyone, or a list of Matrix ids such as "@*:example.org"')


def _bridge(value: object) -> UserId | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and USER.fullmatch(value):
        return UserId(value)
    raise WrongSetting("bridge_bot", 'must be a Matrix id such as "@haven-bridge:example.org", or empty')


def _one_of(key: str, value: object, choices: Collection[str]) -> str:
    if isinstance(value, str) and value in choices:
        return value
    raise WrongSetting(key, f"must be one of {', '.join(choices)}, written in quotes")


def _yes_or_no(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise WrongSetting(key, "must be true or false")


def _number(key: str, value: object, low: int, high: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise WrongSetting(key, f"must be a whole number from {low} to {high}")
