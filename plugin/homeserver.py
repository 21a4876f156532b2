"""The ports of the mind over maubot's Matrix client: the only file of the plugin that sends.

Requests go out with the client's session, address and token, yet not through its `api.request`: mautrix 0.21 forgets
how long a 429 told us to wait, retries by itself when asked to, and logs the contents of messages at DEBUG. Nothing
here retries and nothing is logged. What is meant for an encrypted room is encrypted by the client first.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from aiohttp import ClientError, ClientResponse, ClientTimeout
from mautrix.client import Client
from mautrix.errors import MatrixError
from mautrix.types import EventType
from mautrix.types import RoomID as MautrixRoomId
from yarl import URL

from haven.errors import Missing, Refused, Unreachable
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.ports import NO_EVENT, Content, NewRoom, StateEvent

from .events import Posted, Reaction, posted, reaction
from .homeserver_failures import encryption_failure, failure
from .homeserver_files import File, sealed, shown
from .homeserver_messages import Page
from .safety.server_reports import Reported, reported

PATIENCE: Final = ClientTimeout(total=60)
"""How long one request may take, in seconds: creating a room is the slowest thing we ask for."""

NEVER_ENCRYPTED: Final = frozenset({"m.reaction", "m.room.redaction"})
"""Message events that stay readable to the homeserver also in encrypted rooms (spec: m.room.encryption)."""

SAID: Final[Mapping[str, Any]] = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {
        "timeline": {"limit": 100, "types": ["m.room.message", "m.reaction"]},
        "state": {"types": []},
        "ephemeral": {"types": []},
        "account_data": {"types": []},
    },
}
"""The filter for what was said and reacted, and invitations (spec: filtering)."""

NOT_SAID: Final = ("m.room.redaction", "m.room.member")
"""What is no message, though there may be much of it."""

Query = Sequence[tuple[str, str]]


class MautrixHomeserver:
    """What the mind needs from a homeserver, as the user of one `mautrix.client.Client` (see `haven.ports`)."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._plain_rooms: set[RoomId] = set()

    @property
    def user(self) -> UserId:
        """The user whose eyes and hands this is."""
        return UserId(self._client.mxid)

    async def joined_rooms(self) -> tuple[RoomId, ...]:
        """See `haven.ports.ListsRooms`."""
        answer = await self._ask("GET", "v3/joined_rooms")
        return tuple(RoomId(str(room)) for room in _items(answer, "joined_rooms"))

    async def room_state(self, room: RoomId) -> tuple[StateEvent, ...]:
        """See `haven.ports.ReadsRoom`."""
        answer = await self._ask("GET", f"v3/rooms/{_part(room)}/state")
        events = answer if isinstance(answer, list) else []
        return tuple(_state_event(event) for event in events if isinstance(event, dict))

    async def state_content(self, room: RoomId, event_type: str, key: str = "") -> Content:
        """See `haven.ports.ReadsState`."""
        return _object(await self._ask("GET", _state_path(room, event_type, key)))

    async def create_room(self, room: NewRoom) -> RoomId:
        """See `haven.ports.CreatesRoom`."""
        return RoomId(_word(await self._ask("POST", "v3/createRoom", room.request()), "room_id"))

    async def send_state(self, room: RoomId, event_type: str, key: str, content: Content) -> EventId:
        """See `haven.ports.SendsState`."""
        return _event_id(await self._ask("PUT", _state_path(room, event_type, key), content))

    async def send_message(
        self, room: RoomId, event_type: str, content: Content, transaction: str
    ) -> EventId:
        """See `haven.ports.SendsMessage`."""
        event_type, content = await self._sealed(room, event_type, content)
        path = f"v3/rooms/{_part(room)}/send/{_part(event_type)}/{_part(transaction)}"
        return _event_id(await self._ask("PUT", path, content))

    async def send_file(self, room: RoomId, file: File, transaction: str) -> EventId:
        """See `plugin.homeserver_files.SendsFiles`."""
        keys: Content | None = None
        uploaded = file
        if await self._is_encrypted(room):
            if not self._client.crypto_enabled:
                raise Refused("file_unencrypted")
            uploaded, keys = sealed(file)
        query = (("filename", uploaded.name),) if uploaded.name else ()
        answer = await self._ask("POST", "v3/upload", uploaded, query, "_matrix/media")
        content = shown(file, _word(answer, "content_uri"), keys)
        return await self.send_message(room, "m.room.message", content, transaction)

    async def redact(self, room: RoomId, event: EventId, reason: str, transaction: str) -> EventId:
        """See `haven.ports.Redacts`."""
        path = f"v3/rooms/{_part(room)}/redact/{_part(event)}/{_part(transaction)}"
        return _event_id(await self._ask("PUT", path, _with_reason({}, reason)))

    async def invite(self, room: RoomId, user: UserId) -> None:
        """See `haven.ports.Invites`."""
        await self._ask("POST", f"v3/rooms/{_part(room)}/invite", {"user_id": user})

    async def kick(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """See `haven.ports.Kicks`."""
        await self._ask("POST", f"v3/rooms/{_part(room)}/kick", _with_reason({"user_id": user}, reason))

    async def ban(self, room: RoomId, user: UserId, reason: str = "") -> None:
        """See `haven.ports.Bans`."""
        await self._ask("POST", f"v3/rooms/{_part(room)}/ban", _with_reason({"user_id": user}, reason))

    async def unban(self, room: RoomId, user: UserId) -> None:
        """See `haven.ports.Unbans`."""
        await self._ask("POST", f"v3/rooms/{_part(room)}/unban", {"user_id": user})

    async def join(self, room: RoomId, via: Sequence[str] = ()) -> None:
        """See `haven.ports.Joins`."""
        await self._ask("POST", f"v3/join/{_part(room)}", {}, _via(via))

    async def knock(self, room: RoomId, via: Sequence[str] = (), reason: str = "") -> None:
        """See `haven.ports.Knocks`."""
        await self._ask("POST", f"v3/knock/{_part(room)}", _with_reason({}, reason), _via(via))

    async def join_for(self, room: RoomId, user: UserId) -> None:
        """See `plugin.entrance.everybody.JoinsOthers`."""
        await self._ask("POST", f"join/{_part(room)}", {"user_id": user}, root="_synapse/admin/v1")

    async def resolve(self, alias: str) -> tuple[RoomId, tuple[str, ...]]:
        """See `plugin.safety.lists.ResolvesAliases`."""
        answer = await self._ask("GET", f"v3/directory/room/{_part(alias)}")
        servers = (server for server in _items(answer, "servers") if isinstance(server, str))
        return RoomId(_word(answer, "room_id")), tuple(servers)

    async def aliases(self, room: RoomId) -> tuple[str, ...]:
        """See `plugin.service.alias_moves.NamesRooms`."""
        answer = await self._ask("GET", f"v3/rooms/{_part(room)}/aliases")
        return tuple(alias for alias in _items(answer, "aliases") if isinstance(alias, str))

    async def add_alias(self, alias: str, room: RoomId) -> None:
        """See `plugin.service.alias_moves.NamesRooms`."""
        await self._ask("PUT", f"v3/directory/room/{_part(alias)}", {"room_id": room})

    async def drop_alias(self, alias: str) -> None:
        """See `plugin.service.alias_moves.NamesRooms`."""
        await self._ask("DELETE", f"v3/directory/room/{_part(alias)}")

    async def is_listed(self, room: RoomId) -> bool:
        """See `plugin.service.adoptions.ListsNowhere`."""
        answer = await self._ask("GET", f"v3/directory/list/room/{_part(room)}")
        return _object(answer).get("visibility") == "public"

    async def unlist(self, room: RoomId) -> None:
        """See `plugin.service.adoptions.ListsNowhere`."""
        await self._ask("PUT", f"v3/directory/list/room/{_part(room)}", {"visibility": "private"})

    async def event_reports(self, start: int) -> tuple[tuple[Reported, ...], int]:
        """See `plugin.safety.server_reports.TellsReports`."""
        query = (("from", str(start)), ("limit", "100"), ("dir", "b"))
        answer = await self._ask("GET", "event_reports", query=query, root="_synapse/admin/v1")
        read = (reported(_object(raw)) for raw in _items(answer, "event_reports"))
        following = _object(answer).get("next_token")
        return tuple(read), following if isinstance(following, int) else 0

    async def state_before(self, room: RoomId, event: EventId) -> StateEvent | None:
        """See `plugin.safety.mending.ReadsBefore`."""
        raw = _object(await self._ask("GET", f"v3/rooms/{_part(room)}/event/{_part(event)}"))
        before = _word(raw.get("unsigned"), "replaces_state") or _word(raw, "replaces_state")
        if not before:
            return None
        return _state_event(_object(await self._ask("GET", f"v3/rooms/{_part(room)}/event/{_part(before)}")))

    async def leave(self, room: RoomId) -> None:
        """See `haven.ports.Leaves`."""
        await self._ask("POST", f"v3/rooms/{_part(room)}/leave", {})

    async def hierarchy(self, space: RoomId) -> tuple[RoomId, ...]:
        """See `haven.ports.ReadsHierarchy`. Follows the pages (Synapse gives 50 rooms a page)."""
        path = f"v1/rooms/{_part(space)}/hierarchy"
        rooms: list[RoomId] = []
        query: Query = (("max_depth", "1"), ("limit", "50"))
        while query:
            answer = _object(await self._ask("GET", path, query=query))
            rooms += [RoomId(_word(room, "room_id")) for room in _items(answer, "rooms")]
            page = answer.get("next_batch")
            query = (*query[:2], ("from", page)) if isinstance(page, str) else ()
        return tuple(room for room in rooms if room != space)

    async def reactions(self, room: RoomId, event: EventId) -> tuple[Reaction, ...]:
        """See `plugin.homeserver_messages.ReadsReactions`. One page, of a hundred: more are not asked for by a card."""
        path = f"v1/rooms/{_part(room)}/relations/{_part(event)}/m.annotation/m.reaction"
        answer = await self._ask("GET", path, query=(("dir", "f"), ("limit", "100")))
        read = (reaction(_object(raw), room, self.user) for raw in _items(answer, "chunk"))
        return tuple(each for each in read if each is not None)

    async def posted(self, room: RoomId, event: EventId) -> Posted | None:
        """See `plugin.homeserver_messages.ReadsPosts`."""
        path = f"v3/rooms/{_part(room)}/event/{_part(event)}"
        return posted(_object(await self._ask("GET", path)), room)

    async def recent(self, room: RoomId, most: int) -> tuple[Posted, ...]:
        """See `plugin.homeserver_messages.ReadsPosts`. One page; Synapse gives at most a thousand."""
        query = (("dir", "b"), ("limit", str(most)), ("filter", '{"types":["m.room.message"]}'))
        answer = await self._ask("GET", f"v3/rooms/{_part(room)}/messages", query=query)
        read = (posted(_object(raw), room) for raw in reversed(_items(answer, "chunk")))
        return tuple(each for each in read if each is not None)

    async def history(self, room: RoomId, place: str, most: int) -> Page:
        """See `plugin.homeserver_messages.ReadsHistory`."""
        asked = (("dir", "f"), ("limit", str(most)), ("filter", json.dumps({"not_types": [*NOT_SAID]})))
        query = (*asked, ("from", place)) if place else asked
        answer = _object(await self._ask("GET", f"v3/rooms/{_part(room)}/messages", query=query))
        events = (_object(raw) for raw in _items(answer, "chunk"))
        read = (posted(raw, room) for raw in events if raw.get("type") not in NOT_SAID)
        return Page(tuple(each for each in read if each is not None), _word(answer, "end"))

    async def room_versions(self) -> frozenset[RoomVersion]:
        """The versions a new room can have here (spec: ``GET /capabilities``, ``m.room_versions``)."""
        capabilities = _object(_object(await self._ask("GET", "v3/capabilities")).get("capabilities"))
        versions = _object(_object(capabilities.get("m.room_versions")).get("available"))
        return frozenset(RoomVersion(version) for version in versions)

    async def sync_since(self, place: str) -> Mapping[str, Any]:
        """See `plugin.catchup.TellsSince`."""
        return await self._since(place, SAID)

    async def members_since(self, place: str, rooms: Collection[RoomId]) -> Mapping[str, Any]:
        """See `plugin.catchup.TellsSince`."""
        timeline = {"limit": 100, "types": ["m.room.member"]}
        return await self._since(
            place, {**SAID, "room": {**SAID["room"], "timeline": timeline, "rooms": [*rooms]}}
        )

    async def _since(self, place: str, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        how = (("timeout", "0"), ("set_presence", "offline"))
        query = (("since", place), ("filter", json.dumps(wanted)), *how)
        return _object(await self._ask("GET", "v3/sync", query=query))

    async def _sealed(self, room: RoomId, event_type: str, content: Content) -> tuple[str, Content]:
        """The event as it may travel: encrypted where the room is and the client can."""
        client = self._client
        if not client.crypto_enabled or event_type in NEVER_ENCRYPTED or not await self._is_encrypted(room):
            return event_type, content
        kind = EventType.find(event_type, EventType.Class.MESSAGE)
        try:
            sealed = await client.encrypt(MautrixRoomId(room), kind, dict(content))  # type: ignore[arg-type]  # a dict serves as well
        except (MatrixError, TimeoutError, OSError) as error:
            raise encryption_failure(error) from error
        return "m.room.encrypted", _object(sealed.serialize())

    async def _is_encrypted(self, room: RoomId) -> bool:
        """Whether a room is encrypted: asked once, from then on the client's sync says when that changes."""
        store = self._client.state_store
        known = await store.is_encrypted(MautrixRoomId(room)) if store else None
        if known is not None or room in self._plain_rooms:
            return bool(known)
        try:
            await self.state_content(room, "m.room.encryption")
        except Missing:
            self._plain_rooms.add(room)
            return False
        return True

    async def _ask(
        self,
        method: str,
        path: str,
        body: Content | File | None = None,
        query: Query = (),
        root: str = "_matrix/client",
    ) -> object:
        """One request below ``root``: its parsed answer, or one of our errors."""
        kind = {"Content-Type": body.kind} if isinstance(body, File) else {}
        api = self._client.api
        url = URL(f"{str(api.base_url).rstrip('/')}/{root}/{path}", encoded=True)
        if api.as_user_id:
            query = (*query, ("user_id", api.as_user_id))
        request = api.session.request(
            method,
            url.extend_query(list(query)),
            json=dict(body) if isinstance(body, Mapping) else None,
            data=body.data if isinstance(body, File) else None,
            headers={"Authorization": f"Bearer {api.token}", **kind},
            timeout=PATIENCE,
        )
        try:
            async with request as response:
                return await _answer(response)
        except (ClientError, TimeoutError, OSError) as error:
            raise Unreachable from error


async def _answer(response: ClientResponse) -> object:
    try:
        body: object = await response.json(content_type=None)
    except ValueError:
        body = None
    if response.status == 200 and body is not None:
        return body
    raise failure(response.status, _object(body), response.headers.get("Retry-After", ""))


def _state_event(raw: Content) -> StateEvent:
    at = raw.get("origin_server_ts")
    return StateEvent(
        type=_word(raw, "type"),
        key=_word(raw, "state_key"),
        sender=UserId(_word(raw, "sender")),
        content=_object(raw.get("content")),
        event=EventId(_word(raw, "event_id")) or NO_EVENT,
        at=at if isinstance(at, int) else 0,
    )


def _part(text: str) -> str:
    """One segment of a path, percent-encoded whole: ids and keys may contain slashes."""
    return quote(text, safe="")


def _state_path(room: RoomId, event_type: str, key: str) -> str:
    return f"v3/rooms/{_part(room)}/state/{_part(event_type)}/{_part(key)}"


def _via(servers: Sequence[str]) -> Query:
    """Both spellings: ``server_name`` is what servers before v1.12 of the specification know (MSC4156)."""
    return tuple((name, server) for name in ("via", "server_name") for server in servers)


def _with_reason(body: Content, reason: str) -> Content:
    return {**body, "reason": reason} if reason else body


def _object(raw: object) -> Content:
    return raw if isinstance(raw, Mapping) else {}


def _items(raw: object, name: str) -> list[object]:
    found = _object(raw).get(name)
    return found if isinstance(found, list) else []


def _word(raw: object, name: str) -> str:
    found = _object(raw).get(name)
    return found if isinstance(found, str) else ""


def _event_id(raw: object) -> EventId:
    return EventId(_word(raw, "event_id"))
