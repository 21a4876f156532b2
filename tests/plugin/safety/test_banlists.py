"""Ban lists: watched, followed live and in later lives, left to the admins where it could hurt, and published."""

import pytest

from haven.banlists import BANLISTS
from haven.errors import Refused
from haven.ids import RoomId, RoomVersion, UserId
from haven.ports import NewRoom, StateEvent
from plugin.store import Store
from tests.fakes.homeserver import FakeHomeserver
from tests.plugin.entrance.lives import Life, living
from tests.plugin.safety.lists import (
    RULE,
    a_list,
    card,
    deeds,
    forgive,
    is_banned,
    name,
    published,
    user,
    watched,
)


async def test_who_is_on_a_list_is_banned_and_who_comes_later_too(
    server: FakeHomeserver, store: Store
) -> None:
    room = await a_list(server, user("member"), user("zoe"))
    async with living(server, store) as life:
        said = await watched(life, room)
        assert "I follow Bad people" in said
        assert "2 on people, 0 on homeservers" in said
        assert "One person here is on it and is banned now" in said
        await is_banned(life, "member")
        assert (await life.member_reason("member")).endswith("Bad people: spam")
        await life.knock("zoe")
        await is_banned(life, "zoe")
        await life.told(
            "admins", f"{user('zoe')}, who is on a ban list (because of a ban list): Bad people: spam"
        )
        assert await deeds(life) == [("listed_ban", user("zoe")), ("listed_ban", user("member"))]


async def test_a_rule_that_comes_and_goes_is_followed_live(server: FakeHomeserver, store: Store) -> None:
    room = await a_list(server)
    async with living(server, store) as life:
        await watched(life, room)
        await name(server, room, "@mem*:haven.test", "org.matrix.mjolnir.rule.user")
        await is_banned(life, "member")
        await forgive(server, room, "@mem*:haven.test", "org.matrix.mjolnir.rule.user")
        await life.until(lambda: life.membership("member") == "leave", "she may come again")
        await life.told("admins", "whom no ban list names any more")
        madrid = await life.stage.room("Madrid")
        await life.until(lambda: life.membership("member", madrid) == "leave", "everywhere")
        assert user("member") not in (await life.stage.community()).banned


async def test_a_server_and_all_who_are_there(server: FakeHomeserver, store: Store) -> None:
    room = await a_list(server, "elsewhere.test", kind="m.policy.rule.server")
    async with living(server, store) as life:
        await watched(life, room)
        await server.client(UserId("@spam:elsewhere.test")).knock(life.space, ("haven.test",))
        space = server.rooms[life.space]
        await life.until(lambda: space.membership(UserId("@spam:elsewhere.test")) == "ban", "banned")
        assert life.membership("member") == "join"


async def test_only_bans_of_that_list_are_lifted_when_it_is_watched_no_more(
    server: FakeHomeserver, store: Store
) -> None:
    one, two = await a_list(server, user("member")), await a_list(server, user("announcer"))
    await server.person("keeper").send_state(one, "m.room.name", "", {"name": "One"})
    async with living(server, store) as life:
        await life.stage.say("admin", "!c role remove @announcer:haven.test announcer")
        await life.stage.say("admin", "!c ban @groupadmin:haven.test rude", "admins")
        await watched(life, one)
        await watched(life, two)
        await is_banned(life, "announcer")
        assert "One ban that came from it alone is lifted" in await life.stage.answer(
            "admin", "!c banlist unwatch One", "admins"
        )
        await life.until(lambda: life.membership("member") == "leave", "she may come again")
        assert (life.membership("announcer"), life.membership("groupadmin")) == ("ban", "ban")
        assert server.rooms[one].membership(life.stage.bot) == "leave"
        assert server.rooms[two].membership(life.stage.bot) == "join"
        said = await life.stage.answer("admin", "!c banlist list", "admins")
        assert "I follow one ban list" in said
        assert "rules: 1; banned here because of it: 1" in said
        assert "do not follow" in await life.stage.answer("admin", "!c banlist unwatch One", "admins")


async def test_people_with_a_role_become_a_card(server: FakeHomeserver, store: Store) -> None:
    room = await a_list(server, user("admin"), user("greeter"), user("owner"))
    async with living(server, store) as life:
        said = await life.stage.answer("owner", f"!c banlist watch {room}", "admins")
        assert "3 of them have a role" in said
        shown = await card(life, f"{user('greeter')}: Bad people: spam")
        assert life.membership("greeter") == "join"
        await life.react("moderator", shown, "✅")
        await is_banned(life, "greeter")
        owner = await card(life, f"{user('owner')}: Bad people")
        await life.react("admin", owner, "✅")
        await life.told("admins", "cannot be done to the owner")
        await life.react("admin", owner, "❌")
        await life.told("admins", "Left alone for good, by @admin:haven.test")
        await life.told("admins", f"wants {user('owner')} left alone")
        assert life.membership("owner") == "join"
        assert life.membership("admin") == "join"
        (waiting,) = await life.stage.services.desk.cards.open("listed", life.space)
        assert waiting.payload["people"] == user("admin")


