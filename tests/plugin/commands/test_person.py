"""`remove`, `ban`, `unban`: everywhere, for good, and never whom one may not."""

from dataclasses import replace

import pytest

from embedded.waiting import eventually
from haven.errors import Refused
from haven.ids import EventId, UserId
from haven.model import Role
from haven.ports import StateEvent
from plugin.events import Nudge
from plugin.store import Store, now_ms
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.stage import BRIDGE, Stage, staged, text_of
from tests.plugin.commands.test_report import card_texts, react
from tests.plugin.commands.test_strays import awake

NOBODY = UserId("@nobody:elsewhere.test")


async def memberships(stage: Stage, user: UserId) -> set[str]:
    """What somebody is in every room of the community, and the space."""
    rooms = {stage.space, *(group.room for group in (await stage.community()).groups)}
    return {stage.server.rooms[room].membership(user) for room in rooms}


async def test_somebody_is_removed_from_every_room_and_comes_again_when_they_are_let_in(
    stage: Stage,
) -> None:
    said = await stage.answer("moderator", "!c remove @member:haven.test too loud")
    assert "no longer in the community" in said
    assert await memberships(stage, stage.user("member")) <= {"", "leave"}
    await stage.person("member").join(stage.space)
    entrance, member = stage.services.entrance, stage.user("member")
    await entrance.look(await stage.community(), stage.engine.rooms.world)
    assert stage.server.rooms[stage.space].membership(member) == "leave"
    await stage.say("greeter", f"!c approve {member}", await stage.room("admins"))
    await stage.person("member").join(stage.space)
    await entrance.look(await stage.community(), stage.engine.rooms.world)
    assert stage.server.rooms[stage.space].membership(member) == "join"


async def test_a_ban_holds_in_every_room(stage: Stage) -> None:
    await stage.say("moderator", "!c ban @member:haven.test spam")
    assert await memberships(stage, stage.user("member")) == {"ban"}
    for room in (stage.space, await stage.room("Madrid")):
        with pytest.raises(Refused):
            await stage.person("member").join(room)
    event = stage.server.rooms[stage.space].find("m.room.member", stage.user("member"))
    assert event is not None
    assert event.content["reason"] == "spam"


async def test_the_space_comes_first(stage: Stage) -> None:
    general = await stage.room("general")
    stage.forget()
    await stage.say("moderator", "!c ban @member:haven.test", general)
    bans = [r.room for r in stage.server.faults.requests if r.port == "ban"]
    assert bans[0] == stage.space
    assert len(bans) == len(set(bans)) == 7


async def test_who_never_joined_is_banned_too_also_from_groups_added_later(stage: Stage) -> None:
    await stage.say("moderator", f"!c ban {NOBODY}")
    assert await memberships(stage, NOBODY) == {"ban"}
    await stage.say("admin", "!c group add Lisbon")
    await stage.engine.communities.reconcile(stage.space)
    assert await memberships(stage, NOBODY) == {"ban"}


async def test_a_ban_is_lifted_everywhere(stage: Stage) -> None:
    await stage.say("moderator", "!c ban @member:haven.test")
    assert "may come again" in await stage.answer("moderator", "!c unban @member:haven.test")
    assert "ban" not in await memberships(stage, stage.user("member"))
    await stage.person("member").join(stage.space)
    await stage.person("member").join(await stage.room("Madrid"))


async def test_several_at_once_by_ids_links_and_mentions(stage: Stage) -> None:
    html = '<a href="https://matrix.to/#/@member:haven.test">Bob B</a> <a href="https://matrix.to/#/@announcer:haven.test">Ann</a>'
    said = await stage.say("admin", f"!c ban Bob B Ann {NOBODY} all of you", html=html)
    assert "3 people are banned" in text_of(said)
    for user in (stage.user("member"), stage.user("announcer"), NOBODY):
        assert await memberships(stage, user) == {"ban"}
    admins = await stage.room("admins")
    assert sum(event.room == admins for event in said) == 1


def crowd(n: int) -> list[UserId]:
    """So many strangers."""
    return [UserId(f"@spam{number}:elsewhere.test") for number in range(n)]


async def test_many_at_once_need_a_second_word(stage: Stage) -> None:
    people = crowd(11)
    said = await stage.answer("moderator", f"!c ban {' '.join(people)} a raid")
    assert "confirmation in the admins' room" in said
    assert await memberships(stage, people[0]) == {""}
    ((event, shown),) = await card_texts(stage, "wants to ban")
    assert "11 people" in shown
    assert "a raid" in shown
    await react(stage, "greeter", await stage.room("admins"), event, "✅")
    assert await memberships(stage, people[0]) == {""}
    await react(stage, "moderator", await stage.room("admins"), event, "✅")
    for user in people:
        assert await memberships(stage, user) == {"ban"}


async def test_many_at_once_can_be_left(stage: Stage) -> None:
    people = crowd(11)
    await stage.say("moderator", f"!c ban {' '.join(people)}")
    ((event, _),) = await card_texts(stage, "wants to ban")
    await react(stage, "admin", await stage.room("admins"), event, "❌")
    assert await memberships(stage, people[0]) == {""}


async def test_a_hundred_and_one_are_too_many(stage: Stage) -> None:
    assert "at most 100" in await stage.answer("admin", f"!c ban {' '.join(crowd(101))}")


