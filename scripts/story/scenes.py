"""The first scenes: the community is founded, fathers join, and announcements arrive."""

from embedded.matrix import Event, MatrixRefused
from embedded.waiting import eventually
from scripts.story.cast import relation_of, text_of
from scripts.story.story import COMMUNITY, Story

FIXED = {"announcements", "general", "admins"}
GROUPS = {"México", "España", "Recién llegados"}


async def founding(story: Story) -> None:
    """The owner founds the community with one command."""
    story.teller.scene("Diego founds a community")
    story.office = await story.office_of(story.owner)
    words = (
        f'!community create "{COMMUNITY}" --description "Un lugar seguro para ser padre, en cualquier país" '
        "--group México --group España"
    )
    story.teller.says("Diego", "a chat with the bot", words)
    asked = await story.owner.person.say(story.office, words)
    story.space = await story.owner.person.wait_for_invite()
    await story.owner.join(story.space)
    story.teller.says("Haven", "its answer", await _last_word(story, asked))
    await story.find_rooms()
    await story.command(
        story.owner, story.office, '!community group add "Recién llegados" --visibility request'
    )
    await eventually(lambda: _has_rooms(story, FIXED | GROUPS), "all rooms being there")
    await _verify_rooms(story)


async def _last_word(story: Story, asked: str) -> str:
    """What the answer to a long command has become, once it links to the space."""
    person = story.owner.person

    def is_answer(event: Event) -> bool:
        to = relation_of(event).get("m.in_reply_to")
        return isinstance(to, dict) and to.get("event_id") == asked

    answer = await person.wait_for(story.office, is_answer)

    def is_finished(event: Event) -> bool:
        own = event.id == answer.id or relation_of(event).get("event_id") == answer.id
        return own and "matrix.to" in text_of(event)

    return text_of(await person.wait_for(story.office, is_finished, timeout=120))


async def _has_rooms(story: Story, names: set[str]) -> bool:
    await story.find_rooms()
    return set(story.rooms) >= names


async def _verify_rooms(story: Story) -> None:
    bot, teller = story.stage.bot, story.teller
    record = await bot.state(story.space, "chat.haven.community") or {}
    teller.verify(
        "the space is there, and Diego is its owner", record.get("owner") == story.owner.user_id, record
    )
    teller.verify(
        "announcements, general chat, admins' room and three groups, each once", len(story.rooms) == 6
    )
    rules = {
        name: (await bot.state(room, "m.room.join_rules") or {}).get("join_rule")
        for name, room in story.rooms.items()
    }
    open_rooms = {name for name, rule in rules.items() if rule == "restricted"}
    teller.verify(
        "open rooms let members of the space in, and nobody else",
        open_rooms == {"announcements", "general", "México", "España"},
        rules,
    )
    teller.verify("«Recién llegados» is joined on request", rules["Recién llegados"] == "knock", rules)


async def joining(story: Story) -> None:
    """Fathers ask to join, are let in, and walk into the rooms that are for them."""
    story.teller.scene("Fathers from four countries join")
    for father in story.others():
        await father.person.knock(story.space, "Soy padre, me gustaría entrar")
        story.teller.does(father.name, "asks to join the community")
        await story.owner.person.invite(story.space, father.user_id)
        await father.join(story.space)
        await father.join(story.rooms["announcements"])
        await father.join(story.rooms["general"])
    await story.owner.join(story.rooms["announcements"])
    await story.owner.join(story.rooms["general"])
    await story.owner.join(story.rooms["admins"])
    for father in (story.owner, story.fathers["javier"], story.fathers["luis"]):
        await father.join(story.rooms["España"])
    inside = await story.stage.bot.joined(story.rooms["announcements"])
    everybody = {father.user_id for father in story.fathers.values()}
    story.teller.verify("everybody is in announcements", everybody <= inside, inside)
    story.teller.verify("Mateo, who is no member, cannot walk in", await _cannot_join(story))


async def _cannot_join(story: Story) -> bool:
    for name in ("announcements", "general", "México"):
        try:
            await story.stranger.person.impatient().join(story.rooms[name])
        except MatrixRefused as refusal:
            if refusal.status == 403:
                continue
        return False
    return True


async def announcing(story: Story) -> None:
    """An announcement reaches everybody; members react and do not write there."""
    story.teller.scene("An announcement, and what comes back")
    room, javier = story.rooms["announcements"], story.fathers["javier"]
    text = "Reunión de padres el domingo a las 18:00 UTC"
    await story.command(story.owner, story.office, f"!community announce {text}")
    seen = await javier.person.wait_for(room, lambda event: text in text_of(event))
    story.teller.verify("Javier has received the announcement", seen.sender == story.bot, seen.sender)
    reaction = await javier.person.react(room, seen.id, "👍")
    found = await story.owner.person.wait_for(room, lambda event: event.id == reaction)
    story.teller.verify("Javier's 👍 reaches Diego", found.type == "m.reaction", found.type)
    story.teller.verify(
        "the homeserver lets no ordinary member write there", await javier.refused(room, "¿Puedo?")
    )
