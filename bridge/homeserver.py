"""The ports of the mind over matrix-nio, for the bridge's bot and, by ``as_user``, for each ghost."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from haven.errors import Invalid, Unreachable
from haven.ids import EventId, RoomId, UserId, server_of
from haven.ports import Content, Homeserver, NewRoom, StateEvent

from .homeserver_client import AppserviceClient, Speaker, told
from .homeserver_media import MediaRepository, NioMedia

DEVICE = "HAVEN"
"""The device under which the bot and every ghost send, so that transaction ids outlive a restart of the homeserver (MSC4326)."""


class AppserviceHomeserver(Homeserver, Protocol):
    """What the bridge needs of a homeserver beyond the mind's ports."""

    def as_user(self, user: UserId) -> "AppserviceHomeserver":
        """The same homeserver through the eyes and hands of a ghost."""

    async def register(self) -> None:
        """Make this user (with the ghosts' device) where it does not exist yet."""

    async def read_event(self, room: RoomId, event: EventId) -> tuple[UserId, Content]:
        """Sender and content of an event, as it is now."""

    async def ping(self, appservice: str, transaction: str) -> None:
        """Have the homeserver try to reach us (spec: appservice ping); what it queued comes then."""

    async def whoami(self) -> UserId:
        """Whom the homeserver takes us for."""

    @property
    def media(self) -> MediaRepository:
        """Its store of files, used as the bridge's bot whoever this is."""


