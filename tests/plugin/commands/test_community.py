"""`create`, `list`, `show`."""

from haven.ids import RoomId, RoomVersion
from haven.model import Kind, Role
from plugin.config import Settings
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.commands.stage import Stage, contents_of, html_of, staged, text_of


async def test_create_makes_a_community_and_tells_how_it_goes_in_one_message(empty_stage: Stage) -> None:
    stage = empty_stage
    direct = await stage.direct("owner")
    said = await stage.say(
        "owner", '!community create "Papás de Praga" --description "Un lugar seguro" --group Fútbol', direct
    )
    (community,) = (await stage.engine.communities.intent()).communities.values()
    assert community.name == "Papás de Praga"
    assert community.description == "Un lugar seguro"
    assert community.role_of(stage.user("owner")) is Role.OWNER
    assert [g.name for g in community.groups if g.kind is Kind.GROUP] == ["Fútbol"]
    assert len(contents_of([event for event in said if event.room == direct])) == 1
    assert f"https://matrix.to/#/{community.space}?via=haven.test" in text_of(said)


async def test_the_same_create_delivered_twice_makes_one_community(empty_stage: Stage) -> None:
    stage = empty_stage
    direct = await stage.direct("owner")
    incoming = await stage.incoming("owner", "!c create Fathers", direct)
    for _ in range(2):
        await stage.dispatcher.handle(incoming)
        await stage.engine.jobs.idle()
    assert len((await stage.engine.communities.intent()).communities) == 1


async def test_create_is_for_those_whom_the_operator_allows(server: FakeHomeserver, store: Store) -> None:
    configured = Settings(creators=("@owner:*",), version=RoomVersion("12"))
    async with staged(server, store, configured=configured, empty=True) as stage:
        direct = await stage.direct("stranger")
        stage.forget()
        assert "not allowed to make communities" in await stage.answer("stranger", "!c create Mine", direct)
        assert stage.written() == []
        assert "!c create" not in await stage.answer("stranger", "!c help", direct)


async def test_the_rooms_are_called_in_the_language_of_the_bot(server: FakeHomeserver, store: Store) -> None:
    async with staged(server, store, configured=Settings(language="cs"), empty=True) as stage:
        direct = await stage.direct("owner")
        said = await stage.answer("owner", "!c create Tátové", direct)
        assert "Komunita Tátové" in said
        (community,) = (await stage.engine.communities.intent()).communities.values()
        assert community.settings.language == "cs"
        assert [group.name for group in community.groups] == ["Oznámení", "Společný chat", "Správci"]


async def test_list_tells_everybody_their_own(stage: Stage) -> None:
    assert "Fathers" in await stage.answer("member", "!c list")
    assert "admin" in await stage.answer("admin", "!c list")
    direct = await stage.direct("stranger")
    assert "not in any community" in await stage.answer("stranger", "!c list", direct)


async def test_show_tells_what_the_community_is(stage: Stage) -> None:
    said = await stage.answer("member", "!c show")
    for expected in (
        "Fathers",
        "A safe place",
        "7 members",
        "@owner:haven.test",
        "Madrid",
        "For those in Madrid",
    ):
        assert expected in said
    assert "Quiet" not in said


async def test_names_are_escaped(stage: Stage) -> None:
    await stage.say("owner", '!c settings name "<b>Fathers</b> `x`"')
    said = html_of(await stage.say("member", "!c show"))
    assert "<b>" not in said
    assert "&lt;b&gt;Fathers" in said


async def test_answers_are_replies_that_notify_nobody_else(stage: Stage) -> None:
    room = await stage.room("general")
    incoming = await stage.incoming("member", "!c show", room)
    await stage.dispatcher.handle(incoming)
    last = stage.server.rooms[room].timeline[-1].content
    assert last["msgtype"] == "m.notice"
    assert last["m.relates_to"] == {"m.in_reply_to": {"event_id": incoming.event}}
    assert last["m.mentions"] == {"user_ids": [stage.user("member")]}


async def test_who_is_in_one_community_need_not_name_it_and_others_must(stage: Stage) -> None:
    direct = await stage.direct("owner")
    assert "Madrid" in await stage.answer("owner", "!c show", direct)
    await stage.say("owner", "!c create Second", direct)
    (second,) = set((await stage.engine.communities.intent()).communities) - {stage.space}
    await stage.person("owner").join(second)
    assert "Which community" in await stage.answer("owner", "!c show", direct)
    assert "Madrid" in await stage.answer("owner", "!c show --in fathers", direct)
    assert "Second" in await stage.answer("owner", f"!c show --in {second}", direct)
    assert "not in a community called" in await stage.answer("member", "!c show --in Second")


async def test_two_communities_of_one_name_are_told_apart_by_their_ids(stage: Stage) -> None:
    direct = await stage.direct("owner")
    await stage.say("owner", "!c create Fathers", direct)
    communities = (await stage.engine.communities.intent()).communities
    (second,) = set(communities) - {stage.space}
    await stage.person("owner").join(RoomId(second))
    said = await stage.answer("owner", "!c show --in Fathers", direct)
    assert stage.space in said
    assert second in said
