"""`bridge link --whole`, `bridge chats`, and what the bridge asks for in the admins' room."""

from dataclasses import replace

import pytest

from haven.ids import ChatId, Network, RoomId
from haven.stateevents import LINK, read_link
from haven.wishes import ANSWER, ASKED, LOOK, Asking, Wish, asked_content, read_answer
from plugin.cards import Card
from plugin.service.wishes import KIND, Wishes
from plugin.store import Store
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.stage import BRIDGE, Stage, staged, text_of

MEMORY, FATHERS = Network("memory"), ChatId("c1")
LINKED = "!c bridge link memory c1 --whole"


@pytest.fixture
async def linked(stage: Stage) -> Stage:
    """A community that is linked as a whole, with the bridge among its admins."""
    await stage.say("admin", LINKED)
    await stage.person(BRIDGE).join(await stage.room("admins"))
    stage.forget()
    return stage


def wishes(stage: Stage) -> Wishes:
    dealer = stage.services.desk.cards.dealers[KIND]
    assert isinstance(dealer, Wishes)
    return dealer


async def ask(stage: Stage, asked: Asking | None, key: str = "k1") -> str:
    """The bridge asks, or asks no more; gives what the admins read then."""
    admins = await stage.room("admins")
    content = {} if asked is None else asked_content(asked)
    await stage.person(BRIDGE).send_state(admins, ASKED, key, content)
    return await noticed(stage)


async def noticed(stage: Stage) -> str:
    """The engine looks; gives what the admins read then."""
    before = set(stage._said())
    await stage.engine.rooms.observe()
    await wishes(stage).noticed(await stage.room("admins"))
    await stage.engine.jobs.idle()
    return text_of([event for event in stage._said().values() if event.id not in before])


async def answered(stage: Stage, key: str = "k1") -> bool | None:
    """What the bridge is answered."""
    room = stage.server.rooms[await stage.room("admins")]
    answer, asked = read_answer(room.content(ANSWER, key)), room.find(ASKED, key)
    assert asked is not None
    return answer.yes if answer is not None and answer.to == asked.id else None


async def waiting(stage: Stage) -> tuple[Card, ...]:
    return await stage.services.desk.cards.open(KIND, stage.space)


async def names(stage: Stage) -> set[str]:
    return {group.name for group in (await stage.community()).groups if not group.archived}


async def test_the_whole_is_written_into_the_space_and_the_bridge_let_in_everywhere_but_hidden_groups(
    stage: Stage,
) -> None:
    said = await stage.answer("admin", LINKED)
    assert "announcement group" in said
    space, bridge = stage.server.rooms[stage.space], stage.user(BRIDGE)
    link = read_link(space.content(LINK, "memory:c1"))
    assert link is not None
    assert (link.whole, link.proven, link.by) == (True, False, stage.user("admin"))
    assert space.membership(bridge) == "invite"
    for name in ("announcements", "general", "admins", "Madrid", "Brno"):
        room = await stage.room(name)
        assert stage.server.rooms[room].membership(bridge) == "invite", name
        assert stage.power(room, BRIDGE) == 90
    assert stage.server.rooms[await stage.room("Quiet")].membership(bridge) != "invite"
    assert stage.power(stage.space, BRIDGE) == 90
    assert bridge not in (await stage.community()).roles


async def test_it_is_shown_and_undone(linked: Stage) -> None:
    assert "has not answered yet" in await linked.answer("moderator", "!c bridge status")
    assert "not both" in await linked.answer("admin", f"{LINKED} --group Madrid")
    assert "already has a link" in await linked.answer("admin", LINKED)
    assert "whole community is linked" in await linked.answer(
        "admin", "!c bridge link memory x --group Madrid"
    )
    assert "whole community is linked" in await linked.answer(
        "admin", "!c bridge unlink memory --group Madrid"
    )
    assert "undo the link" in await linked.answer("admin", "!c bridge unlink memory")
    assert linked.server.rooms[linked.space].content(LINK, "memory:c1") == {}
    assert (await linked.community()).links == ()
    assert linked.power(await linked.room("Madrid"), BRIDGE) == 0


