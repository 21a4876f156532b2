"""A community on the fake homeserver as the plugin makes it, linked as a whole to one of the memory network.

Alice stands for the community's bot here: what it would do in answer to the bridge, tests do by her hand.
"""

from pathlib import Path

from bridge.networks.memory_communities import Land
from haven.ids import ChatId, RemoteUserId, RoomId, RoomVersion
from haven.ports import Content, NewRoom, StateEvent
from haven.stateevents import SLOT
from haven.wishes import ANSWER, ASKED, WISHED, Answered, Asking, answer_content, read_asked
from tests.bridge.lives import BOT, Lives

SAM = RemoteUserId("sam")


class Parish:
    """Both sides. Sam made the community on the network; ``rooms``: ours, by name."""

    def __init__(self, place: Path) -> None:
        self.lives = Lives(place)
        self.space = RoomId("")
        self.rooms: dict[str, RoomId] = {}
        self.chat = ChatId("")

    @property
    def land(self) -> Land:
        """The communities of the network."""
        return self.lives.town.land

    async def begin(self, *groups: str) -> None:
        """Make both, with the same announcements and general chat, and ``groups`` on our side; let the bridge live."""
        await self.lives.begin()
        self.chat = await self.land.found("Fathers", "sam")
        alice = self.lives.alice
        levels = {"users": {BOT: 90}, "events_default": 0, "state_default": 90}
        space = NewRoom("Fathers", RoomVersion("12"), "", {"type": "m.space"}, (), levels)
        self.space = await alice.create_room(space)
        for kind, name in (("announcements", "News"), ("general", "Hall"), ("admins", "Admins")):
            await self.add(name, kind)
        for name in groups:
            await self.add(name)
        fixed = {kind: self.rooms[name] for kind, name in (("announcements", "News"), ("admins", "Admins"))}
        record = {"version": 1, "name": "Fathers", "owner": alice.user, **fixed}
        await alice.send_state(self.space, "chat.haven.community", "", record)
        await alice.invite(self.space, BOT)
        await self.lives.live()

    async def add(self, name: str, kind: str = "group", visibility: str = "open", wish: str = "") -> RoomId:
        """Our side has a new group; ``wish``: the state key of the question that it answers."""
        alice = self.lives.alice
        group = {"version": 1, "community": self.space, "kind": kind, "visibility": visibility}
        levels = {"users": {BOT: 90}, "state_default": 90}
        creation = {SLOT: f"{WISHED}{wish}"} if wish else {}
        state = (StateEvent("chat.haven.group", "", alice.user, group),)
        room = await alice.create_room(NewRoom(name, RoomVersion("12"), "", creation, state, levels, (BOT,)))
        self.rooms[name] = room
        await alice.send_state(self.space, "m.space.child", room, {"via": ["haven.test"]})
        return room

    async def archive(self, name: str) -> None:
        """Our side archives a group, as the plugin does."""
        alice, room = self.lives.alice, self.rooms[name]
        group = await alice.state_content(room, "chat.haven.group")
        await alice.send_state(room, "chat.haven.group", "", {**group, "archived": True})
        await alice.send_state(self.space, "m.space.child", room, {})

    async def ask(self) -> None:
        """An admin asks for the whole to be linked."""
        wanted = {"version": 1, "network": "memory", "chat": self.chat, "by": self.lives.alice.user}
        content = {**wanted, "whole": True, "proven": False}
        await self.lives.alice.send_state(self.space, "chat.haven.link", f"memory:{self.chat}", content)

    async def link(self) -> None:
        """Ask for it, and have Sam prove it in the announcement group."""
        await self.ask()
        await self.lives.until(lambda: self.status().get("state") == "proof")
        await self.lives.town.speak(self.news, SAM, str(self.status()["code"]))
        await self.lives.until(lambda: self.status().get("state") == "linked")

    @property
    def news(self) -> ChatId:
        """The announcement group on the network."""
        return self.land.announcements(self.chat)

    def status(self, room: RoomId | None = None, chat: ChatId | None = None) -> Content:
        """What became of the whole link, or of a group's."""
        key = f"haven://memory/{chat or self.chat}"
        found = self.lives.homeserver.rooms[room or self.space].content("m.bridge", key)
        status = found.get("chat.haven.status", {})
        assert isinstance(status, dict)
        return status

    def linked(self, name: str, there: str = "") -> bool:
        """Whether a group of ours is at work with the one that has that name there."""
        if there and there not in self.land.names(self.chat):
            return False
        chat = self.land.named(self.chat, there or name)
        return self.status(self.rooms[name], chat).get("state") == "linked"

    def name(self, name: str) -> str:
        """What a room of ours, by its first name, is called now."""
        return str(self.lives.homeserver.rooms[self.rooms[name]].content("m.room.name").get("name"))

    def asked(self) -> dict[str, Asking]:
        """What the bridge asks now, by state key."""
        room = self.lives.homeserver.rooms[self.rooms["Admins"]]
        read = {key: read_asked(room.content(ASKED, key)) for key in room.keys(ASKED)}
        return {key: asked for key, asked in read.items() if asked is not None}

    async def answer(self, key: str, *, yes: bool) -> None:
        """The house answers."""
        room = self.rooms["Admins"]
        event = self.lives.homeserver.rooms[room].find(ASKED, key)
        assert event is not None
        content = answer_content(Answered(event.id, yes))
        await self.lives.alice.send_state(room, ANSWER, key, content)

    async def kept(self) -> str:
        """What the bridge keeps of what was agreed, as it stands in its database."""
        assert self.lives.store is not None
        return await self.lives.store.recall(f"agreed {self.space} memory:{self.chat}") or ""

    def told(self) -> list[str]:
        """What the bridge says in the admins' room."""
        timeline = self.lives.homeserver.rooms[self.rooms["Admins"]].timeline
        said = (event for event in timeline if event.type == "m.room.message" and event.sender == BOT)
        return [str(event.content["body"]) for event in said]

    async def until_named(self, *names: str) -> None:
        """Wait for the network to have just these groups beside the fixed ones."""
        wanted = {"Fathers news", "General", *names}
        await self.lives.until(lambda: self.land.names(self.chat) == wanted)
