"""`my data`: what is kept of somebody is shown to nobody but them, and erased for good when they say so."""

import logging
from pathlib import Path

import pytest

from haven.errors import Invalid, Unreachable
from haven.ids import EventId, RoomVersion
from haven.model import Role
from haven.ports import NewRoom
from plugin.audit import Deed, Door
from plugin.cards import Word
from plugin.entrance.invite import code_in
from plugin.personal.erasure import SCRUB
from plugin.safety.reports import REPORT, reasons, reporters
from plugin.store import Store
from plugin.store_arrivals import Arrival
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_faults import survives
from tests.plugin.commands.stage import Stage, staged, text_of
from tests.plugin.personal.world import NAME, REASON, bytes_of, come, dump, file_of, live, strange_room, who


async def ring(stage: Stage) -> None:
    """The database is scrubbed, as it is ten seconds later."""
    timers = stage.services.desk.timers
    (timer,) = await timers.store.timers(SCRUB)
    await timers._ring(timer)


async def test_the_export_has_all_that_is_kept_and_names_nobody_else(stage: Stage) -> None:
    chat = await come(stage)
    await live(stage, chat)
    said = await stage.say(NAME, "!c my data export", chat)
    assert {event.room for event in said} == {chat}
    assert "as a file" in text_of(said)
    file = file_of(stage, said)
    assert file["you"] == who(stage)
    text = str(file)
    for other in ("member", "admin", "owner", "greeter", "stranger", "groupadmin", "bot"):
        assert stage.user(other) not in text
    communities = file["communities"]
    assert isinstance(communities, list)
    (community,) = communities
    assert (community["community"], community["membership"]) == ("Fathers", "join")
    assert community["rooms"]["Madrid"] == "join"
    kept = file["kept"]
    assert isinstance(kept, dict)
    assert set(kept) == {"heard", "card", "timer", "deed", "held", "invite", "redemption", "arrival"} - {
        "heard"
    }
    assert REASON in str(kept["deed"])
    assert "took the role moderator" in str(kept["deed"])
    assert [card["kind"] for card in kept["card"]] == ["suggestion", "report_about_you"]
    assert [one["reason"] for one in file["reported_by_you"]] == [REASON]  # type: ignore[attr-defined]


async def test_who_reported_them_cannot_be_found_out(stage: Stage) -> None:
    chat = await come(stage)
    await live(stage, chat)
    text = str(file_of(stage, await stage.say(NAME, "!c my data export", chat)))
    (about,) = [
        c for c in await stage.services.desk.cards.open(REPORT, None) if c.payload["author"] == who(stage)
    ]
    assert "too loud" not in text
    assert not any(by in text for by in reporters(about))


async def test_of_a_stranger_there_is_next_to_nothing(stage: Stage) -> None:
    chat = await stage.direct("stranger")
    file = file_of(stage, await stage.say("stranger", "!c my data export", chat))
    assert file["communities"] == []
    assert file["kept"] == {}
    assert "keep nothing of you" in await stage.answer("stranger", "!c my data erase", chat)


async def test_a_hidden_group_that_they_are_not_in_is_not_named_to_who_is_banned(stage: Stage) -> None:
    chat = await stage.direct("stranger")
    await stage.say("admin", "!c ban @stranger:haven.test", "admins")
    file = file_of(stage, await stage.say("stranger", "!c my data export", chat))
    assert "Quiet" not in str(file)
    assert file["communities"][0]["banned"] is True  # type: ignore[index]


async def test_elsewhere_it_is_answered_in_the_direct_chat(stage: Stage) -> None:
    chat = await come(stage)
    general = await stage.room("general")
    for command in ("export", "erase"):
        said = await stage.say(NAME, f"!c my data {command}")
        here = text_of([event for event in said if event.room == general])
        assert "answered in our direct chat" in here
        assert "entries" not in here
        assert len([event for event in said if event.room == chat]) >= 1


async def test_it_is_said_in_the_language_of_their_community(stage: Stage) -> None:
    chat = await come(stage)
    await stage.say("admin", "!c settings language es")
    said = await stage.say(NAME, "!c my data export", chat)
    assert "Aquí tienes lo que guardo de ti" in text_of(said)
    assert str(file_of(stage, said)["about"]).startswith("Lo que este bot guarda")
    assert "Esto queda, y por qué" in await stage.answer(NAME, "!c my data erase", chat)