class NioHomeserver:
    """One user of the homeserver. All users share one client; ``close`` it at the end."""

    def __init__(
        self, client: AppserviceClient, user: UserId, device: str | None = None, media: NioMedia | None = None
    ) -> None:
        self._client = client
        self._speaker = Speaker(user, device)
        self._media = media or NioMedia(client, user)

    @classmethod
    def connect(cls, url: str, token: str, bot: UserId) -> "NioHomeserver":
        """The bot's own. Opens nothing yet."""
        return cls(AppserviceClient(url, token, bot), bot)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def as_user(self, user: UserId) -> "NioHomeserver":
        """See `AppserviceHomeserver.as_user`."""
        return NioHomeserver(self._client, user, DEVICE, self._media)

    @property
    def user(self) -> UserId:
        """See `haven.ports.KnowsItself`."""
        return self._speaker.user

    @property
    def media(self) -> NioMedia:
        """See `AppserviceHomeserver.media`."""
        return self._media

    # --- reading --------------------------------------------------------------------------------------------

    async def joined_rooms(self) -> tuple[RoomId, ...]:
        """See `haven.ports.ListsRooms`."""
        async with self._speaking() as client:
            return tuple(RoomId(room) for room in told(await client.joined_rooms()).rooms)

    async def room_state(self, room: RoomId) -> tuple[StateEvent, ...]:
        """See `haven.ports.ReadsRoom`."""
        async with self._speaking() as client:
            return tuple(_state_event(event) for event in told(await client.room_get_state(room)).events)

    async def state_content(self, room: RoomId, event_type: str, key: str = "") -> Content:
        """See `haven.ports.ReadsState`."""
        # nio takes any answer for content here, also a refusal: hence by hand.
        return await self._request("GET", f"rooms/{_part(room)}/state/{_part(event_type)}/{_part(key)}")

    async def read_event(self, room: RoomId, event: EventId) -> tuple[UserId, Content]:
        """See `AppserviceHomeserver.read_event`."""
        answer = await self._request("GET", f"rooms/{_part(room)}/event/{_part(event)}")
        content = answer.get("content")
        return UserId(str(answer.get("sender"))), content if isinstance(content, dict) else {}

    async def hierarchy(self, space: RoomId) -> tuple[RoomId, ...]:
        """See `haven.ports.ReadsHierarchy`. Follows the pages (Synapse gives 50 rooms a page)."""
        rooms: list[RoomId] = []
        page: str | None = ""
        while page is not None:
            query = urlencode({"max_depth": 1, "limit": 50, **({"from": page} if page else {})})
            answer = await self._request("GET", f"rooms/{_part(space)}/hierarchy?{query}", version="v1")
            rooms += [RoomId(str(room["room_id"])) for room in answer.get("rooms", ())]
            page = answer.get("next_batch")
        return tuple(room for room in rooms if room != space)

    async def whoami(self) -> UserId:
        """See `AppserviceHomeserver.whoami`."""
        return UserId(str((await self._request("GET", "account/whoami")).get("user_id")))

    # --- sending --------------------------------------------------------------------------------------------

    async def send_message(
        self, room: RoomId, event_type: str, content: Content, transaction: str
    ) -> EventId:
        """See `haven.ports.SendsMessage`."""
        return await self._send(room, "send", event_type, transaction, content)

    async def send_state(self, room: RoomId, event_type: str, key: str, content: Content) -> EventId:
        """See `haven.ports.SendsState`."""
        async with self._speaking() as client:
            sent = told(await client.room_put_state(room, event_type, dict(content), key))
            return EventId(sent.event_id)

    async def redact(self, room: RoomId, event: EventId, reason: str, transaction: str) -> EventId:
        """See `haven.ports.Redacts`."""
        return await self._send(room, "redact", event, transaction, {"reason": reason} if reason else {})

    async def _send(self, room: RoomId, verb: str, what: str, transaction: str, content: Content) -> EventId:
        """Send under the device, so that whatever is in doubt can be sent again; the device is made where it is missing."""
        path = f"rooms/{_part(room)}/{verb}/{_part(what)}/{_part(self._own(transaction))}"
        try:
            return await self._sent(path, content)
        except Invalid as error:
            if error.values.get("code") != "M_UNKNOWN_DEVICE":
                raise
        await self.register()
        return await self._sent(path, content)

    async def _sent(self, path: str, content: Content) -> EventId:
        # By hand: what nio does besides costs more than the request.
        async with self._client.speaking(Speaker(self.user, DEVICE)):
            answer = await self._client.request("PUT", f"/_matrix/client/v3/{path}", content)
        event = answer.get("event_id")
        if not isinstance(event, str):
            raise Unreachable  # nobody who is a homeserver answers so
        return EventId(event)

    async def create_room(self, room: NewRoom) -> RoomId:
        """See `haven.ports.CreatesRoom`."""
        answer = await self._request("POST", "createRoom", dict(room.request()))
        return RoomId(str(answer.get("room_id")))

    # --- membership -----------------------------------------------------------------------------------------

    async def invite(self, room: RoomId, user: UserId) -> None:
        """See `haven.ports.Invites`."""
        async with self._speaking() as client:
            told(await client.room_invite(room, user))

    async def kick(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """See `haven.ports.Kicks`."""
        async with self._speaking() as client:
            told(await client.room_kick(room, user, reason or None))

    async def ban(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """See `haven.ports.Bans`."""
        async with self._speaking() as client:
            told(await client.room_ban(room, user, reason or None))

    async def unban(self, room: RoomId, user: UserId) -> None:
        """See `haven.ports.Unbans`."""
        async with self._speaking() as client:
            told(await client.room_unban(room, user))

    async def join(self, room: RoomId, via: Sequence[str] = ()) -> None:
        """See `haven.ports.Joins`; nio's own join knows no ``via``."""
        await self._request("POST", f"join/{_part(room)}{_via(via)}", {})

    async def knock(self, room: RoomId, via: Sequence[str] = (), reason: str = "") -> None:
        """See `haven.ports.Knocks`; nio's own knock knows no ``via``."""
        await self._request("POST", f"knock/{_part(room)}{_via(via)}", {"reason": reason} if reason else {})

    async def leave(self, room: RoomId) -> None:
        """See `haven.ports.Leaves`."""
        async with self._speaking() as client:
            told(await client.room_leave(room))

    # --- being an appservice --------------------------------------------------------------------------------

    async def register(self) -> None:
        """See `AppserviceHomeserver.register`. Who exists already gets the device by a login."""
        localpart = self.user[1:].removesuffix(f":{server_of(self.user)}")
        kind = "m.login.application_service"
        bot = NioHomeserver(self._client, UserId(self._client.user_id))
        try:
            await bot._request("POST", "register", {"type": kind, "username": localpart, "device_id": DEVICE})
        except Invalid as error:
            if error.values.get("code") != "M_USER_IN_USE":
                raise
            identifier = {"type": "m.id.user", "user": localpart}
            await bot._request("POST", "login", {"type": kind, "identifier": identifier, "device_id": DEVICE})

    async def ping(self, appservice: str, transaction: str) -> None:
        """See `AppserviceHomeserver.ping`."""
        path = f"appservice/{_part(appservice)}/ping"
        await self._request("POST", path, {"transaction_id": transaction}, version="v1")

    def _own(self, transaction: str) -> str:
        """A transaction id of this user alone: Synapse tells an appservice's users apart by nothing else."""
        return f"{transaction} {self.user}"

    @asynccontextmanager
    async def _speaking(self) -> AsyncIterator[Any]:
        async with self._client.speaking(self._speaker):
            yield self._client

    async def _request(
        self, method: str, path: str, content: dict[str, object] | None = None, version: str = "v3"
    ) -> dict[str, Any]:
        async with self._client.speaking(self._speaker):
            return await self._client.request(method, f"/_matrix/client/{version}/{path}", content)


def _part(text: str) -> str:
    return quote(text, safe="")


def _via(servers: Sequence[str]) -> str:
    return f"?{urlencode([('via', server) for server in servers])}" if servers else ""


def _state_event(raw: dict[str, Any]) -> StateEvent:
    content = raw.get("content")
    at = raw.get("origin_server_ts")
    return StateEvent(
        type=str(raw.get("type")),
        key=str(raw.get("state_key", "")),
        sender=UserId(str(raw.get("sender"))),
        content=content if isinstance(content, dict) else {},
        event=EventId(str(raw.get("event_id", ""))),
        at=at if isinstance(at, int) else 0,
    )
