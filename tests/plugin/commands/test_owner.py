"""`owner transfer`: offered by the owner, accepted by the one who is meant and nobody else."""

import pytest

from haven.model import Role
from plugin.service.transfers import KIND
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.reacting import react_to_the_only, told, waiting
from tests.plugin.commands.stage import Stage, staged

OFFER = "!c owner transfer @admin:haven.test"


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_it_is_handed_over_when_the_other_accepts(
    server: FakeHomeserver, store: Store, version: str
) -> None:
    async with staged(server, store, version) as stage:
        await stage.say("owner", OFFER)
        assert (await stage.community()).owner == stage.user("owner")
        await react_to_the_only(stage, KIND, "admin")
        community = await stage.community()
        assert community.owner == stage.user("admin")
        assert community.role_of(stage.user("owner")) is Role.ADMIN
        top = 100 if version == "12" else 95
        rooms = [stage.space, *[group.room for group in community.groups]]
        assert {stage.power(room, "admin") for room in rooms} == {top}
        assert {stage.power(room, "owner") for room in rooms} == {90}
        assert "@owner:haven.test handed the community over to @admin:haven.test (by reaction)" in await told(
            stage
        )
        assert await waiting(stage, KIND) == ()
        assert "cannot do that" in await stage.answer("owner", "!c deactivate")
        assert "no longer `admin`" in await stage.answer("admin", "!c role remove @owner:haven.test admin")


async def test_it_is_accepted_by_command_as_well(stage: Stage) -> None:
    await stage.say("owner", OFFER)
    (card,) = await waiting(stage, KIND)
    await stage.say("admin", f"!c approve {card.id}", "admins")
    assert (await stage.community()).owner == stage.user("admin")


@pytest.mark.parametrize("name", ["owner", "moderator"])
async def test_nobody_else_accepts_it(stage: Stage, name: str) -> None:
    await stage.say("owner", OFFER)
    await react_to_the_only(stage, KIND, name)
    assert "Only @admin:haven.test can accept that" in await told(stage)
    assert (await stage.community()).owner == stage.user("owner")
    assert len(await waiting(stage, KIND)) == 1


async def test_it_is_declined_and_taken_back(stage: Stage) -> None:
    await stage.say("owner", OFFER)
    await react_to_the_only(stage, KIND, "admin", "❌")
    assert "@admin:haven.test does not want to become the owner" in await told(stage)
    await stage.say("owner", OFFER)
    await react_to_the_only(stage, KIND, "owner", "❌")
    assert "@owner:haven.test no longer offers the community" in await told(stage)
    assert (await stage.community()).owner == stage.user("owner")


async def test_an_offer_to_somebody_else_takes_the_first_one_back(stage: Stage) -> None:
    await stage.say("owner", "!c role add @moderator:haven.test admin")
    for _ in range(2):
        await stage.say("owner", OFFER)
    await stage.say("owner", "!c owner transfer @moderator:haven.test")
    (card,) = await waiting(stage, KIND)
    assert card.payload["heir"] == stage.user("moderator")


async def test_who_is_no_admin_any_more_cannot_accept_it(stage: Stage) -> None:
    await stage.say("owner", OFFER)
    await stage.say("owner", "!c role remove @admin:haven.test admin")
    (card,) = await waiting(stage, KIND)
    said = await stage.answer("admin", f"!c approve {card.id}", "general")
    assert "cannot do that" in said or "is not an admin" in said
    assert (await stage.community()).owner == stage.user("owner")


REFUSED = [
    ("owner", "@member:haven.test", "is not an admin"),
    ("owner", "@nobody:haven.test", "is not a member"),
    ("owner", "@bot:haven.test", "only be handed over to a person"),
    ("owner", "@owner:haven.test", "the owner already"),
    ("owner", "somebody", "whom you mean"),
    ("admin", "@moderator:haven.test", "cannot do that as `admin`"),
]


@pytest.mark.parametrize(("name", "who", "words"), REFUSED)
async def test_what_cannot_be_is_said(stage: Stage, name: str, who: str, words: str) -> None:
    assert words in await stage.answer(name, f"!c owner transfer {who}")
    assert await waiting(stage, KIND) == ()


async def test_a_successor_is_named_shown_and_unnamed(stage: Stage) -> None:
    assert "becomes the owner" in await stage.answer("owner", "!c owner successor @moderator:haven.test")
    assert (await stage.community()).successor == stage.user("moderator")
    assert "@moderator:haven.test: named to follow the owner" in await stage.answer("member", "!c roles")
    await stage.person("owner").leave(stage.space)
    await stage.engine.communities.reconcile(stage.space)
    assert (await stage.community()).owner == stage.user("moderator")


async def test_nobody_is_named(stage: Stage) -> None:
    await stage.say("owner", "!c owner successor @moderator:haven.test")
    await stage.say("owner", "!c owner successor nobody")
    assert (await stage.community()).successor is None
    log = await stage.answer("owner", "!c log --last 2", "admins")
    assert "named @moderator:haven.test to follow as owner" in log
    assert "no longer names anybody" in log


@pytest.mark.parametrize(
    ("name", "who", "words"),
    [
        ("owner", "@nobody:haven.test", "is not a member"),
        ("owner", "@owner:haven.test", "the owner already"),
        ("admin", "@moderator:haven.test", "cannot do that"),
    ],
)
async def test_who_cannot_be_named(stage: Stage, name: str, who: str, words: str) -> None:
    assert words in await stage.answer(name, f"!c owner successor {who}")
    assert (await stage.community()).successor is None


async def test_the_owner_cannot_step_down_or_leave_before_it(stage: Stage) -> None:
    assert "owner transfer WHO" in await stage.answer("owner", "!c role remove @owner:haven.test owner")
    said = await stage.answer("owner", "!c leave", await stage.direct("owner"))
    assert "owner" in said
    assert stage.server.is_joined(stage.space, stage.user("owner"))


@pytest.mark.parametrize("at", [1, 3, 6])
async def test_dying_on_the_way_hands_it_over_whole(server: FakeHomeserver, store: Store, at: int) -> None:
    async with staged(server, store) as stage:
        await stage.say("owner", OFFER)
        (card,) = await waiting(stage, KIND)
        stage.server.faults.kill(at=at, user=stage.bot)
        incoming = await stage.incoming("admin", f"!c approve {card.id}", card.room)
        await survives(stage.dispatcher.handle(incoming))
        stage.server.faults.forgive()
    async with staged(server, store, empty=True) as again:
        again.space = stage.space
        await again.dispatcher.handle(incoming)
        community = await again.community()
        assert community.owner == again.user("admin")
        assert community.role_of(again.user("owner")) is Role.ADMIN
        assert {again.power(group.room, "owner") for group in community.groups} == {90}
