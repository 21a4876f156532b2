"""`announce`."""

import pytest

from tests.plugin.commands.stage import Stage, html_of, text_of

TEXT = "Hola a todos:\n\nmañana <b>asamblea</b> & café"


@pytest.mark.parametrize("name", ["owner", "admin", "announcer"])
async def test_an_announcement_is_posted_with_its_authors_name_and_linked(stage: Stage, name: str) -> None:
    said = await stage.say(name, f"!c announce {TEXT}", await stage.direct(name))
    announcements = await stage.room("announcements")
    (posted,) = [event for event in said if event.room == announcements]
    assert posted.content["body"] == f"{name}\n\n{TEXT}"
    assert posted.content["msgtype"] == "m.text"
    assert posted.content["m.mentions"] == {}
    assert "&lt;b&gt;asamblea&lt;/b&gt; &amp; café" in html_of([posted])
    assert f"https://matrix.to/#/{announcements}/{posted.id}" in text_of(said)


@pytest.mark.parametrize("name", ["moderator", "greeter", "groupadmin", "member", "stranger"])
async def test_nobody_else_may(stage: Stage, name: str) -> None:
    stage.forget()
    said = await stage.say(name, f"!c announce {TEXT}")
    assert "asamblea" not in text_of(said)
    assert [event for event in said if event.room == await stage.room("announcements")] == []
    assert stage.written() == []


async def test_the_same_command_delivered_twice_is_one_announcement(stage: Stage) -> None:
    incoming = await stage.incoming("owner", "!c announce Hola", await stage.room("general"))
    for _ in range(2):
        await stage.dispatcher.handle(incoming)
    room = stage.server.rooms[await stage.room("announcements")]
    assert sum(event.content.get("body") == "owner\n\nHola" for event in room.timeline) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "`TEXT` is missing"), ('""', "nothing to announce"), ("x" * 10_001, "10001 characters")],
)
async def test_what_cannot_be_announced(stage: Stage, text: str, words: str) -> None:
    said = await stage.say("owner", f"!c announce {text}")
    assert words in text_of(said)
    assert [event for event in said if event.room == await stage.room("announcements")] == []


async def test_an_announcement_of_the_greatest_length_fits(stage: Stage) -> None:
    said = await stage.say("owner", f"!c announce {'<' * 10_000}")
    assert "Announced" in text_of(said)
