"""Files for XMPP (XEP-0363): a service of the server gives a slot, the file is put there over HTTP, and its address is what is said."""

import logging
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import aiohttp

from haven.errors import GiveUp, HavenError, Invalid, Refused, TryLater, Unreachable

from ..message import Attachment
from . import xmpp_errors
from .media import Body
from .xmpp_connection import XmppConnection
from .xmpp_settings import XmppSettings
from .xmpp_xml import DATA, DISCO_INFO, DISCO_ITEMS, UPLOAD, make

log = logging.getLogger(__name__)

_HEADERS = frozenset({"authorization", "cookie", "expires"})
"""What a slot may have us send (XEP-0363 section 5)."""
_TIMEOUT = aiohttp.ClientTimeout(total=600, sock_connect=20, sock_read=60)


class Uploads:
    """The service for files of one connection. ``service`` is its address, "" until it is found; ``most`` bytes of a file, where it says so."""

    def __init__(self, settings: XmppSettings, connection: XmppConnection) -> None:
        self._settings = settings
        self._connection = connection
        self.service = ""
        self.most: int | None = None

    async def find(self) -> None:
        """Look for the service: where the configuration says, else among what our server, or the one above our component, has (XEP-0030)."""
        try:
            for address in await self._candidates():
                if await self._is_service(address):
                    self.service = address
                    return
        except HavenError as error:
            log.info("No service for files was found: %s", error)

    async def _candidates(self) -> list[str]:
        settings = self._settings
        if settings.upload:
            return [settings.upload]
        server = settings.component.partition(".")[2] if settings.component else settings.domain
        items = await self._connection.demand(server, make(f"{DISCO_ITEMS}query"))
        return [server, *(item.get("jid", "") for item in items.iter(f"{DISCO_ITEMS}item"))]

    async def _is_service(self, address: str) -> bool:
        info = await self._connection.ask(address, make(f"{DISCO_INFO}query"))
        if UPLOAD[1:-1] not in {feature.get("var") for feature in info.iter(f"{DISCO_INFO}feature")}:
            return False
        most = _fields(info).get("max-file-size", "")
        self.most = int(most) if most.isdecimal() else None
        return True

    async def put(self, attachment: Attachment, body: Body) -> str:
        """Put a file there; the address under which people fetch it. Raises as `UploadsMedia.upload`."""
        if not self.service:
            raise Refused("network_cannot")
        if attachment.size is None:
            raise Invalid("media_size_unknown")
        slot = await self._slot(attachment, attachment.size)
        put, get = slot.find(f"{UPLOAD}slot/{UPLOAD}put"), slot.find(f"{UPLOAD}slot/{UPLOAD}get")
        if put is None or get is None:
            raise Refused("network_cannot")
        headers = {
            each.get("name", ""): (each.text or "").replace("\r", "").replace("\n", "")
            for each in put.findall(f"{UPLOAD}header")
            if each.get("name", "").lower() in _HEADERS
        }
        headers["Content-Length"] = str(attachment.size)
        headers["Content-Type"] = attachment.media_type
        await self._put(self._trusted(put.get("url", "")), headers, body)
        return get.get("url", "")

    async def _slot(self, attachment: Attachment, size: int) -> ET.Element:
        wish = make(f"{UPLOAD}request", filename=attachment.name, size=str(size))
        wish.set("content-type", attachment.media_type)
        return await self._connection.demand(self.service, wish, error=_refusal)

    def _trusted(self, url: str) -> str:
        """Only encrypted, but to the machine that our server runs on itself."""
        parts = urlsplit(url)
        if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == self._settings.host):
            return url
        raise Refused("network_cannot")

    async def _put(self, url: str, headers: dict[str, str], body: Body) -> None:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            try:
                async with session.put(url, data=body, headers=headers, allow_redirects=False) as answer:
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError) as error:
                if isinstance(error.__cause__, HavenError):
                    raise error.__cause__ from error
                raise Unreachable("network_unreachable") from error
        if status >= 500 or status == 429:
            raise TryLater("network_busy", xmpp_errors.BUSY)
        if status not in {200, 201, 204}:
            raise Refused("network_refused")


def _refusal(stanza: ET.Element) -> HavenError:
    if xmpp_errors.condition(stanza) == "not-acceptable":
        return Refused("media_too_large")
    error = xmpp_errors.general(stanza)
    return error if isinstance(error, GiveUp | TryLater) else Refused("network_refused")


def _fields(info: ET.Element) -> dict[str, str]:
    """The fields of all forms in an answer (XEP-0128)."""
    return {each.get("var", ""): each.findtext(f"{DATA}value", "") for each in info.iter(f"{DATA}field")}