async def crowd(life: Life, server: FakeHomeserver, n: int) -> list[UserId]:
    """So many people of another server have joined."""
    await life.setting("join", "open")
    people = [UserId(f"@p{number}:elsewhere.test") for number in range(n)]
    for who in people:
        await server.client(who).join(life.space, ("haven.test",))
    return people


async def test_many_at_once_wait_for_a_word(server: FakeHomeserver, store: Store) -> None:
    room = await a_list(server, "@p*:elsewhere.test")
    async with living(server, store) as life:
        people = await crowd(life, server, 12)
        assert "12 people here are on it. Those are many" in await watched(life, room)
        shown = await card(life, "Ban lists name 12 people here")
        space = server.rooms[life.space]
        assert {space.membership(who) for who in people} == {"join"}
        late = UserId("@p99:elsewhere.test")
        await server.client(late).join(life.space, ("haven.test",))
        await life.until(lambda: space.membership(late) == "ban", "who comes meanwhile is banned at once")
        await life.react("greeter", shown, "✅")
        await life.told("admins", "You cannot do that as `greeter`")
        await life.react("moderator", shown, "✅")
        await life.until(lambda: {space.membership(who) for who in people} == {"ban"}, "all are banned")
        await life.told("admins", "12 of them are banned now, by @moderator:haven.test")


async def test_a_crowd_can_be_left_alone_for_good(server: FakeHomeserver, store: Store) -> None:
    room = await a_list(server, "@p*:elsewhere.test")
    async with living(server, store) as life:
        people = await crowd(life, server, 11)
        await watched(life, room)
        await life.react("admin", await card(life, "Ban lists name 11 people"), "❌")
        await life.told("admins", "Left alone for good")
        space = life.space
    async with living(server, store, space=space) as life:
        await life.stage.services.safety.list_watch.look(space)
        assert {server.rooms[space].membership(who) for who in people} == {"join"}
        assert await life.stage.services.desk.cards.open("listed", space) == ()
        assert "11 people are left alone" in await life.stage.answer("admin", "!c banlist list", "admins")


async def test_a_card_that_has_lost_its_sense_is_withdrawn(server: FakeHomeserver, store: Store) -> None:
    room = await a_list(server, user("greeter"))
    async with living(server, store) as life:
        await watched(life, room)
        await card(life, f"{user('greeter')}: Bad people")
        await forgive(server, room, user("greeter"))
        await life.told("admins", "There is nothing to decide any more")
        assert life.membership("greeter") == "join"


async def test_a_rule_that_names_the_bot_spares_its_server_and_is_told(
    server: FakeHomeserver, store: Store
) -> None:
    room = await a_list(server, "*")
    async with living(server, store) as life:
        await watched(life, room)
        await life.told("admins", "has a rule that would ban me too (`*`)")
        assert life.membership("member") == "join"
        await server.client(UserId("@far:elsewhere.test")).knock(life.space, ("haven.test",))
        space = server.rooms[life.space]
        await life.until(lambda: space.membership(UserId("@far:elsewhere.test")) == "ban", "banned")


async def test_who_is_let_in_by_command_is_left_alone_from_then_on(
    server: FakeHomeserver, store: Store
) -> None:
    room = await a_list(server, user("member"))
    async with living(server, store) as life:
        await watched(life, room)
        await is_banned(life, "member")
        assert "may come again" in await life.stage.answer(
            "moderator", "!c unban @member:haven.test", "admins"
        )
        await life.told("admins", f"wants {user('member')} left alone")
        await life.setting("join", "open")
        await life.stage.person("member").join(life.space)
        await life.stage.services.safety.list_watch.look(life.space)
        assert life.membership("member") == "join"


async def test_who_is_let_in_by_hand_is_left_alone_too(server: FakeHomeserver, store: Store) -> None:
    server._clock = life_time
    room = await a_list(server, user("member"))
    async with living(server, store) as life:
        await watched(life, room)
        await is_banned(life, "member")
        await life.stage.person("admin").unban(life.space, life.stage.user("member"))
        await life.told("admins", f"wants {user('member')} left alone")
        content = server.rooms[life.space].content(BANLISTS)
        assert content["spared"] == [user("member")]


