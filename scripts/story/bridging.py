"""The scenes at the bridge: a group is linked to an IRC channel, and people on both sides talk."""

from embedded.chatter import Line
from embedded.matrix import Event
from embedded.waiting import eventually
from scripts.story.cast import text_of
from scripts.story.stage import CHANNEL
from scripts.story.story import Story

GROUP = "España"


async def linking(story: Story) -> None:
    """An admin asks for the link; an operator of the channel proves that the channel wants it."""
    story.teller.scene(f"«{GROUP}» is linked to {CHANNEL} on IRC")
    await story.paco.join(CHANNEL)
    story.teller.does("Paco", f"is on IRC and runs {CHANNEL}")
    await story.command(story.owner, story.office, f"!community bridge link irc {CHANNEL} --group {GROUP}")
    code = await eventually(lambda: _code(story), "a code for the proof")
    heard = await story.owner.person.wait_for(story.rooms["admins"], lambda event: code in text_of(event))
    story.teller.says("Haven", "the admins' room", text_of(heard))
    await _until_bridge_listens(story)
    await story.paco.say(CHANNEL, code)
    story.teller.says("Paco", CHANNEL, code)
    await eventually(lambda: _is_linked(story), "the link being proven")
    link = await story.stage.bot.state(story.rooms[GROUP], "chat.haven.link", f"irc:{CHANNEL}") or {}
    story.teller.verify(
        "the link is proven and said so in the room's state", link.get("proven") is True, link
    )
    await story.command(story.owner, story.office, "!community bridge status")


async def _status(story: Story) -> dict[str, object]:
    bridge = await story.stage.bot.state(story.rooms[GROUP], "m.bridge", f"haven://irc/{CHANNEL}") or {}
    return dict(bridge.get("chat.haven.status", {}))


async def _code(story: Story) -> str:
    return str((await _status(story)).get("code", ""))


async def _is_linked(story: Story) -> bool:
    return (await _status(story)).get("state") == "linked"


async def _until_bridge_listens(story: Story) -> None:
    async def is_there() -> bool:
        return any(nick.startswith("haven") for nick in await story.paco.names(CHANNEL))

    await eventually(is_there, "the bridge entering the channel", interval=0.2)


async def talking(story: Story) -> None:
    """Messages, actions and replies cross in both directions."""
    story.teller.scene("People on both sides talk")
    javier, room = story.fathers["javier"], story.rooms[GROUP]
    text = "Hola desde Madrid, ¿cómo os va con los turnos de noche?"
    story.teller.says("Javier", f"«{GROUP}» on Matrix", text)
    await javier.person.say(room, text)
    line = await story.paco.heard("turnos de noche")
    story.teller.verify(
        "Paco reads it on IRC, with the name of who says it", "Javier" in line.text, line.text
    )
    answer = await _from_irc(story, "Mejor que el mes pasado, gracias")
    story.teller.verify(
        "Javier reads Paco's answer", text_of(answer) == "Mejor que el mes pasado, gracias", text_of(answer)
    )
    await _verify_ghost(story, answer)
    await javier.person.reply(room, answer.id, "Me alegro mucho")
    quoted = await story.paco.wait_for(lambda line: _says(line, "Me alegro mucho"))
    story.teller.verify(
        "a reply reaches IRC as a quote", "Mejor que el mes" in _before(story, quoted), quoted.text
    )
    await story.paco.act(CHANNEL, "prepara el café")
    action = await javier.person.wait_for(room, lambda event: "prepara el café" in text_of(event))
    story.teller.verify(
        "an action (/me) stays an action", action.content.get("msgtype") == "m.emote", action.content
    )


def _says(line: Line, text: str) -> bool:
    return line.command == "PRIVMSG" and text in line.text


def _before(story: Story, line: Line) -> str:
    """A line with those just before it: a quote may stand on a line of its own."""
    place = story.paco.received.index(line)
    return " ".join(each.text for each in story.paco.received[max(0, place - 2) : place + 1])


async def _from_irc(story: Story, text: str) -> Event:
    story.teller.says("Paco", CHANNEL, text)
    await story.paco.say(CHANNEL, text)
    return await story.fathers["javier"].person.wait_for(
        story.rooms[GROUP], lambda event: text in text_of(event)
    )


async def _verify_ghost(story: Story, message: Event) -> None:
    """Paco's Matrix user has his name, and an id that gives nothing away."""
    members = await story.stage.bot.members(story.rooms[GROUP])
    ghost = members[message.sender]
    story.teller.verify(
        "Paco is a person of his own on Matrix", "paco" in (ghost.displayname or ""), ghost.displayname
    )
    hidden = message.sender.startswith("@_haven_irc_") and "paco" not in message.sender
    story.teller.verify("and his id there gives nothing away", hidden, message.sender)
