"""`suggest`, `suggestions`, `withdraw`, and what becomes of suggestions: by reaction, by command, by a setting, and over dying."""

import pytest

from haven.errors import Unreachable
from plugin.cards import Card
from plugin.desk import open_desk
from plugin.service.suggestions import AT_ONCE, KIND
from tests.plugin.commands.reacting import react, told, waiting
from tests.plugin.commands.stage import Stage, text_of


async def suggested(stage: Stage, name: str = "Praga", by: str = "member") -> Card:
    await stage.say(by, f"!c suggest {name}")
    return next(card for card in await waiting(stage, KIND) if card.payload["name"] == name)


async def groups(stage: Stage) -> set[str]:
    return {group.name for group in (await stage.community()).groups}


async def test_a_suggestion_is_put_before_the_admins(stage: Stage) -> None:
    said = await stage.say("member", "!c suggest Café y té --topic Para charlar")
    admins = await stage.room("admins")
    card = text_of([event for event in said if event.room == admins])
    assert "@member:haven.test suggests a group: Café y té. Para charlar" in card
    (kept,) = await waiting(stage, KIND)
    assert f"`!c approve {kept.id}`" in card
    assert f"!c withdraw {kept.id}" in text_of([event for event in said if event.room != admins])


async def test_the_same_command_twice_is_one_suggestion(stage: Stage) -> None:
    incoming = await stage.incoming("member", "!c suggest Praga", await stage.room("general"))
    for _ in range(2):
        await stage.dispatcher.handle(incoming)
    assert len(await waiting(stage, KIND)) == 1
    assert "already" not in await told(stage, "general")


async def test_a_reaction_of_an_admin_makes_the_group_and_the_member_hears_of_it(stage: Stage) -> None:
    card = await suggested(stage)
    await react(stage, "admin", card, "✅")
    await stage.engine.jobs.idle()
    assert "Praga" in await groups(stage)
    assert "The group you suggested is being made: Praga" in await told(stage, "general")
    admins = await told(stage, "admins")
    assert "@admin:haven.test approved it: Praga, suggested by @member:haven.test." in admins
    assert (
        "@admin:haven.test approved a group that @member:haven.test suggested: Praga (by reaction)" in admins
    )
    assert admins.count("added a group") == 0
    assert await waiting(stage, KIND) == ()


async def test_the_member_hears_of_it_in_their_direct_chat_if_there_is_one(stage: Stage) -> None:
    direct = await stage.direct("member")
    card = await suggested(stage)
    said = await stage.say("admin", f"!c reject {card.id} We have one: General", "admins")
    heard = text_of([event for event in said if event.room == direct])
    assert (
        heard == "The admins decided against the group you suggested: Praga. They say: We have one: General"
    )
    assert "decided against" not in await told(stage, "general")
    log = await stage.answer("admin", "!c log --last 1", "admins")
    assert "declined a group that @member:haven.test suggested: Praga (by command): We have one" in log
    assert "Praga" not in await groups(stage)


async def test_by_command_it_is_approved_and_a_second_word_comes_too_late(stage: Stage) -> None:
    card = await suggested(stage)
    await stage.say("owner", f"!c approve {card.id.upper()}", "admins")
    assert "Praga" in await groups(stage)
    await react(stage, "admin", card, "❌")
    await stage.engine.jobs.idle()
    assert "Praga" in await groups(stage)
    assert "declined" not in await told(stage, "admins")


@pytest.mark.parametrize("name", ["moderator", "greeter"])
async def test_who_is_no_admin_does_not_decide(stage: Stage, name: str) -> None:
    card = await suggested(stage)
    await react(stage, name, card, "✅")
    await stage.engine.jobs.idle()
    assert f"You cannot do that as `{name}`" in await told(stage, "admins")
    assert "You cannot do that" in await stage.answer(name, f"!c approve {card.id}", "admins")
    assert await waiting(stage, KIND) == (card,)
    assert "Praga" not in await groups(stage)


async def test_who_lost_the_right_meanwhile_does_not_decide(stage: Stage) -> None:
    card = await suggested(stage)
    await stage.say("owner", "!c role remove @admin:haven.test admin", "admins")
    assert "cannot do that" in await stage.answer("admin", f"!c approve {card.id}")
    assert await waiting(stage, KIND) == (card,)


async def test_one_s_own_suggestion_is_taken_back_and_nobody_else_s(stage: Stage) -> None:
    card = await suggested(stage)
    assert "No suggestion of yours" in await stage.answer("announcer", f"!c withdraw {card.id}")
    assert "Taken back: Praga" in await stage.answer("member", f"!c withdraw {card.id}")
    assert await waiting(stage, KIND) == ()
    assert "@member:haven.test has taken the suggestion back: Praga" in await told(stage, "admins")
    await react(stage, "admin", card, "✅")
    await stage.engine.jobs.idle()
    assert "Praga" not in await groups(stage)
    assert "No suggestion of yours" in await stage.answer("member", f"!c withdraw {card.id}")


