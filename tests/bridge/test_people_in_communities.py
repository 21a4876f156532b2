"""People of links in the rooms of a community: the plugin gives the levels, and the admins are told what needs them."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bridge.networks.events import Role
from haven.ids import RemoteUserId, RoomId, RoomVersion, UserId
from haven.lent import ROLES, read_roles
from haven.model import Role as RoleHere
from haven.ports import NewRoom
from tests.bridge.lives import BOT, CHAT, LINK_KEY, Lives
from tests.bridge.test_people import BOB, agreed, level, role, speaks
from tests.fakes.homeserver_client import FakeClient

SPACE = RoomId("!space")


class Community:
    """The linked room is a group of a community, and there is an admins' room. ``plugin`` does what the plugin would."""

    def __init__(self, lives: Lives) -> None:
        self.lives = lives
        self.plugin: FakeClient = lives.homeserver.person("haven")
        self.admins = RoomId("")

    async def begin(self, kind: str = "group") -> None:
        """Found it around the room, and let the bridge into the admins' room."""
        lives = self.lives
        await lives.alice.invite(lives.room, self.plugin.user)
        await self.plugin.join(lives.room)
        levels = {**lives.homeserver.rooms[lives.room].content("m.room.power_levels")}
        users = levels["users"]
        assert isinstance(users, dict)
        await lives.alice.send_state(
            lives.room, "m.room.power_levels", "", {**levels, "users": {**users, self.plugin.user: 100}}
        )
        self.admins = await self.plugin.create_room(NewRoom("Admins", RoomVersion("12")))
        await self.plugin.send_state(self.admins, "chat.haven.group", "", self.record("admins"))
        await self.plugin.invite(self.admins, BOT)
        await lives.until(lambda: lives.homeserver.rooms[self.admins].membership(BOT) == "join")
        await self.record_says(kind)

    @staticmethod
    def record(kind: str, exceptions: Mapping[UserId, str] | None = None) -> dict[str, object]:
        return {
            "version": 1,
            "community": SPACE,
            "kind": kind,
            "visibility": "open",
            "exceptions": exceptions or {},
        }

    async def record_says(self, kind: str = "group", exceptions: Mapping[UserId, str] | None = None) -> None:
        """The plugin writes the room's record, and the bridge reads it."""
        lives, record = self.lives, self.record(kind, exceptions)
        await self.plugin.send_state(lives.room, "chat.haven.group", "", record)

        def is_read() -> bool:
            assert lives.bridge is not None
            return lives.bridge._rooms.view(lives.room).content("chat.haven.group") == record

        await lives.until(is_read)

    async def gives(self, user: UserId, value: int) -> None:
        """The plugin gives somebody a level."""
        levels = self.lives.homeserver.rooms[self.lives.room].content("m.room.power_levels")
        users = levels["users"]
        assert isinstance(users, dict)
        content = {**levels, "users": {**users, user: value}}
        await self.plugin.send_state(self.lives.room, "m.room.power_levels", "", content)

    def lent(self) -> dict[UserId, RoleHere]:
        """Who has a say in the chat, as the bridge says."""
        return read_roles(self.lives.homeserver.rooms[self.lives.room].content(ROLES, LINK_KEY))

    def told(self) -> list[str]:
        """What the admins were told by the bridge."""
        timeline = self.lives.homeserver.rooms[self.admins].timeline
        said = [event for event in timeline if event.type == "m.room.message" and event.sender == BOT]
        return [str(event.content["body"]) for event in said]


@pytest.fixture
async def books(lives: Lives) -> Community:
    await lives.link()
    await lives.town.join(CHAT, "bob")
    books = Community(lives)
    await books.begin()
    return books


async def test_who_has_a_say_in_the_chat_is_named_and_the_levels_are_left_to_the_plugin(
    books: Community,
) -> None:
    lives = books.lives
    ghost = await speaks(lives, "hi")
    await lives.town.give_role(CHAT, BOB, Role.OPERATOR)
    await lives.until(lambda: books.lent() == {ghost: RoleHere.GROUP_ADMIN})
    assert level(lives, ghost) == 0
    await books.gives(ghost, 60)
    await agreed(lives, 1)
    await lives.town.give_role(CHAT, BOB, Role.MEMBER)
    await lives.until(lambda: books.lent() == {})
    assert books.told() == []


