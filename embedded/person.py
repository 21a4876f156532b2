"""A person with a Matrix account: what people do in clients, for the demo, the tests and the benchmarks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from embedded.matrix import Account, Event, Json, MatrixRefused, path, transaction
from embedded.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Member:
    """A member event of a room: whose, `join`, `invite`, `knock`, `leave` or `ban`, and the name shown there."""

    user_id: str
    membership: str
    displayname: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person at a client. Methods raise MatrixRefused when the homeserver says no; rooms are ids unless said otherwise."""

    account: Account
    timeline: Timeline = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "timeline", Timeline(self.account))

    @property
    def user_id(self) -> str:
        """The Matrix id."""
        return self.account.user_id

    @property
    def token(self) -> str:
        """The access token."""
        return self.account.token

    def impatient(self) -> "Person":
        """The same person at a client that does not wait rate limits out, but raises them."""
        return Person(replace(self.account, patient=False))

    def through(self, url: str) -> "Person":
        """The same person at a client that uses another address of the homeserver, such as a proxy."""
        return Person(self.account.through(url))

    async def _get(self, *segments: str, **query: str) -> Json:
        return await self.account.request("GET", path(*segments), query=query)

    async def _post(
        self, *segments: str, body: Json | None = None, query: dict[str, str] | None = None
    ) -> Json:
        return await self.account.request("POST", path(*segments), body or {}, query)

    async def _put(self, *segments: str, body: Json) -> Json:
        return await self.account.request("PUT", path(*segments), body)

    # --- rooms -------------------------------------------------------------------------------------------------------

    async def create_room(
        self, name: str = "", *, preset: str = "private_chat", invite: Sequence[str] = (), **more: object
    ) -> str:
        """Creates a room, version as the homeserver likes unless `room_version` says; other words go into the request. Its id."""
        body: Json = {"preset": preset, "invite": list(invite), **({"name": name} if name else {}), **more}
        return str((await self._post("createRoom", body=body))["room_id"])

    async def create_dm(self, user_id: str) -> str:
        """Opens a direct chat, the other side invited. Its id."""
        return await self.create_room(invite=[user_id], is_direct=True)

    async def join(self, room_or_alias: str, via: Sequence[str] = ()) -> str:
        """Joins; a version 12 id of another server's room needs `via`. The room's id."""
        where = path("join", room_or_alias) + _via(via)
        return str((await self.account.request("POST", where, {}))["room_id"])

    async def knock(self, room_or_alias: str, reason: str = "", via: Sequence[str] = ()) -> str:
        """Asks to be let in. The room's id."""
        where = path("knock", room_or_alias) + _via(via)
        return str(
            (await self.account.request("POST", where, {"reason": reason} if reason else {}))["room_id"]
        )

    async def leave(self, room: str) -> None:
        """Leaves, declines an invitation, or takes a knock back."""
        await self._post("rooms", room, "leave")

    async def invite(self, room: str, user_id: str) -> None:
        """Invites; this is also how a knock is accepted."""
        await self._post("rooms", room, "invite", body={"user_id": user_id})

    async def kick(self, room: str, user_id: str, reason: str = "") -> None:
        """Removes somebody, or rejects a knock."""
        await self._post("rooms", room, "kick", body={"user_id": user_id, "reason": reason})

    async def ban(self, room: str, user_id: str, reason: str = "") -> None:
        """Removes somebody for good."""
        await self._post("rooms", room, "ban", body={"user_id": user_id, "reason": reason})

    async def unban(self, room: str, user_id: str) -> None:
        """Lifts a ban; the person is not in the room then."""
        await self._post("rooms", room, "unban", body={"user_id": user_id})

    async def report(self, room: str, event: str, reason: str = "") -> None:
        """Reports a message to those who run the homeserver, as clients do by their own button."""
        await self._post("rooms", room, "report", event, body={"reason": reason})

    async def joined_rooms(self) -> set[str]:
        """The rooms this person is in."""
        return set((await self._get("joined_rooms"))["joined_rooms"])

    # --- saying ------------------------------------------------------------------------------------------------------

    async def send(
        self, room: str, content: Json, event_type: str = "m.room.message", txn: str | None = None
    ) -> str:
        """Sends an event; `txn` repeats an earlier request on purpose. Its id."""
        answer = await self._put("rooms", room, "send", event_type, txn or transaction(), body=content)
        return str(answer["event_id"])

    async def say(self, room: str, text: str, **more: object) -> str:
        """Sends a text message; `more` goes into its content. Its id."""
        return await self.send(room, {"msgtype": "m.text", "body": text, **more})

    async def reply(self, room: str, to: str, text: str) -> str:
        """Answers a message. The answer's id."""
        return await self.say(room, text, **{"m.relates_to": {"m.in_reply_to": {"event_id": to}}})

    async def edit(self, room: str, message: str, text: str) -> str:
        """Changes one's own message. The edit's id."""
        new = {"msgtype": "m.text", "body": text}
        relation = {"rel_type": "m.replace", "event_id": message}
        return await self.say(room, f"* {text}", **{"m.new_content": new, "m.relates_to": relation})

    async def react(self, room: str, message: str, key: str) -> str:
        """Reacts with an emoji. The reaction's id."""
        relation = {"rel_type": "m.annotation", "event_id": message, "key": key}
        return await self.send(room, {"m.relates_to": relation}, "m.reaction")

    async def redact(self, room: str, event: str, reason: str = "") -> str:
        """Deletes an event. The redaction's id."""
        body = {"reason": reason} if reason else {}
        answer = await self._put("rooms", room, "redact", event, transaction(), body=body)
        return str(answer["event_id"])

    # --- state -------------------------------------------------------------------------------------------------------

    async def send_state(self, room: str, event_type: str, content: Json, state_key: str = "") -> str:
        """Sets a state event. Its id."""
        return str((await self._put("rooms", room, "state", event_type, state_key, body=content))["event_id"])

    async def state(self, room: str, event_type: str, state_key: str = "") -> Json | None:
        """The content of a state event, None when there is none."""
        try:
            return await self._get("rooms", room, "state", event_type, state_key)
        except MatrixRefused as refusal:
            if refusal.status == 404:
                return None
            raise

    async def all_state(self, room: str) -> list[Event]:
        """All state events of a room."""
        answer = await self.account.request("GET", path("rooms", room, "state"))
        return [Event.of(raw, room) for raw in answer["events"]]

    async def members(self, room: str) -> dict[str, Member]:
        """Everybody who has, or had, to do with a room, by Matrix id."""
        chunk = (await self._get("rooms", room, "members"))["chunk"]
        found = (Event.of(raw, room) for raw in chunk)
        return {
            event.state_key: Member(
                event.state_key, event.content["membership"], event.content.get("displayname")
            )
            for event in found
            if event.state_key is not None
        }

    async def joined(self, room: str) -> set[str]:
        """The Matrix ids of those who are in a room now."""
        return {
            member.user_id for member in (await self.members(room)).values() if member.membership == "join"
        }

    async def power(self, room: str, user_id: str) -> int:
        """Somebody's power level in a room, creators of version 12 not regarded."""
        levels = await self.state(room, "m.room.power_levels") or {}
        return int(levels.get("users", {}).get(user_id, levels.get("users_default", 0)))

    # --- reading -----------------------------------------------------------------------------------------------------

    async def messages(self, room: str, limit: int = 100) -> list[Event]:
        """The last events of a room's timeline, oldest first."""
        chunk = (await self._get("rooms", room, "messages", dir="b", limit=str(limit)))["chunk"]
        return [Event.of(raw, room) for raw in reversed(chunk)]

    async def event(self, room: str, event: str) -> Event:
        """One event by its id."""
        return Event.of(await self._get("rooms", room, "event", event), room)

    async def hierarchy(self, space: str) -> list[Json]:
        """The rooms of a space as clients list them (spec: GET /rooms/{roomId}/hierarchy), the space itself first."""
        where = path("rooms", space, "hierarchy").replace("/v3/", "/v1/")
        return list((await self.account.request("GET", where))["rooms"])

    async def wait_for(
        self, room: str, fits: Callable[[Event], bool], *, after: str | None = None, timeout: float = 30
    ) -> Event:
        """The first event of a room that fits, among those seen so far or still to come; `after`: only later than this one."""
        return await self.timeline.wait_for(room, fits, after=after, timeout=timeout)

    async def wait_for_invite(self, room: str | None = None, timeout: float = 30) -> str:
        """Waits to be invited (to that room); the room's id."""
        return await self.timeline.wait_for_invite(room, timeout)

    # --- oneself -----------------------------------------------------------------------------------------------------

    async def set_displayname(self, name: str) -> None:
        """Changes the name shown everywhere."""
        await self._put("profile", self.user_id, "displayname", body={"displayname": name})


def _via(servers: Sequence[str]) -> str:
    """The query that names servers to join through; `server_name` is its name before v1.12 of the specification."""
    return "?" + "&".join(f"via={server}&server_name={server}" for server in servers) if servers else ""