@pytest.mark.parametrize("name", ["moderator", "member", "stranger"])
@pytest.mark.parametrize("command", [LINKED, "!c bridge chats memory"])
async def test_only_admins_do_it(stage: Stage, name: str, command: str) -> None:
    await stage.answer(name, command)
    assert stage.written() == []


async def test_the_bridge_is_asked_which_chats_there_are(stage: Stage) -> None:
    assert "short word" in await stage.answer("admin", "!c bridge chats i/r/c")
    assert "admins' room" in await stage.answer("admin", "!c bridge chats MEMORY")
    admins = stage.server.rooms[await stage.room("admins")]
    assert admins.content(LOOK, "memory")["by"] == stage.user("admin")
    assert admins.membership(stage.user(BRIDGE)) == "invite"
    assert stage.power(admins.id, BRIDGE) == 90
    assert stage.server.rooms[await stage.room("Madrid")].membership(stage.user(BRIDGE)) != "invite"
    await stage.person(BRIDGE).join(admins.id)
    await stage.person(BRIDGE).send_state(admins.id, LOOK, "memory", {})
    await stage.engine.communities.repair(stage.space)
    assert admins.membership(stage.user(BRIDGE)) == "leave"


PRAGA = Asking(MEMORY, ChatId("c9"), Wish.GROUP, "Praga", "For those in Praga")


async def test_a_group_that_the_network_has_is_made(linked: Stage) -> None:
    await ask(linked, PRAGA)
    assert "Praga" in await names(linked)
    assert await answered(linked) is True
    praga = await linked.room("Praga")
    assert linked.server.rooms[praga].membership(linked.user(BRIDGE)) == "invite"
    await noticed(linked)
    assert sum(group.name == "Praga" for group in (await linked.community()).groups) == 1


async def test_what_is_asked_again_under_another_name_is_the_same_group_and_opened_again(
    linked: Stage,
) -> None:
    await ask(linked, PRAGA)
    praga = await linked.room("Praga")
    await linked.say("admin", f"!c group archive {praga}")
    await ask(linked, replace(PRAGA, name="Praha"))
    group = (await linked.community()).group(praga)
    assert group is not None
    assert not group.archived
    assert await answered(linked) is True
    assert "Praha" not in await names(linked)


@pytest.mark.parametrize("name", ["Madrid", "\u202eevil", " "])
async def test_one_that_cannot_be_is_refused_and_the_admins_told(linked: Stage, name: str) -> None:
    said = await ask(linked, Asking(MEMORY, ChatId("c9"), Wish.GROUP, name))
    assert "cannot be made here" in said
    assert await answered(linked) is False
    assert len(await names(linked)) == 6
    assert await noticed(linked) == ""


async def test_a_network_has_no_more_groups_made_than_a_community_may_have(linked: Stage) -> None:
    await linked.say("admin", "!c settings group_limit 4")
    await ask(linked, PRAGA)
    said = await ask(linked, Asking(MEMORY, ChatId("c10"), Wish.GROUP, "Lisboa"), "k2")
    assert "cannot be made here" in said
    assert await answered(linked, "k2") is False


async def test_one_that_the_network_let_go_is_an_archive(linked: Stage) -> None:
    madrid = await linked.room("Madrid")
    said = await ask(linked, Asking(MEMORY, ChatId("c4"), Wish.ARCHIVE, "Madrid", room=madrid))
    assert "archive here now: Madrid" in said
    group = (await linked.community()).group(madrid)
    assert group is not None
    assert group.archived
    assert await answered(linked) is True


@pytest.mark.parametrize("room", ["general", "announcements", "admins"])
async def test_the_fixed_rooms_are_not_archived(linked: Stage, room: str) -> None:
    where = await linked.room(room)
    await ask(linked, Asking(MEMORY, ChatId("c4"), Wish.ARCHIVE, "x", room=where))
    assert await answered(linked) is False
    assert not any(group.archived for group in (await linked.community()).groups)