async def test_what_the_plugin_has_not_done_yet_is_not_taken_for_a_refusal(books: Community) -> None:
    lives = books.lives
    ghost = await speaks(lives, "hi")
    await lives.town.give_role(CHAT, BOB, Role.OPERATOR)
    await lives.until(lambda: books.lent() == {ghost: RoleHere.GROUP_ADMIN})
    for number in range(3):
        await lives.town.give_role(CHAT, BOB, Role.OPERATOR)
        await speaks(lives, f"still {number}", lives.oscar)
    assert role(lives) is Role.OPERATOR


async def test_what_admins_decide_by_command_goes_to_the_network(books: Community) -> None:
    lives = books.lives
    ghost = await speaks(lives, "hi")
    await lives.town.give_role(CHAT, BOB, Role.OPERATOR)
    await lives.until(lambda: bool(books.lent()))
    await books.gives(ghost, 60)
    await agreed(lives, 1)
    await books.record_says(exceptions={ghost: "member"})
    await books.gives(ghost, 0)
    await lives.until(lambda: role(lives) is Role.MEMBER)
    await lives.until(lambda: books.lent() == {})
    assert role(lives) is Role.MEMBER


async def test_the_communitys_word_counts_for_more_and_the_admins_hear_that_the_networks_is_another(
    books: Community,
) -> None:
    lives = books.lives
    ghost = await speaks(lives, "hi")
    await books.record_says(exceptions={ghost: "group-admin"})
    await books.gives(ghost, 60)
    await lives.until(lambda: role(lives) is Role.OPERATOR)
    await agreed(lives, 1)
    await lives.town.give_role(CHAT, BOB, Role.MEMBER)
    await lives.until(lambda: len(books.told()) == 1)
    assert "sees bob otherwise than you have decided" in books.told()[0]
    await lives.town.give_role(CHAT, BOB, Role.MEMBER)
    await speaks(lives, "so be it")
    assert (level(lives, ghost), len(books.told())) == (60, 1), "told once"


async def test_a_network_that_refuses_is_told_of_once(books: Community) -> None:
    lives = books.lives
    lives.town.chat(CHAT).we_rule = False
    ghost = await speaks(lives, "hi")
    await books.gives(ghost, 60)
    await lives.until(lambda: len(books.told()) == 1)
    assert books.told() == ["memory does not let me carry over what was decided in “Fathers” about bob."]
    await lives.live()
    await lives.until(lambda: bool(lives.town.accounts) and lives.status()["state"] == "linked")
    await speaks(lives, "again")
    assert len(books.told()) == 1


async def test_both_changed_and_otherwise_is_for_the_admins_to_decide(lives: Lives) -> None:
    await lives.link()
    await lives.town.join(CHAT, "bob")
    news = Community(lives)
    await news.begin("announcements")
    ghost = await speaks(lives, "hi")
    await lives.die()
    await news.gives(ghost, 90)
    lives.town.chat(CHAT).people[BOB] = replace(lives.town.chat(CHAT).people[BOB], role=Role.VOICED)
    await lives.live()
    await lives.until(lambda: len(news.told()) == 1)
    assert news.told()[0].startswith(
        "bob was changed in “Fathers” and in its chat on memory at the same time"
    )
    assert (level(lives, ghost), role(lives)) == (90, Role.VOICED)


async def test_lists_that_are_no_facts_are_told_of(books: Community) -> None:
    lives = books.lives
    names = [f"member {number}" for number in range(12)]
    for name in names:
        await lives.town.join(CHAT, name)
    for name in names:
        await speaks(lives, f"I am {name}", RemoteUserId(name))
    await lives.die()
    people = lives.town.chat(CHAT).people
    lives.town.chat(CHAT).people = {BOB: people[BOB]}
    await lives.live()
    await lives.until(lambda: len(books.told()) == 1)
    assert books.told()[0].startswith("12 people seem to have left the chat of “Fathers” on memory at once")