async def test_without_a_direct_chat_nothing_is_said_of_it(stage: Stage) -> None:
    said = await stage.say("member", "!c my data export")
    assert "write it to me in a direct chat" in text_of(said)
    assert stage.server.media == {}


async def test_a_room_with_a_name_is_not_taken_for_the_direct_chat_where_there_is_another(
    stage: Stage,
) -> None:
    await strange_room(stage, ())
    chat = await stage.person(NAME).create_room(NewRoom("", RoomVersion("11"), invite=[stage.bot]))
    await stage.person("bot").join(chat)
    await stage.engine.rooms.look()
    said = await stage.say(NAME, "!c my data export")
    assert {event.room for event in said} == {chat, await stage.room("general")}


async def test_a_room_in_which_others_are_is_no_direct_chat(stage: Stage) -> None:
    room = await strange_room(stage, ("member",))
    assert "write it to me in a direct chat" in await stage.answer(NAME, "!c my data export", room)


@pytest.mark.parametrize("words", ["", "destroy", "erase now", "export for-good please", "erase --insist"])
async def test_what_is_not_understood_erases_nothing(stage: Stage, words: str) -> None:
    chat = await come(stage)
    before = await stage.services.personal.export.kept(
        who(stage), stage.services.desk.cards.replies.wording("en")
    )
    await stage.say(NAME, f"!c my data {words}", chat)
    after = await stage.services.personal.export.kept(
        who(stage), stage.services.desk.cards.replies.wording("en")
    )
    assert before.count == after.count > 0


async def test_the_preview_says_what_goes_and_what_stays_and_erases_nothing(stage: Stage) -> None:
    chat = await come(stage)
    await live(stage, chat)
    before = dump(path_of(stage))
    said = await stage.answer(NAME, "!c my data erase", chat)
    for words in ("of the log", "suggestion", "one reminder", "made one invite", "by which invite"):
        assert words in said
    assert "You are in Fathers" in said
    assert "A message of yours was reported" in said
    assert "!c my data erase for-good" in said
    assert dump(path_of(stage)) == before


def path_of(stage: Stage) -> Path:
    """Where the database lies."""
    return Path(stage.engine.store._database.url.path)


async def test_what_stands_in_the_rooms_for_other_reasons_is_told(stage: Stage) -> None:
    chat, user = await come(stage), who(stage)
    await stage.say("owner", f"!c role add {user} admin", "admins")
    await stage.say(NAME, "!c bridge link irc #birds --group Madrid", chat)
    await stage.say(NAME, "!c lockdown", chat)
    await stage.say("owner", f"!c role remove {user} admin", "admins")
    crowd = " ".join(f"@p{number}:haven.test" for number in range(10))
    await stage.say("owner", f"!c ban {user} {crowd}", "admins")
    said = await stage.answer(NAME, "!c my data erase", chat)
    assert "link to another network in Fathers" in said
    assert "closed Fathers" in said
    assert "waits for the admins" in said
    assert "expulsion" not in said
    file = file_of(stage, await stage.say(NAME, "!c my data export", chat))
    assert file["communities"][0]["links"] == ["irc:#birds"]  # type: ignore[index]


async def test_an_owner_hands_over_first(stage: Stage) -> None:
    chat = await stage.direct("owner")
    for command in ("erase", "erase for-good"):
        assert "You own a community: Fathers" in await stage.answer("owner", f"!c my data {command}", chat)
    assert "fou" in await stage.answer("owner", "!c log", "admins")


