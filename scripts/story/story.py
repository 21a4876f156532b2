"""What the scenes share: the stage, the people, the rooms as they come to be, and how to ask about them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from embedded.chatter import Chatter
from embedded.waiting import eventually
from scripts.story.cast import FATHERS, PASSWORD, STRANGER, Father
from scripts.story.stage import Stage
from scripts.story.telling import Teller

COMMUNITY = "Padres en Compañía"


@dataclass(slots=True)
class Story:
    """The story so far. ``office``: the owner's direct chat with the bot; ``rooms``: ids by kind, for groups by name."""

    stage: Stage
    teller: Teller
    fathers: dict[str, Father]
    stranger: Father
    paco: Chatter
    office: str = ""
    space: str = ""
    rooms: dict[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> Father:
        """Who founds the community."""
        return self.fathers["diego"]

    @property
    def bot(self) -> str:
        """The bot's Matrix id."""
        return self.stage.bot.user_id

    def others(self) -> Iterable[Father]:
        """The fathers who are not the owner."""
        return (father for father in self.fathers.values() if father is not self.owner)

    async def command(self, father: Father, room: str, words: str) -> str:
        """Says a command; tells it, and gives the answer."""
        self.teller.says(father.name, "a chat with the bot", words)
        answer = await father.ask(room, words, self.bot)
        self.teller.says("Haven", "its answer", answer)
        return answer

    async def office_of(self, father: Father) -> str:
        """Opens a direct chat with the bot, which must come."""
        room = await father.person.create_dm(self.bot)

        async def has_come() -> bool:
            return self.bot in await father.person.joined(room)

        await eventually(has_come, f"the bot accepting the direct chat of {father.name}")
        return room

    async def find_rooms(self) -> None:
        """Reads from the servers which rooms belong to the community: the bot is in all of them, hidden ones too."""
        for room in await self.stage.bot.joined_rooms():
            record = await self.stage.bot.state(room, "chat.haven.group")
            if record and record.get("community") == self.space:
                name = (await self.stage.bot.state(room, "m.room.name") or {}).get("name", "")
                self.rooms[str(name) if record["kind"] == "group" else str(record["kind"])] = room

    async def levels(self, father: Father) -> dict[str, int]:
        """Somebody's power level in the space and in every room of the community, by name."""
        rooms = {"space": self.space, **self.rooms}
        return {name: await self.stage.bot.power(room, father.user_id) for name, room in rooms.items()}

    async def everything(self) -> list[tuple[str, str]]:
        """The id of every state event in every room of the community: equal as long as nothing changes."""
        states = [(room, await self.stage.bot.all_state(room)) for room in (self.space, *self.rooms.values())]
        return sorted((room, event.id) for room, state in states for event in state)


async def gather_cast(stage: Stage, teller: Teller) -> Story:
    """Registers everybody."""
    fathers = {}
    for localpart, (name, country) in FATHERS.items():
        fathers[localpart] = await _father(stage, localpart, f"{name} ({country})", name)
    stranger = await _father(stage, *STRANGER, STRANGER[1])
    paco = await Chatter.connect(stage.irc.host, stage.irc.port, "paco")
    return Story(stage, teller, fathers, stranger, paco)


async def _father(stage: Stage, localpart: str, shown: str, name: str) -> Father:
    person = await stage.synapse.register(localpart, PASSWORD)
    await person.set_displayname(shown)
    return Father(person, name)
