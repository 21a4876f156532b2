"""The settings of an XMPP network, read from its section of the configuration."""

from dataclasses import dataclass, field

from ..section import Section

_FORBIDDEN = frozenset("\0\r\n")


@dataclass(frozen=True, slots=True)
class XmppSettings:
    """How to reach an XMPP server, as what, and how to behave there.

    With ``component`` (its domain) the bridge is an external component (XEP-0114) and every Matrix member who speaks an occupant of their own,
    who leaves after ``idle`` seconds of silence; without it an ordinary ``account``, which speaks for all. ``secret`` is the component's, or the
    account's password. ``burst`` and ``rate``: stanzas that may go at once, and each second in the long run. ``alive``: seconds of silence
    after which we ask whether the server, and a room, still knows us. ``upload``: the service for files, "" to look for it.
    """

    component: str
    account: str
    secret: str = field(repr=False)
    host: str
    port: int
    tls: bool
    tls_verify: bool
    nick: str
    upload: str = ""
    idle: float = 14400.0
    burst: int = 20
    rate: float = 10.0
    alive: float = 60.0
    retry_least: float = 2.0
    retry_most: float = 300.0

    @property
    def domain(self) -> str:
        """The domain that we are at home in: the component's, or the account's."""
        return self.component or self.account.partition("@")[2]


def read_settings(section: Section) -> XmppSettings:
    """The settings in ``section``; ``Misconfigured`` names the key that is wrong. Reads the section to its end."""
    component, account = _word(section, "component", ""), _word(section, "account", "")
    if bool(component) == bool(account):
        raise section.wrong("setting_either", "account", other="component")
    if account and not all(account.partition("@")):
        raise section.wrong("setting_address", "account")
    settings = XmppSettings(
        component=component,
        account=account,
        secret=_line(section, "secret" if component else "password"),
        host=_word(section, "host", "127.0.0.1" if component else ""),
        port=section.integer("port", 5347 if component else 5222, least=1, most=65535),
        tls=section.flag("tls", not component),
        tls_verify=section.flag("tls_verify", True),
        nick=_line(section, "nick", "haven"),
        upload=_word(section, "upload", ""),
        idle=section.number("idle", 14400.0, least=0.1),
        burst=section.integer("burst", 20, least=1, most=10000),
        rate=section.number("rate", 10.0, least=0.1, most=10000),
        alive=section.number("alive", 60.0, least=0.2, most=3600),
        retry_least=section.number("retry_least", 2.0, least=0.01, most=3600),
        retry_most=section.number("retry_most", 300.0, least=0.01, most=86400),
    )
    if component and settings.tls:
        raise section.wrong("setting_no_tls", "tls")
    section.done()
    return settings


def _line(section: Section, key: str, default: str | None = None) -> str:
    value = section.text(key, default)
    if _FORBIDDEN & set(value):
        raise section.wrong("setting_not_line", key)
    return value


def _word(section: Section, key: str, default: str | None = None) -> str:
    value = section.text(key, default)
    if any(char.isspace() for char in value) or _FORBIDDEN & set(value):
        raise section.wrong("setting_not_word", key)
    return value