REFUSED = [
    ("moderator", "ban @moderator:haven.test", "to yourself"),
    ("moderator", "ban @bot:haven.test", "keep the community going"),
    ("moderator", f"remove @{BRIDGE}:haven.test", "keep the community going"),
    ("admin", "ban @owner:haven.test", "the owner"),
    ("moderator", "remove @admin:haven.test", "is `admin`"),
    ("owner", "remove @owner:haven.test", "to yourself"),
    ("moderator", "ban @member:haven.test @admin:haven.test", "is `admin`"),
    ("moderator", f"remove {NOBODY}", "is not in any room"),
    ("moderator", f"unban {NOBODY}", "is not banned"),
    ("moderator", "ban somebody", "whom you mean"),
    ("greeter", "ban @member:haven.test", "cannot do that as `greeter`"),
    ("announcer", "remove @member:haven.test", "cannot do that as `member`"),
    ("member", "ban @greeter:haven.test", "cannot do that as `member`"),
    ("stranger", "ban @member:haven.test", "Only members"),
]


@pytest.mark.parametrize(("name", "command", "words"), REFUSED, ids=str)
async def test_refusals_say_why_and_write_nothing(stage: Stage, name: str, command: str, words: str) -> None:
    stage.forget()
    assert words in await stage.answer(name, f"!c {command}")
    assert stage.written() == []


async def test_who_is_banned_loses_their_role(stage: Stage) -> None:
    await stage.say("admin", "!c ban @greeter:haven.test")
    assert (await stage.community()).role_of(stage.user("greeter")) is Role.MEMBER
    assert stage.power(stage.space, "greeter") == 0


@pytest.mark.parametrize("version", ["10", "11"])
async def test_in_older_room_versions_too(server: FakeHomeserver, store: Store, version: str) -> None:
    async with staged(server, store, version) as stage:
        await stage.say("moderator", "!c ban @member:haven.test")
        assert await memberships(stage, stage.user("member")) == {"ban"}


async def test_it_is_written_down_with_its_reason(stage: Stage) -> None:
    await stage.say("moderator", "!c ban @member:haven.test rude words")
    (deed,) = await stage.services.desk.audit.store.deeds(stage.space, 1)
    assert (deed.what, deed.who, deed.values["whom"], deed.why) == (
        "person_ban",
        stage.user("moderator"),
        stage.user("member"),
        "rude words",
    )


@pytest.mark.parametrize(
    ("was", "becomes", "what"),
    [
        ("join", "ban", "person_ban"),
        ("join", "leave", "person_remove"),
        ("ban", "leave", "person_unban"),
        ("knock", "leave", ""),
        ("invite", "leave", ""),
    ],
)
async def test_what_was_done_by_hand_while_we_were_away_is_written_down_as_what_it_was(
    stage: Stage, was: str, becomes: str, what: str
) -> None:
    """The rooms have been read anew since: what somebody is there now is no witness of what they were."""
    content = {"membership": becomes, "reason": "spam"}
    admin, nobody = stage.user("admin"), str(NOBODY)
    event = StateEvent("m.room.member", nobody, admin, content, EventId("$away"), now_ms())
    async with awake(stage):
        stage.engine.witness(Nudge(stage.space, event, was))
        stage.engine.witness(Nudge(stage.space, event, was))
        await stage.say("admin", "!c ban @member:haven.test")
    found = await stage.services.desk.audit.store.deeds(stage.space, 10)
    told = [(deed.what, deed.who, deed.why) for deed in found if deed.door == "by_hand"]
    assert told == ([(what, admin, "spam")] if what else [])


KILLS = [("ban", 1), ("ban", 2), ("ban", 3), ("ban", 6), ("ban", 9), ("ban", 10)]
KILLS += [("remove", 2), ("remove", 4), ("remove", 7)]


@pytest.mark.parametrize(("verb", "at"), KILLS)
async def test_what_was_interrupted_is_finished_and_written_down_in_the_next_life(
    server: FakeHomeserver, store: Store, verb: str, at: int
) -> None:
    async with staged(server, store) as stage:
        general, member = await stage.room("general"), stage.user("member")
        incoming = await stage.incoming("moderator", f"!c {verb} @member:haven.test loud", general)
        server.faults.kill(at=at, user=stage.bot)
        assert not await survives(stage.dispatcher.handle(incoming))
        server.faults.forgive()
        space = stage.space
    async with staged(server, store, empty=True) as stage:
        stage.space = space
        await stage.dispatcher.handle(replace(incoming, again=True))
        after = await memberships(stage, member)
        assert after == {"ban"} if verb == "ban" else after <= {"", "leave"}
        deeds = await stage.services.desk.audit.store.deeds(space, 50)
        assert [deed.why for deed in deeds if deed.what == f"person_{verb}"] == ["loud"]


@pytest.fixture
def today() -> FakeHomeserver:
    """A homeserver that knows the time."""
    return FakeHomeserver(clock=now_ms)


async def test_what_is_done_by_hand_in_the_space_is_done_everywhere_and_written_down(
    today: FakeHomeserver, store: Store
) -> None:
    async with staged(today, store) as stage:
        member, admin = stage.user("member"), stage.person("admin")

        async def deeds() -> list[tuple[str, str, str]]:
            found = await stage.services.desk.audit.store.deeds(stage.space, 10)
            return [(deed.what, deed.door, deed.who) for deed in found if deed.what.startswith("person")]

        async with awake(stage):
            await admin.ban(stage.space, member, "by hand")
            await stage.engine.communities.reconcile(stage.space)
            assert await memberships(stage, member) == {"ban"}
            await admin.unban(stage.space, member)
            await stage.engine.communities.reconcile(stage.space)
            assert "ban" not in await memberships(stage, member)
            await admin.kick(stage.space, stage.user("announcer"))

            async def all_written() -> bool:
                return len(await deeds()) == 3

            await eventually(all_written, "all is written down", timeout=5, interval=0.005)
        by = stage.user("admin")
        assert set(await deeds()) == {
            ("person_ban", "by_hand", by),
            ("person_unban", "by_hand", by),
            ("person_remove", "by_hand", by),
        }
