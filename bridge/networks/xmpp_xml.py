"""XML as XMPP has it: the names that we speak, elements made and written.

Everywhere in here an element of a stanza itself has the namespace ``jabber:client``, whatever stream it came from or goes to (RFC 6120 section 4.8).
"""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

CLIENT = "{jabber:client}"
COMPONENT = "{jabber:component:accept}"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
DATA = "{jabber:x:data}"
DELAY = "{urn:xmpp:delay}"
DISCO_INFO = "{http://jabber.org/protocol/disco#info}"
DISCO_ITEMS = "{http://jabber.org/protocol/disco#items}"
FALLBACK = "{urn:xmpp:fallback:0}"
FORWARD = "{urn:xmpp:forward:0}"
HINTS = "{urn:xmpp:hints}"
MAM = "{urn:xmpp:mam:2}"
MODERATE = "{urn:xmpp:message-moderate:1}"
MUC = "{http://jabber.org/protocol/muc}"
MUC_ADMIN = "{http://jabber.org/protocol/muc#admin}"
MUC_USER = "{http://jabber.org/protocol/muc#user}"
OCCUPANT = "{urn:xmpp:occupant-id:0}"
OOB = "{jabber:x:oob}"
PING = "{urn:xmpp:ping}"
REACTIONS = "{urn:xmpp:reactions:0}"
REPLACE = "{urn:xmpp:message-correct:0}"
REPLY = "{urn:xmpp:reply:0}"
RETRACT = "{urn:xmpp:message-retract:1}"
RSM = "{http://jabber.org/protocol/rsm}"
SID = "{urn:xmpp:sid:0}"
VCARD = "{vcard-temp}"
VCARD_UPDATE = "{vcard-temp:x:update}"
UPLOAD = "{urn:xmpp:http:upload:0}"

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to say (section 2.2): one such character would end the stream."""


def make(name: str, /, *children: ET.Element, text: str = "", **attributes: str) -> ET.Element:
    """An element ``{namespace}name``; an underscore at the end of an attribute's name is left out (``from_``)."""
    element = ET.Element(name, {key.rstrip("_"): value for key, value in attributes.items()})
    element.text = text or None
    element.extend(children)
    return element


def form(kind: str, fields: Mapping[str, str]) -> ET.Element:
    """A form that is handed in (XEP-0004, XEP-0068)."""
    whole = {"FORM_TYPE": kind, **fields}
    parts = [
        make(f"{DATA}field", make(f"{DATA}value", text=value), var=name) for name, value in whole.items()
    ]
    return make(f"{DATA}x", *parts, type="submit")


def written(element: ET.Element, outer: str = CLIENT) -> str:
    """``element`` as it goes over the wire, inside an element of the namespace ``outer``."""
    space, _, name = element.tag.rpartition("}")
    space = f"{space}}}" if space else outer
    declared = "" if space == outer else f" xmlns={quoteattr(space[1:-1])}"
    attributes = "".join(f" {key}={quoteattr(fit(value))}" for key, value in element.items())
    inside = escape(fit(element.text or "")) + "".join(
        written(child, space) + escape(fit(child.tail or "")) for child in element
    )
    return (
        f"<{name}{declared}{attributes}>{inside}</{name}>" if inside else f"<{name}{declared}{attributes}/>"
    )


def fit(text: str) -> str:
    """``text`` without characters that XML cannot hold."""
    return _UNFIT.sub("", text)


def at_home(element: ET.Element) -> ET.Element:
    """``element`` of a component's stream, in the namespace that we use; changed in place."""
    for each in element.iter():
        if each.tag.startswith(COMPONENT):
            each.tag = CLIENT + each.tag.removeprefix(COMPONENT)
    return element


def bare(address: str) -> str:
    """An address without its resource."""
    return address.partition("/")[0]


def resource(address: str) -> str:
    """What stands behind the first slash: in a room the nick."""
    return address.partition("/")[2]
