"""Commands that take long say how far they are, in the one message that becomes their answer."""

from haven.errors import Refused
from plugin.commands import Dispatcher
from tests.fakes.homeserver_faults import Request
from tests.fakes.homeserver_room import Event
from tests.plugin.commands.stage import Stage, contents_of
from tests.plugin.life import FastClock

CLOCK = FastClock()
COMMAND = "!c role add @member:haven.test admin"


def slowed_down(stage: Stage) -> None:
    """The homeserver allows little, and commands feel how long that takes."""
    stage.dispatcher = Dispatcher(stage.services, CLOCK.wait, now=CLOCK.now)
    stage.server.faults.limit(0.2, 2, CLOCK.now)


def relation(event: Event) -> object:
    """The message that an edit changes; ``None`` for what is no edit."""
    relation = event.content.get("m.relates_to")
    return relation.get("event_id") if isinstance(relation, dict) and "rel_type" in relation else None


async def test_what_takes_long_says_so_in_the_message_that_becomes_its_answer(stage: Stage) -> None:
    slowed_down(stage)
    admins = await stage.room("admins")
    said = [event for event in await stage.say("admin", COMMAND) if event.room != admins]
    first, *edits = said
    assert "steps done" in str(first.content["body"])
    assert edits
    assert {relation(event) for event in edits} == {first.id}
    (content,) = contents_of(said)
    assert "is now `admin`" in str(content["body"])


async def test_what_goes_quickly_is_answered_at_once(stage: Stage) -> None:
    admins = await stage.room("admins")
    (answer,) = (event for event in await stage.say("admin", COMMAND) if event.room != admins)
    assert relation(answer) is None
    assert "steps done" not in str(answer.content["body"])


async def test_that_progress_cannot_be_told_keeps_nothing_from_being_done(stage: Stage) -> None:
    slowed_down(stage)
    refused: list[Request] = []

    def refuse(request: Request) -> None:
        if request.port == "send_message" and not refused:
            refused.append(request)
            raise Refused("homeserver_refused", code="M_FORBIDDEN")

    stage.server.faults.before.insert(0, refuse)
    admins = await stage.room("admins")
    said = [event for event in await stage.say("admin", COMMAND) if event.room != admins]
    assert refused
    assert "is now `admin`" in str(contents_of(said)[-1]["body"])
    assert stage.power(await stage.room("Madrid"), "member") == 90