async def test_what_waits_is_listed_for_admins_and_one_s_own_for_members(stage: Stage) -> None:
    for name, by in (("Praga", "member"), ("Viena", "announcer")):
        await suggested(stage, name, by)
    said = await stage.answer("admin", "!c suggestions", "admins")
    assert said.index("Praga") < said.index("Viena")
    own = await stage.answer("announcer", "!c suggestions")
    assert "Viena" in own
    assert "Praga" not in own
    assert "No suggestion waits" in await stage.answer("greeter", "!c suggestions")


REFUSED = [
    ("member", "suggest Madrid", "already a room called"),
    ("member", "suggest #room:haven.test", "not in that room"),
    ("admin", "suggest !room:haven.test", "you can take the room in yourself: `!c group adopt"),
    ("member", "suggest “ ”", "cannot be empty"),
    ("admin", "suggest Praga", "you can add the group yourself"),
    ("stranger", "suggest Praga", "Only members"),
]


@pytest.mark.parametrize(("name", "command", "words"), REFUSED, ids=str)
async def test_what_cannot_be_suggested_is_said(stage: Stage, name: str, command: str, words: str) -> None:
    assert words in await stage.answer(name, f"!c {command}")
    assert await waiting(stage, KIND) == ()


async def test_the_same_name_twice_and_too_many_of_one_person(stage: Stage) -> None:
    card = await suggested(stage)
    assert f"suggested already (`{card.id}`)" in await stage.answer("announcer", "!c suggest praga")
    for number in range(AT_ONCE - 1):
        await suggested(stage, f"Town {number}")
    assert f"{AT_ONCE} of your suggestions wait" in await stage.answer("member", "!c suggest Another")
    await suggested(stage, "Another", "announcer")


async def test_that_a_hidden_group_has_the_name_is_not_given_away(stage: Stage) -> None:
    card = await suggested(stage, "Quiet")
    await react(stage, "admin", card, "✅")
    await stage.engine.jobs.idle()
    assert "already" not in await told(stage, "general")
    assert [group.name for group in (await stage.community()).groups].count("Quiet") == 2


async def test_letting_everybody_add_groups_approves_what_waits(stage: Stage) -> None:
    for name in ("Praga", "Viena"):
        await suggested(stage, name)
    said = await stage.answer("admin", "!c settings who_adds_groups everyone")
    assert "2 suggestions that waited are approved" in said
    assert {"Praga", "Viena"} <= await groups(stage)
    assert await waiting(stage, KIND) == ()


async def test_but_no_more_than_the_community_may_have(stage: Stage) -> None:
    for name in ("Praga", "Viena", "Lisboa"):
        await suggested(stage, name)
    await stage.say("owner", "!c settings group_limit 5")
    said = await stage.answer("admin", "!c settings who_adds_groups everyone")
    assert "2 suggestions that waited are approved" in said
    assert "One suggestion waits on" in said
    assert {"Praga", "Viena"} <= await groups(stage)
    assert [card.payload["name"] for card in await waiting(stage, KIND)] == ["Lisboa"]
    await stage.say("owner", "!c settings group_limit 6")
    assert "One suggestion that waited" in await stage.answer("admin", "!c settings who_adds_groups everyone")
    assert "Lisboa" in await groups(stage)


async def test_a_full_community_leaves_the_card_open_and_says_why(stage: Stage) -> None:
    card = await suggested(stage)
    await stage.say("owner", "!c settings group_limit 3")
    await react(stage, "admin", card, "✅")
    await stage.engine.jobs.idle()
    assert "has 3 groups" in await told(stage, "admins")
    assert await waiting(stage, KIND) == (card,)


async def test_an_approval_that_nobody_took_to_its_end_is_taken_up_by_the_next_life(stage: Stage) -> None:
    card = await suggested(stage)
    stage.server.faults.fail_next(1, Unreachable(), port="room_state")
    await react(stage, "admin", card, "✅")
    await stage.engine.jobs.idle()
    assert "does not answer" in await told(stage, "admins")
    assert await waiting(stage, KIND) == (card,)
    desk = open_desk(stage.engine.store._database, stage.engine, stage.services.desk.cards.replies)
    desk.cards.dealers |= stage.services.desk.cards.dealers
    await desk.cards.resume()
    await stage.engine.jobs.idle()
    assert "Praga" in await groups(stage)
    assert await waiting(stage, KIND) == ()
    assert (await told(stage, "general")).count("is being made") == 1


async def test_who_opens_it_to_everybody_reads_that_rooms_still_wait(stage: Stage) -> None:
    said = await stage.answer("admin", "!c settings who_adds_groups everyone")
    assert "who suggests one still waits for an admin" in said
    assert "still waits" not in await stage.answer("admin", "!c settings who_adds_groups admins")
