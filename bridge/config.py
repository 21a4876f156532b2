"""The configuration file and the registration file as one typed value; whatever is wrong is one error that
names the key.
"""

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from haven.errors import Misconfigured
from haven.ids import Network as NetworkName
from haven.ids import UserId

from .media_settings import MediaSettings, read_media
from .networks.base import Build, Network
from .section import Section

BOT = "haven-bridge"
ENTRY_POINTS = "haven.networks"
BUILT_IN = frozenset({"irc", "memory", "xmpp"})
LANGUAGES = ("en", "es", "cs")
LOG_LEVELS = ("debug", "info", "warning", "error")

_SERVER_NAME = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_DATABASES = ("sqlite", "postgres", "postgresql")


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the configuration says. ``networks`` are built and not yet connected."""

    homeserver: str
    domain: str
    host: str
    port: int
    address: str
    registration: Path
    key_file: Path
    database: str = field(repr=False)
    language: str
    display_name: str
    log: str
    networks: Mapping[NetworkName, Network] = field(repr=False)
    media: MediaSettings = field(default_factory=MediaSettings)

    @property
    def bot(self) -> UserId:
        """The bridge's own user."""
        return UserId(f"@{BOT}:{self.domain}")


@dataclass(frozen=True, slots=True)
class Secrets:
    """The tokens of the registration and the key of the ids. Never shown."""

    appservice_token: str = field(repr=False)
    homeserver_token: str = field(repr=False)
    key: bytes = field(repr=False)


def read_settings(file: Path) -> Settings:
    """The settings in ``file``. Raises `Misconfigured`, whose ``values["setting"]`` names the key (or file)
    at fault.
    """
    top = Section("", _mapping(file, _yaml(file)))
    homeserver, appservice = top.section("homeserver"), top.section("appservice")
    host = appservice.text("host", "127.0.0.1")
    port = appservice.integer("port", 29390, least=1, most=65535)
    settings = Settings(
        homeserver=homeserver.url("url", ("http", "https")),
        domain=_domain(homeserver),
        host=host,
        port=port,
        address=appservice.url("url", ("http", "https"), f"http://{host}:{port}"),
        registration=file.parent / appservice.text("registration", "registration.yaml"),
        key_file=file.parent / appservice.text("key", "haven.key"),
        database=_database(top, file.parent),
        language=top.choice("language", LANGUAGES, "en"),
        display_name=_display_name(top),
        log=top.choice("log", LOG_LEVELS, "info"),
        networks=_networks(top.section("networks")),
        media=read_media(top.section("media")),
    )
    for section in (homeserver, appservice, top):
        section.done()
    return settings


def read_secrets(settings: Settings) -> Secrets:
    """The tokens and the key that ``registration`` made. Raises `Misconfigured` where one is missing or
    unfit.
    """
    file = settings.registration
    if not file.is_file():
        raise Misconfigured("registration_missing", setting="appservice.registration")
    section = Section(file.name, _mapping(file, _yaml(file)))
    return Secrets(section.text("as_token"), section.text("hs_token"), read_key(settings.key_file))


def read_key(file: Path) -> bytes:
    """The key of the ids: at least 128 bits, in hexadecimal digits."""
    if not file.is_file():
        raise Misconfigured("key_missing", setting="appservice.key")
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) < 16:
        raise Misconfigured("key_unfit", setting="appservice.key")
    return key


def readable_by_others(file: Path) -> bool:
    """Whether more than its owner may read ``file``."""
    return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _yaml(file: Path) -> object:
    try:
        return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Misconfigured("config_missing", setting=str(file)) from None
    except OSError:
        raise Misconfigured("config_unreadable", setting=str(file)) from None
    except UnicodeDecodeError:
        raise Misconfigured("config_not_yaml", setting=str(file), line=1) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise Misconfigured("config_not_yaml", setting=str(file), line=line) from None


def _mapping(file: Path, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise Misconfigured("config_not_yaml", setting=str(file), line=1)
    return value


def _domain(section: Section) -> str:
    domain = section.text("domain")
    if not _SERVER_NAME.fullmatch(domain):
        raise section.wrong("setting_domain", "domain")
    return domain


def _database(section: Section, place: Path) -> str:
    url = section.text("database", "sqlite:bridge.db")
    scheme, _, rest = url.partition(":")
    if scheme not in _DATABASES or not rest.strip("/"):
        raise section.wrong("setting_url", "database", allowed="sqlite:, postgres://")
    if scheme == "sqlite":
        path = rest.removeprefix("//") if rest.startswith("//") else rest
        return f"sqlite:{(place / path).absolute()}"
    if not rest.startswith("//"):
        raise section.wrong("setting_url", "database", allowed="sqlite:, postgres://")
    return url


def _display_name(section: Section) -> str:
    template = section.text("display_name", "{name} ({network})")
    try:
        shown = template.format(name="\0", network="")
    except (KeyError, IndexError, ValueError):
        shown = ""
    if "\0" not in shown:
        raise section.wrong("setting_display_name", "display_name")
    return template


def _networks(section: Section) -> dict[NetworkName, Network]:
    found: dict[NetworkName, Network] = {}
    for name in section.names():
        build = network_builder(name)
        if build is None:
            raise section.wrong("setting_network", name)
        network = build(section.section(name))
        found[network.name] = network
    return found


def network_builder(name: str) -> Build | None:
    """What builds the network of that name: a built-in, or one that registered under ``haven.networks``."""
    if name in BUILT_IN:
        try:
            found: Build = import_module(f".networks.{name}", __package__).build
        except ModuleNotFoundError as missing:
            if (missing.name or "").startswith(__package__ or "bridge"):
                raise
            return None  # its library is an extra that is not installed
        return found
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        registered: Build = entry.load()
        return registered
    return None