def life_time() -> int:
    """Milliseconds since the epoch: what happened long ago is not looked at."""
    from plugin.store import now_ms

    return now_ms()


async def test_a_list_that_shuts_us_out_changes_nothing_and_is_told(
    server: FakeHomeserver, store: Store
) -> None:
    room = await a_list(server, user("member"))
    async with living(server, store) as life:
        await watched(life, room)
        await is_banned(life, "member")
        space = life.space
    await server.person("keeper").ban(room, life.stage.bot)
    async with living(server, store, space=space) as life:
        await life.told("admins", "I cannot read a ban list that I am to follow")
        assert life.membership("member") == "ban"
        assert "cannot read it at the moment" in await life.stage.answer("admin", "!c banlist list", "admins")
        await life.stage.say("admin", f"!c banlist unwatch {room}", "admins")
        await life.until(lambda: life.membership("member") == "leave", "she may come again")


REFUSED = [
    ("watch nonsense", "neither a room id nor an alias"),
    ("watch #none:haven.test", "no room called #none:haven.test"),
    ("watch !nowhere:haven.test", "I cannot go into that room"),
    ("unwatch !nowhere:haven.test", "do not follow a list"),
    ("publish maybe", "cannot be “maybe”"),
]


@pytest.mark.parametrize(("command", "words"), REFUSED, ids=str)
async def test_refusals(server: FakeHomeserver, store: Store, command: str, words: str) -> None:
    async with living(server, store) as life:
        assert words in await life.stage.answer("admin", f"!c banlist {command}", "admins")
        assert BANLISTS not in {kind for kind, _ in server.rooms[life.space].state}


async def test_what_is_no_list_is_left_again(server: FakeHomeserver, store: Store) -> None:
    keeper = server.person("keeper")
    state = [StateEvent("m.room.join_rules", "", keeper.user, {"join_rule": "public"})]
    room = await keeper.create_room(NewRoom("Party", RoomVersion("12"), state=state))
    closed = await a_list(server, rule="invite")
    async with living(server, store) as life:
        assert "“Party” is no ban list" in await watched(life, room)
        assert server.rooms[room].membership(life.stage.bot) == "leave"
        assert "I cannot go into that room" in await watched(life, closed)
        await keeper.invite(closed, life.stage.bot)
        assert "I follow Bad people" in await watched(life, closed)
        assert "no ban list" in await watched(life, await life.stage.room("Madrid"))


async def test_a_list_by_its_alias(server: FakeHomeserver, store: Store) -> None:
    room = await a_list(server, user("member"))
    await server.person("keeper").send_state(room, "m.room.canonical_alias", "", {"alias": "#bad:haven.test"})
    async with living(server, store) as life:
        assert "I follow Bad people" in await life.stage.answer(
            "admin", "!c banlist watch https://matrix.to/#/%23bad:haven.test", "admins"
        )
        said = await life.stage.answer("admin", "!c banlist unwatch #bad:haven.test", "admins")
        assert "I follow Bad people no more" in said


async def test_our_own_bans_stand_in_a_list_for_others(server: FakeHomeserver, store: Store) -> None:
    theirs = await a_list(server, user("groupadmin"))
    async with living(server, store) as life:
        await life.stage.say("admin", "!c role remove @groupadmin:haven.test group-admin --group Madrid")
        await life.stage.say("admin", "!c ban @member:haven.test rude", "admins")
        await watched(life, theirs)
        await is_banned(life, "groupadmin")
        said = await life.stage.answer("admin", "!c banlist publish on", "admins")
        assert "published from now on" in said
        assert "https://matrix.to/#/" in said
        await life.until(
            lambda: published(server, life) == {user("member"): "rude"}, "what is ours stands there"
        )
        await life.stage.say("moderator", "!c ban @stranger:haven.test spam", "admins")
        await life.until(lambda: user("stranger") in published(server, life), "a ban is published")
        await life.stage.say("moderator", "!c unban @member:haven.test", "admins")
        await life.until(lambda: published(server, life) == {user("stranger"): "spam"}, "taken back")
        own = RoomId(str(server.rooms[life.space].content(BANLISTS)["own"]))
        await server.person("zoe").join(own)
        with pytest.raises(Refused):
            await server.person("zoe").send_state(own, RULE, "x", {})
        assert "our own list" in await watched(life, own)
        assert "no more" in await life.stage.answer("admin", "!c banlist publish off", "admins")
        await life.until(lambda: published(server, life) == {}, "nothing stands there")
        assert server.rooms[own].content("m.room.join_rules") == {"join_rule": "invite"}
