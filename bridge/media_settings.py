"""What the configuration says of files: how large they may be, of which types, and where people fetch them from."""

import re
from dataclasses import dataclass

from .section import Section

_TYPE = re.compile(r"(\*|[a-z0-9.+-]+)/(\*|[a-z0-9.+-]+)")
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[?[0-9A-Fa-f:]+\]?)(:\d{1,5})?")
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """The section ``media``. ``largest`` in bytes; ``types`` as ``image/png`` or ``image/*``; ``public_url`` is where people reach the bridge from
    outside (``""``: not at all); ``link_days``: how long a link is good; ``seconds``: how long one file may take; ``trusted_hosts``: hosts that
    files are fetched from though their addresses are not public.
    """

    largest: int = 50 * MIB
    types: tuple[str, ...] = ("*/*",)
    public_url: str = ""
    link_days: int = 7
    seconds: float = 60.0
    trusted_hosts: frozenset[str] = frozenset()

    def allows(self, media_type: str) -> bool:
        """Whether files of this type may be carried."""
        family = media_type.partition("/")[0]
        return not {"*/*", f"{family}/*", media_type}.isdisjoint(self.types)


def read_media(section: Section) -> MediaSettings:
    """The section, checked. Raises `Misconfigured`."""
    settings = MediaSettings(
        largest=section.integer("largest_mib", 50, least=1, most=4096) * MIB,
        types=section.texts("types", ("*/*",), _TYPE),
        public_url=section.url("public_url", ("http", "https"), "") if section.text("public_url", "") else "",
        link_days=section.integer("link_days", 7, least=1, most=365),
        seconds=section.number("seconds", 60.0, least=5, most=3600),
        trusted_hosts=frozenset(section.texts("trusted_hosts", (), _HOST)),
    )
    section.done()
    return settings