async def test_what_was_erased_is_nowhere_any_more(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    chat, path = await come(stage), path_of(stage)
    await live(stage, chat)
    assert who(stage).encode() in bytes_of(path)
    await stage.say(NAME, "!c leave", chat)
    await stage.services.entrance._look((stage.space,))
    await decide_reports(stage)
    assert "Done: I have erased" in await stage.answer(NAME, "!c my data erase for-good", chat)
    await ring(stage)
    left = bytes_of(path)
    for canary in (who(stage), REASON):
        assert canary.encode() not in left, [line for line in dump(path).splitlines() if canary in line]
        assert canary not in caplog.text


async def test_what_was_still_being_written_down_goes_as_well(stage: Stage) -> None:
    chat, user = await come(stage), who(stage)
    await stage.person(NAME).leave(stage.space)
    await stage.say(NAME, "!c my data erase for-good", chat)
    arrivals, audit = stage.services.entrance.arrivals, stage.services.desk.audit
    await arrivals.store.keep([Arrival(stage.space, user, 1, 1, 2, own=True)])
    await audit.keep(Deed("late", stage.space, user, "left", Door.BY_HAND, 3))
    await ring(stage)
    assert user not in dump(path_of(stage))
    assert not stage.services.personal.erasure._lately


async def decide_reports(stage: Stage) -> None:
    """The admins decide what is reported."""
    for card in await stage.services.desk.cards.open(REPORT, None):
        word = Word("dismiss", stage.user("moderator"), Door.COMMAND, EventId(f"$d{card.id}"))
        await stage.services.desk.cards.decide(card, word)


async def test_the_log_speaks_of_a_person_and_stays_whole(stage: Stage) -> None:
    chat = await come(stage)
    await live(stage, chat)
    before = await stage.answer("admin", "!c log", "admins")
    await stage.say(NAME, "!c my data erase for-good", chat)
    after = await stage.answer("admin", "!c log", "admins")
    assert who(stage) not in after
    assert after.count("UTC") == before.count("UTC") + 1
    assert "(a person) muted @member:haven.test" in after
    assert "banned @stranger:haven.test (by command): because of …. Sorry" in after
    assert "(a person) had what I keep of them erased" in after
    assert REASON not in after


async def test_a_member_stays_a_member_and_is_not_welcomed_again(stage: Stage) -> None:
    chat = await come(stage)
    await stage.say("owner", f"!c role add {who(stage)} moderator", "admins")
    await stage.say(NAME, "!c my data erase for-good", chat)
    assert (await stage.community()).role_of(who(stage)) is Role.MODERATOR
    arrivals = stage.services.entrance.arrivals
    assert await arrivals.look(await stage.community(), stage.engine.rooms.world) == ()


async def test_who_has_left_loses_the_role_that_waited_for_them(stage: Stage) -> None:
    chat = await come(stage)
    await stage.say("owner", f"!c role add {who(stage)} moderator", "admins")
    await stage.person(NAME).leave(stage.space)
    await stage.engine.rooms.observe()
    assert (await stage.community()).role_of(who(stage)) is Role.MODERATOR
    await stage.say(NAME, "!c my data erase for-good", chat)
    assert (await stage.community()).role_of(who(stage)) is Role.MEMBER


async def test_what_waits_of_theirs_is_taken_back(stage: Stage) -> None:
    chat = await come(stage)
    await stage.say(NAME, "!c suggest Aviary", chat)
    await stage.say(NAME, "!c my data erase for-good", chat)
    assert await stage.services.desk.cards.open("suggestion", None) == ()


async def test_who_knocks_knocks_no_more(stage: Stage) -> None:
    await stage.say("admin", "!c settings join request")
    await stage.person("stranger").knock(stage.space, (), REASON)
    await stage.engine.rooms.observe()
    await stage.services.entrance._look((stage.space,))
    (card,) = await stage.services.desk.cards.open("knock", None)
    chat = await stage.direct("stranger")
    assert "one request" in await stage.answer("stranger", "!c my data erase", chat)
    await stage.say("stranger", "!c my data erase for-good", chat)
    await stage.services.entrance._look((stage.space,))
    assert await stage.services.desk.cards.open("knock", None) == ()
    assert stage.server.rooms[stage.space].membership(stage.user("stranger")) == "leave"
    assert stage.user("stranger") not in dump(path_of(stage))
    assert REASON not in dump(path_of(stage))
    told = [e for e in stage.server.rooms[card.room].timeline if e.sender == stage.bot]
    assert "stranger" in str(told[-1].content) or "stranger" in str(told[-2].content)


async def test_a_report_of_theirs_stays_and_says_no_more_than_that_somebody_made_it(stage: Stage) -> None:
    chat = await come(stage)
    await live(stage, chat)
    await stage.say(NAME, "!c my data erase for-good", chat)
    reported = await stage.services.desk.cards.open(REPORT, None)
    (card,) = [each for each in reported if each.payload["author"] == stage.user("admin")]
    assert len(reporters(card)) == 2
    assert reasons(card) == ["it is spam"]


async def test_a_ban_holds(stage: Stage) -> None:
    chat = await come(stage)
    await stage.say("admin", f"!c ban {who(stage)}", "admins")
    said = await stage.answer(NAME, "!c my data erase", chat)
    assert "banned from Fathers" in said
    await stage.say(NAME, "!c my data erase for-good", chat)
    assert who(stage) in (await stage.community()).banned


async def test_who_was_put_out_does_not_come_back_by_a_code_without_being_asked_about(stage: Stage) -> None:
    chat = await come(stage)
    code = code_in(await stage.answer("greeter", "!c invite create --name Door", "admins"))
    await stage.say("admin", f"!c remove {who(stage)}", "admins")
    await stage.engine.rooms.observe()
    await stage.services.entrance._look((stage.space,))
    await stage.say(NAME, "!c my data erase for-good", chat)
    await stage.say(NAME, "!c my data erase for-good", chat)
    await stage.say(NAME, f"!c join {code}", chat)
    assert stage.server.rooms[stage.space].membership(who(stage)) == "leave"
    assert len(await stage.services.desk.cards.open("knock", None)) == 1


async def test_somebody_whose_name_begins_alike_is_left_alone(stage: Stage) -> None:
    chat = await come(stage)
    long = f"{who(stage)}.example"
    await stage.say("owner", f"!c ban {long} seen with {who(stage)}", "admins")
    await stage.say(NAME, "!c my data erase for-good", chat)
    said = await stage.answer("owner", "!c log --last 5", "admins")
    assert f"banned {long} (by command): seen with …" in said


@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize("after_effect", [False, True])
async def test_dying_over_it_ends_with_everything_erased(
    server: FakeHomeserver, store: Store, at: int, after_effect: bool
) -> None:
    async with staged(server, store) as stage:
        chat = await come(stage)
        await live(stage, chat)
        space, user = stage.space, who(stage)
        await stage.person(NAME).leave(space)
        incoming = await stage.incoming(NAME, "!c my data erase for-good", chat)
        assert await store.hears(incoming)
        stage.server.faults.kill(at=at, user=stage.bot, after_effect=after_effect)
        await survives(stage.dispatcher.handle(incoming))
        stage.server.faults.forgive()
    async with staged(server, store, empty=True) as again:
        again.space = space
        (command,) = await store.unanswered()
        await again.dispatcher.handle(command)
        await store.answered(command.event)
        kept = await again.services.personal.export.kept(
            user, again.services.desk.cards.replies.wording("en")
        )
        assert {name for name, rows in kept.rows.items() if rows} <= {"card"}
        assert [card["kind"] for card in kept.rows["card"]] == ["report_about_you"]
        said = [e for e in again.server.rooms[chat].timeline if "Done: I have" in str(e.content.get("body"))]
        assert len(said) == 1


@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("after_effect", [False, True])
async def test_dying_over_an_export_ends_with_one_file(
    server: FakeHomeserver, store: Store, at: int, after_effect: bool
) -> None:
    async with staged(server, store) as stage:
        chat, space = await come(stage), stage.space
        incoming = await stage.incoming(NAME, "!c my data export", await stage.room("general"))
        assert await store.hears(incoming)
        stage.server.faults.kill(at=at, user=stage.bot, after_effect=after_effect)
        await survives(stage.dispatcher.handle(incoming))
        stage.server.faults.forgive()
    async with staged(server, store, empty=True) as again:
        again.space = space
        (command,) = await store.unanswered()
        await again.dispatcher.handle(command)
        timeline = again.server.rooms[chat].timeline
        assert len([e for e in timeline if e.content.get("msgtype") == "m.file"]) == 1
        assert len([e for e in timeline if "as a file" in str(e.content.get("body"))]) == 1


async def test_a_homeserver_that_does_not_answer_is_named_and_it_can_be_asked_again(stage: Stage) -> None:
    chat = await come(stage)
    await stage.say(NAME, "!c suggest Aviary", chat)
    stage.server.faults.fail_next(1, Unreachable(), port="room_state")
    stage.engine.rooms.doubt((stage.space,))
    assert "does not answer" in await stage.answer(NAME, "!c my data erase for-good", chat)
    assert "Done: I have" in await stage.answer(NAME, "!c my data erase for-good", chat)


async def test_an_upload_that_is_refused_is_said(stage: Stage) -> None:
    chat = await come(stage)
    stage.server.faults.fail_next(1, Invalid("homeserver_invalid", code="M_TOO_LARGE"), port="upload")
    assert "M_TOO_LARGE" in await stage.answer(NAME, "!c my data export", chat)


async def test_the_same_export_twice_is_one_file(stage: Stage) -> None:
    chat = await come(stage)
    incoming = await stage.incoming(NAME, "!c my data export", chat)
    for _ in range(2):
        await stage.dispatcher.handle(incoming)
    files = [e for e in stage.server.rooms[chat].timeline if e.content.get("msgtype") == "m.file"]
    assert len(files) == 1
