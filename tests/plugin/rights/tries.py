"""One try at every command: what is typed, where, and by what one sees that it was really done."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from haven.banlists import BANLISTS
from haven.ids import UserId
from haven.model import Community, Group, Role
from haven.ports import Content
from plugin.service.texts import Text, text_in
from tests.plugin.rights.ground import ASLEEP, CLOSED, EVERYONE, USUAL, Trial


@dataclass(frozen=True, slots=True)
class After:
    """What there is to be seen after a try: who tried, by their account, what the bot said, and the community as it is."""

    trial: Trial
    name: str
    said: str
    community: Community

    def membership(self, name: str, room: str = "space") -> str:
        """How somebody stands in a room."""
        where = self.trial.facts.space if room == "space" else self.trial.facts.rooms[room]
        return self.trial.stage.server.rooms[where].membership(person(name))

    def group(self, name: str) -> Group | None:
        """A group by its name."""
        return next((one for one in self.community.groups if one.name == name), None)

    def link(self, room: str, key: str) -> bool:
        """Whether a link is wanted in a room."""
        return bool(
            self.trial.stage.server.rooms[self.trial.facts.rooms[room]].content("chat.haven.link", key)
        )

    def join_rule(self, room: str) -> object:
        """How one comes into a room."""
        return self.trial.stage.server.rooms[self.trial.facts.rooms[room]].content("m.room.join_rules")[
            "join_rule"
        ]

    def reporters(self) -> int:
        """How many people have reported the message."""
        ((payload,),) = self.trial.rows("SELECT payload FROM card WHERE kind='report'")
        return len(json.loads(str(payload))["by"].split())

    def written(self) -> bool:
        """Whether the reported message still stands."""
        room = self.trial.stage.server.rooms[self.trial.facts.rooms["general"]]
        return bool(room.events[self.trial.facts.written].content)

    def lists(self) -> Content:
        """What the space says of ban lists."""
        return self.trial.stage.server.rooms[self.trial.facts.space].content(BANLISTS)

    def watches(self, name: str) -> bool:
        """Whether a list is watched."""
        return self.trial.facts.lists[name] in str(self.lists().get("watched"))

    def text(self, kind: Text) -> str:
        """A text of the community."""
        return text_in(self.trial.stage.engine.rooms.world, self.trial.facts.space, kind, "en")

    def card(self, kind: str, about: str) -> str | None:
        """What was decided about the newest card; "" while it is open, None where there is none."""
        query = "SELECT decided FROM card WHERE kind=? AND about=? ORDER BY made DESC LIMIT 1"
        found = self.trial.rows(query, kind, about)
        return str(found[0][0]) if found else None

    def invite(self, name: str) -> bool | None:
        """Whether an invite opens nothing any more; None where there is none of that name."""
        found = self.trial.rows("SELECT revoked FROM invite WHERE name=?", name)
        return found[0][0] != 0 if found else None


@dataclass(frozen=True, slots=True)
class Try:
    """``row``: of docs/permissions.md; ``refusal``: what is said where the usual words of refusal are not; ``drift``: in a
    community where somebody has opened the door of Brno by hand.
    """

    row: str
    words: str
    done: Callable[[After], bool]
    ground: str = USUAL
    where: str = "general"
    refusal: str = ""
    drift: bool = False


def person(name: str) -> UserId:
    """Somebody by the name of their account."""
    return UserId(f"@{name}:haven.test")


def says(*words: str) -> Callable[[After], bool]:
    """The bot tells it."""
    return lambda after: all(each in after.said for each in words)


def is_role(name: str, role: Role) -> Callable[[After], bool]:
    """Somebody has a role."""
    return lambda after: after.community.role_of(person(name)) is role


def announced(after: After) -> bool:
    """It stands in the announcements, under the name of who said it."""
    timeline = after.trial.stage.server.rooms[after.trial.facts.rooms["announcements"]].timeline
    return timeline[-1].content.get("body") == f"{after.name}\n\nHola"


def reminding(after: After) -> bool:
    """Members are going to be reminded because somebody asked for it."""
    query = "SELECT COUNT(*) FROM timer WHERE kind='reminder' AND payload LIKE '%asked%'"
    ((count,),) = after.trial.rows(query)
    return int(str(count)) > 1


def founded(after: After) -> bool:
    """There is one more community, and who asked for it is invited to it."""
    rooms = after.trial.stage.server.rooms.values()
    spaces = [room for room in rooms if room.create.content.get("type") == "m.space"]
    return len(spaces) == 2 and spaces[-1].membership(person(after.name)) == "invite"


TRIES = (
    Try("create", "create Of {name}", founded),
    Try("list", "list", lambda after: ("Fathers" in after.said) is (after.name != "stranger")),
    Try("show", "show", says("Fathers", "members")),
    Try("settings", "settings", says("group_limit")),
    Try(
        "settings KEY VALUE",
        "settings group_limit 42",
        lambda after: after.community.settings.group_limit == 42,
    ),
    Try("plan", "plan", says("I would:", "set who can join “Brno”"), drift=True),
    Try("repair", "repair", lambda after: after.join_rule("Brno") == "knock", drift=True),
    Try("log", "log", says("founded the community")),
    Try("deactivate", "deactivate Fathers", lambda after: after.community.deactivated is not None),
    Try("reactivate", "reactivate", lambda after: after.community.deactivated is None, ASLEEP),
    Try("upgrade", "upgrade Madrid", says("“Madrid” has room version", "the homeserver knows 10, 11, 12")),
    Try("group add", "group add Of {name}", lambda after: after.group(f"Of {after.name}") is not None),
    Try("group list", "group list", says("Announcements", "Madrid")),
    Try(
        "group set",
        "group set Madrid topic For all",
        lambda after: (found := after.group("Madrid")) is not None and found.topic == "For all",
    ),
    Try(
        "group adopt",
        "group adopt {hill}",
        lambda after: after.card("adoption", after.trial.facts.hill) == "",
    ),
    Try(
        "group archive",
        "group archive Madrid",
        lambda after: (found := after.group("Madrid")) is not None and found.archived,
    ),
    Try("group remove", "group remove Madrid", lambda after: after.group("Madrid") is None),
    Try("suggest", "suggest New idea", lambda after: after.card("suggestion", "new idea") == ""),
    Try("suggestions", "suggestions", lambda after: f"Idea of {after.name}" in after.said),
    Try(
        "withdraw",
        "withdraw {own_idea}",
        lambda after: after.card("suggestion", f"idea of {after.name}") == "lapsed",
    ),
    Try("role add", "role add @guest:haven.test greeter", is_role("guest", Role.GREETER)),
    Try("role remove", "role remove @helper:haven.test greeter", is_role("helper", Role.MEMBER)),
    Try("roles", "roles", says("helper", "greeter")),
    Try(
        "owner transfer",
        "owner transfer @admin:haven.test",
        lambda after: after.card("transfer", person("admin")) == "",
    ),
    Try(
        "owner successor",
        "owner successor @admin:haven.test",
        lambda after: after.community.successor == person("admin"),
    ),
    Try("announce", "announce Hola", announced),
    Try("announcement remind", "announcement remind", reminding),
    Try("requests", "requests", says("asker"), where="direct"),
    Try("approve", "approve {knock_group}", lambda after: after.membership("asker", "Madrid") == "invite"),
    Try("reject", "reject {knock_group}", lambda after: after.membership("asker", "Madrid") == "leave"),
    Try("invite create", "invite create --name New", lambda after: after.invite("New") is False),
    Try("invite list", "invite list", says("Parroquia")),
    Try("invite revoke", "invite revoke Parroquia", lambda after: after.invite("Parroquia") is True),
    Try("invite reset", "invite reset", lambda after: after.invite("Parroquia") is True),
    Try(
        "join",
        "join {code}",
        lambda after: after.membership(after.name) == ("invite" if after.name == "stranger" else "join"),
        where="direct",
    ),
    Try(
        "leave",
        "leave",
        lambda after: after.membership(after.name) == "leave",
        refusal="You are the owner: hand the community over first",
    ),
    Try("remove", "remove @guest:haven.test", lambda after: after.membership("guest") == "leave"),
    Try("ban", "ban @guest:haven.test", lambda after: after.membership("guest", "Madrid") == "ban"),
    Try("unban", "unban @foe:haven.test", lambda after: after.membership("foe") == "leave"),
    Try("mute", "mute @guest:haven.test", lambda after: person("guest") in after.community.muted),
    Try("unmute", "unmute @loud:haven.test", lambda after: not after.community.muted),
    Try("lockdown", "lockdown", lambda after: after.community.lockdown is not None),
    Try("open", "open", lambda after: after.community.lockdown is None, CLOSED),
    Try("report", "report", lambda after: after.reporters() == 2),
    Try("reports", "reports", says("reported by one person")),
    Try("banlist watch", "banlist watch {fresh}", lambda after: after.watches("fresh")),
    Try("banlist unwatch", "banlist unwatch {watched}", lambda after: not after.watches("watched")),
    Try("banlist list", "banlist list", says("I follow one ban list", "Bad people")),
    Try("banlist publish", "banlist publish on", lambda after: after.lists().get("publishes") is True),
    Try("rules", "rules", says("No rules are written down yet")),
    Try("rules TEXT", "rules Be kind", lambda after: after.text(Text.RULES) == "Be kind"),
    Try("welcome", "welcome", says("No words of welcome are written down yet")),
    Try("welcome TEXT", "welcome Hola", lambda after: after.text(Text.WELCOME) == "Hola"),
    Try("bridge chats", "bridge chats irc", says("what can be linked on irc")),
    Try(
        "bridge link",
        "bridge link irc #madrid --group Madrid",
        lambda after: after.link("Madrid", "irc:#madrid"),
    ),
    Try("bridge unlink", "bridge unlink irc", lambda after: not after.link("Brno", "irc:#brno")),
    Try("bridge status", "bridge status", says("the bridge has not answered yet")),
    Try("my data", "my data export", says("Here is what I keep of you"), where="direct"),
    Try("help", "help", says("This is what you can ask me here")),
)
"""In the order of docs/permissions.md."""

IF_SET = Try(
    "group add", "group add Of {name}", lambda after: after.group(f"Of {after.name}") is not None, EVERYONE
)
"""What the table says is so if the community has set it so."""
