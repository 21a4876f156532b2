"""The last scenes: an admin comes and goes, a stranger is refused, and nothing is left to do."""

import tomllib

from embedded.places import ROOT
from embedded.waiting import eventually
from scripts.story.cast import Father
from scripts.story.story import COMMUNITY, Story

ADMIN = 90


async def promoting(story: Story) -> None:
    """One promotion holds in every room, and one demotion ends it in every room."""
    story.teller.scene("Luis becomes an admin, and steps down again")
    luis = story.fathers["luis"]
    await story.command(story.owner, story.office, f"!community role add {luis.user_id} admin")
    await eventually(lambda: _has_level(story, luis, ADMIN), "the promotion in every room")
    story.teller.verify(
        "Luis is an admin in the space and in all six rooms", await _has_level(story, luis, ADMIN)
    )
    levels = await story.stage.bot.state(story.space, "m.room.power_levels") or {}
    by_hand = {**levels, "users": {user: at for user, at in levels["users"].items() if user != luis.user_id}}
    await story.owner.person.send_state(story.space, "m.room.power_levels", by_hand)
    story.teller.does("Diego", "takes the role away by hand, in the settings of the space")
    await eventually(lambda: _has_level(story, luis, 0), "the demotion in every room")
    story.teller.verify("Luis is an ordinary member everywhere", await _has_level(story, luis, 0))


async def _has_level(story: Story, father: Father, level: int) -> bool:
    return set((await story.levels(father)).values()) == {level}


async def refusing(story: Story) -> None:
    """A stranger asks the bot for things that are not his to ask for."""
    story.teller.scene("A stranger tries his luck")
    await story.find_rooms()
    room = await story.office_of(story.stranger)
    before = await story.everything()
    for words in ("group add Mío", f"role add {story.stranger.user_id} admin", "announce Comprad mi curso"):
        await story.command(story.stranger, room, f'!community {words} --in "{COMMUNITY}"')
    changed = set(await story.everything()) ^ set(before)
    story.teller.verify("he was answered, and not one state event changed", not changed, changed)


async def planning(story: Story) -> None:
    """The plan is empty: everything is as it is meant."""
    story.teller.scene("Is everything as it is meant?")
    answer = await story.command(story.owner, story.office, "!community plan")
    with (ROOT / "plugin" / "i18n" / "es.toml").open("rb") as file:
        in_step = tomllib.load(file)["plan"]["empty"]
    story.teller.verify("the plan is empty", str(in_step).splitlines()[0] in answer, answer)
