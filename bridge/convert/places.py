"""Places on the map, as Matrix spells them and in words.

Source: client-server API, "m.location"; MSC3488 (its names while it is not in the specification); RFC 5870 (``geo:`` addresses).
"""

import math
import re

from ..message import Location
from .characters import clean
from .shapes import Raw, mapping, text

_GEO = re.compile(
    r"geo:(-?\d{1,3}(?:\.\d{1,20})?),(-?\d{1,3}(?:\.\d{1,20})?)(?:[,;].*)?", re.IGNORECASE | re.DOTALL
)
LONGEST = 300
"""Characters of a place's name."""


def location_of(content: Raw) -> Location | None:
    """The place that an ``m.location`` tells; ``None`` where it is none on the Earth."""
    told = mapping(content, "m.location", "org.matrix.msc3488.location")
    uri = text(content, "geo_uri") or text(told, "uri")
    found = _GEO.fullmatch(uri)
    if found is None:
        return None
    place = Location(float(found[1]), float(found[2]), _name(content, told, uri))
    return place if on_earth(place) else None


def _name(content: Raw, told: Raw, uri: str) -> str:
    """What the place is called; clients that ask for no name write the address into the body."""
    body = text(content, "body")
    name = text(told, "description") or ("" if "geo:" in body or uri in body else body)
    return " ".join(clean(name).split())[:LONGEST]


def on_earth(place: Location) -> bool:
    """Whether there is such a place: degrees within their bounds, and numbers at all."""
    numbers = math.isfinite(place.latitude) and math.isfinite(place.longitude)
    return numbers and abs(place.latitude) <= 90 and abs(place.longitude) <= 180


def link_to(place: Location) -> str:
    """A map that anybody can open."""
    north, east = degrees(place.latitude), degrees(place.longitude)
    return f"https://www.openstreetmap.org/?mlat={north}&mlon={east}#map=16/{north}/{east}"


def degrees(value: float) -> str:
    """A number of degrees to ten centimetres, without needless noughts and never as a power of ten."""
    short = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def location_content(place: Location, words: str) -> dict[str, object]:
    """The content that shows ``place`` (which is ``on_earth``); ``words`` say it to clients without maps."""
    uri = f"geo:{degrees(place.latitude)},{degrees(place.longitude)}"
    name = clean(place.name)[:LONGEST]
    return {
        "msgtype": "m.location",
        "body": words,
        "geo_uri": uri,
        "org.matrix.msc3488.location": {"uri": uri, **({"description": name} if name else {})},
        "org.matrix.msc3488.asset": {"type": "m.pin"},
        "org.matrix.msc1767.text": words,
    }
