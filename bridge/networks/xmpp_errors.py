"""What a stanza of type error says, as one of our errors (RFC 6120 section 8.3)."""

from collections.abc import Callable
from functools import partial
from xml.etree import ElementTree as ET

from haven.errors import HavenError, Invalid, Refused, TryLater, Unreachable

from .xmpp_xml import CLIENT, STANZAS

BUSY = 15.0
"""Seconds to wait where the server asks to wait and does not say how long."""

_no = partial(Refused, "network_refused")
_CONDITIONS: dict[str, Callable[[], HavenError]] = {
    "item-not-found": partial(Invalid, "network_no_such_chat"),
    "jid-malformed": partial(Invalid, "network_no_such_chat"),
    "gone": partial(Invalid, "network_no_such_chat"),
    "remote-server-not-found": partial(Unreachable, "network_unreachable"),
    "remote-server-timeout": partial(Unreachable, "network_unreachable"),
    "recipient-unavailable": partial(Unreachable, "network_unreachable"),
    "internal-server-error": partial(Unreachable, "network_unreachable"),
    "not-acceptable": partial(TryLater, "network_not_inside"),
    "feature-not-implemented": partial(Invalid, "network_cannot"),
}
_ENTERING: dict[str, Callable[[], HavenError]] = {
    "forbidden": partial(_no, reason="banned"),
    "registration-required": partial(_no, reason="invite_only"),
    "not-authorized": partial(_no, reason="needs_key"),
    "not-allowed": partial(Invalid, "network_no_such_chat"),
    "service-unavailable": partial(TryLater, "network_chat_full"),
    "not-acceptable": partial(_no, reason="nick_refused"),
}
"""What a room answers to who wants to enter (XEP-0045 section 7.2)."""
_LOOKING: dict[str, Callable[[], HavenError]] = {
    **_ENTERING,
    "service-unavailable": partial(Invalid, "network_no_such_chat"),
}
_SPEAKING: dict[str, Callable[[], HavenError]] = {"forbidden": partial(_no, reason="no_voice")}
_DECIDING: dict[str, Callable[[], HavenError]] = {
    **dict.fromkeys(("forbidden", "not-allowed", "not-acceptable"), partial(_no, reason="operators_only")),
    "feature-not-implemented": partial(Refused, "network_cannot"),
    "service-unavailable": partial(Refused, "network_cannot"),
}


def condition(stanza: ET.Element) -> str:
    """The defined condition of an error, e.g. ``conflict``; "" where there is none."""
    error = stanza.find(f"{CLIENT}error")
    for child in error if error is not None else ():
        if child.tag.startswith(STANZAS) and not child.tag.endswith("}text"):
            return child.tag.removeprefix(STANZAS)
    return ""


def general(stanza: ET.Element) -> HavenError:
    """The error, whatever we asked for."""
    return _error(stanza, {})


def looking(stanza: ET.Element) -> HavenError:
    """The error of who asked what a room is: what answers no such question is no room."""
    return _error(stanza, _LOOKING)


def entering(stanza: ET.Element) -> HavenError:
    """The error of who wanted to enter a room."""
    return _error(stanza, _ENTERING)


def speaking(stanza: ET.Element) -> HavenError:
    """The error of who spoke in a room."""
    return _error(stanza, _SPEAKING)


def deciding(stanza: ET.Element) -> HavenError:
    """The error of who wanted to set something in a room."""
    return _error(stanza, _DECIDING)


def _error(stanza: ET.Element, special: dict[str, Callable[[], HavenError]]) -> HavenError:
    error, name = stanza.find(f"{CLIENT}error"), condition(stanza)
    if error is not None and error.get("type") == "wait":
        return TryLater("network_busy", BUSY)
    make = special.get(name) or _CONDITIONS.get(name)
    return make() if make else Refused("network_refused")