async def test_only_the_bridge_is_heard_and_only_for_a_linked_network(linked: Stage) -> None:
    admins = await linked.room("admins")
    await linked.person("owner").send_state(admins, ASKED, "k1", asked_content(PRAGA))
    await noticed(linked)
    await ask(linked, Asking(Network("irc"), ChatId("c9"), Wish.GROUP, "Praga"), "k2")
    await linked.person(BRIDGE).send_state(admins, ASKED, "k3", {"version": 1, "wish": "all your base"})
    await noticed(linked)
    assert "Praga" not in await names(linked)


async def joining(stage: Stage, key: str = "k1", room: RoomId | None = None) -> Card:
    await ask(stage, Asking(MEMORY, ChatId("c4"), Wish.JOIN, "Eva", room=room), key)
    return next(card for card in await waiting(stage) if card.payload["key"] == key)


async def test_who_asks_there_comes_before_the_admins_and_the_answer_goes_back(linked: Stage) -> None:
    card = await joining(linked, room=await linked.room("Madrid"))
    admins = text_of([e for e in linked.server.rooms[card.room].timeline if e.sender == linked.bot])
    assert "Eva asks on memory to be let into “Madrid”" in admins
    assert "Eva on memory" in await linked.answer("greeter", "!c requests", "admins")
    assert await answered(linked) is None
    assert "You cannot do that" in await linked.answer("member", f"!c approve {card.id}")
    await linked.say("greeter", f"!c approve {card.id}", "admins")
    assert await answered(linked) is True
    assert await waiting(linked) == ()
    log = await linked.answer("admin", "!c log --last 1", "admins")
    assert "@greeter:haven.test let in who asked on memory: Eva" in log


async def test_a_suggestion_there_is_one_of_those_that_wait(linked: Stage) -> None:
    await ask(linked, Asking(MEMORY, ChatId("c1"), Wish.SUGGESTION, "Lisboa", who="Adam"))
    (card,) = await waiting(linked)
    assert "Lisboa, suggested by Adam on memory" in await linked.answer("admin", "!c suggestions", "admins")
    assert "You cannot do that" in await linked.answer("greeter", f"!c reject {card.id}", "admins")
    await linked.say("admin", f"!c reject {card.id} not now", "admins")
    assert await answered(linked) is False
    assert "Lisboa" not in await names(linked)


async def test_what_waits_there_no_more_waits_here_no_more(linked: Stage) -> None:
    card = await joining(linked)
    await ask(linked, None)
    assert await waiting(linked) == ()
    assert "nothing" in (await linked.answer("admin", f"!c approve {card.id}", "admins")).lower()


async def test_nobody_is_taken_for_somebody_else_by_a_name_from_there(linked: Stage) -> None:
    await ask(linked, Asking(MEMORY, ChatId("c4"), Wish.JOIN, linked.user("member")))
    await linked.answer("admin", f"!c approve {linked.user('member')}", "admins")
    assert await answered(linked) is None


@pytest.mark.parametrize(("at", "after_effect"), [(1, False), (2, True), (4, True), (6, False)])
async def test_killed_anywhere_a_wish_comes_true_once(
    linked: Stage, store: Store, at: int, *, after_effect: bool
) -> None:
    admins = await linked.room("admins")
    madrid = await linked.room("Madrid")
    asked = Asking(MEMORY, ChatId("c4"), Wish.ARCHIVE, "Madrid", room=madrid)
    await linked.person(BRIDGE).send_state(admins, ASKED, "k1", asked_content(asked))
    faults = linked.server.faults
    faults.kill(at=at, user=linked.bot, after_effect=after_effect)
    await survives(wishes(linked).noticed(admins))
    faults.forgive()
    async with staged(linked.server, store, empty=True) as later:
        later.space = linked.space
        await noticed(later)
        assert await answered(later) is True
        group = (await later.community()).group(madrid)
        assert group is not None
        assert group.archived
