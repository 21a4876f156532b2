"""Every command by every role in every room version: exactly as docs/permissions.md says."""

import pytest

from haven.model import Role, Settings
from haven.permissions import holders
from plugin.commands.asked import Anywhere, Within
from plugin.commands.table import TABLE
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import PEOPLE, Stage, staged

TRIED = {
    "show": "",
    "settings": "",
    "plan": "",
    "repair": "",
    "log": "",
    "deactivate": "",
    "reactivate": "",
    "group add": "Group of {name}",
    "group list": "",
    "group set": "Madrid topic {name}",
    "group adopt": "!nowhere:haven.test",
    "group archive": "Lisboa",
    "group remove": "Lisboa",
    "suggest": "Idea of {name}",
    "suggestions": "",
    "withdraw": "x",
    "role add": "@member:haven.test greeter",
    "role remove": "@admin:haven.test greeter",
    "roles": "",
    "owner transfer": "@admin:haven.test",
    "owner successor": "@admin:haven.test",
    "announce": "Hola",
    "requests": "",
    "approve": "@stranger:haven.test",
    "reject": "@stranger:haven.test",
    "invite create": "",
    "invite list": "",
    "invite revoke": "nothing",
    "invite reset": "",
    "leave": "",
    "remove": "@{name}-guest:haven.test",
    "ban": "@{name}-foe:haven.test",
    "unban": "@{name}-foe:haven.test",
    "mute": "@member:haven.test --for 1h",
    "unmute": "@member:haven.test",
    "lockdown": "",
    "open": "",
    "report": "",
    "reports": "",
    "rules": "",
    "welcome": "",
    "bridge link": "irc #chat --group Brno",
    "bridge unlink": "irc",
    "bridge status": "",
}
WITHIN = [entry for entry in TABLE.entries if isinstance(entry, Within)]
GOING_LAST = sorted(WITHIN, key=lambda entry: entry.command.name == "leave")
"""Who has left can do nothing more."""


def test_every_command_of_a_community_is_tried() -> None:
    assert [entry.command.name for entry in WITHIN] == sorted(TRIED, key=list(TRIED).index)
    anywhere = {entry.command.name for entry in TABLE.entries if isinstance(entry, Anywhere)}
    assert anywhere == {"create", "list", "join", "help"}


async def refused(stage: Stage, name: str, entry: Within) -> bool:
    """Whether somebody is refused for who they are; if so, nothing but the answer must have been written."""
    general, admins = await stage.room("general"), await stage.room("admins")
    stage.forget()
    command = f"!c {entry.command.name} {TRIED[entry.command.name].format(name=name)}"
    said = await stage.answer(name, command, admins if name == "owner" else general)
    no = "You cannot do that as" in said or "Only members of" in said
    assert not (no and stage.written())
    return no


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_rights_are_as_the_table_says(server: FakeHomeserver, store: Store, version: str) -> None:
    async with staged(server, store, version) as stage:
        for name, role in reversed(PEOPLE.items()):
            for entry in GOING_LAST:
                allowed = role in holders(entry.right, Settings())
                assert await refused(stage, name, entry) != allowed, (name, entry.command.name)
        for entry in WITHIN:
            assert await refused(stage, "stranger", entry), entry.command.name


async def test_who_has_left_the_space_is_a_stranger_whatever_they_were(stage: Stage) -> None:
    await stage.person("admin").leave(stage.space)
    assert (await stage.community()).role_of(stage.user("admin")) is Role.ADMIN
    for entry in WITHIN:
        assert await refused(stage, "admin", entry), entry.command.name
