"""What the bridge's database must keep, SQLite and PostgreSQL alike."""

import asyncio
import json
from dataclasses import replace

import pytest

from bridge.gestures import Gesture, theirs
from bridge.links import Linked
from bridge.networks.base import Place
from bridge.personal.records import Records
from bridge.places import Reached
from bridge.standing import About
from bridge.store import Arrival, Known, Pair, Store
from bridge.store_standing import Standings
from haven.ids import ChatId, EventId, Network, RemoteMessageId, RemoteUserId, RoomId, UserId

IRC, CHAT, ROOM = Network("irc"), ChatId("#fathers"), RoomId("!room")
GHOST = UserId("@_haven_irc_x:example.org")


def pair(message: str, event: str, part: int = 0) -> Pair:
    return Pair(IRC, CHAT, RemoteMessageId(message), part, ROOM, EventId(event), GHOST)


class Clock:
    """A clock that a test moves, in milliseconds."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


class StoreContract:
    """A subclass gives ``url``: a database that is empty when the test begins."""

    @pytest.fixture
    def url(self) -> str:
        raise AssertionError

    async def test_keeps_the_order_and_takes_each_source_once(self, url: str) -> None:
        async with Store(url) as store:
            first = await store.add([Arrival("a", "lane", "1"), Arrival("b", "lane", "2")])
            second = await store.add([Arrival("b", "lane", "again"), Arrival("c", "lane", "3")])
            assert [item.payload for item in (*first, *second)] == ["1", "2", "3"]
        async with Store(url) as store:
            assert await store.add([Arrival("a", "other lane", "1")]) == ()
            assert [item.payload for item in await store.waiting("lane", 0, 10)] == ["1", "2", "3"]
            assert await store.lanes() == ("lane",)

    async def test_new_items_come_after_old_ones_after_a_restart(self, url: str) -> None:
        async with Store(url) as store:
            await store.add([Arrival("a", "lane", "1")])
        async with Store(url) as store:
            await store.add([Arrival("b", "lane", "2")])
            assert [item.payload for item in await store.waiting("lane", 0, 10)] == ["1", "2"]

    async def test_the_same_source_twice_in_one_go_is_one_item(self, url: str) -> None:
        async with Store(url) as store:
            assert len(await store.add([Arrival("a", "lane", "1"), Arrival("a", "lane", "1")])) == 1

    async def test_knows_how_far_a_chat_was_heard_with_what_was_accepted_of_it(self, url: str) -> None:
        def reached(message: str) -> Reached:
            return Reached(IRC, CHAT, Place(RemoteMessageId(message), 7))

        async with Store(url) as store:
            assert await store.place(IRC, CHAT) is None
            await store.add([Arrival("a", "lane", "1")], reached("m1"))
            await store.add([Arrival("b", "lane", "2")], reached("m2"))
            await store.add([Arrival("a", "lane", "1")], reached("m1"))
            await store.add([], reached("m3"))
        async with Store(url) as store:
            assert await store.place(IRC, CHAT) == Place(RemoteMessageId("m2"), 7)
            assert await store.place(IRC, ChatId("#mothers")) is None
            await store.forget_place(IRC, CHAT)
            assert await store.place(IRC, CHAT) is None

    async def test_what_is_done_is_gone_and_its_pairs_are_there(self, url: str) -> None:
        async with Store(url) as store:
            (item,) = await store.add([Arrival("a", "lane", "1")])
            await store.done(item, [pair("m1", "$1", 0), pair("m1", "$2", 1)])
            assert await store.waiting("lane", 0, 10) == ()
            assert await store.add([Arrival("a", "lane", "1")]) == ()
        async with Store(url) as store:
            found = await store.events_of(IRC, CHAT, RemoteMessageId("m1"), ROOM)
            assert found == (pair("m1", "$1", 0), pair("m1", "$2", 1))
            assert await store.messages_of(ROOM, EventId("$2"), IRC, CHAT) == (pair("m1", "$2", 1),)
            assert await store.messages_of(ROOM, EventId("$3"), IRC, CHAT) == ()

    async def test_remembers_gestures_under_their_names(self, url: str) -> None:
        names = [
            theirs(RemoteMessageId("m1"), RemoteUserId("eva"), "👍"),
            Gesture(RemoteMessageId("m1"), EventId("$1"), "👍").name,
            Gesture(RemoteMessageId("m1"), EventId("$1")).name,
        ]
        async with Store(url) as store:
            for name in names:
                await store.remember([pair(name, f"${name}")])
                assert await store.events_of(IRC, CHAT, name, ROOM) == (pair(name, f"${name}"),)

    async def test_a_pair_stays_as_it_was_first(self, url: str) -> None:
        async with Store(url) as store:
            await store.remember([pair("m1", "$1")])
            await store.remember([pair("m1", "$other"), pair("m2", "$2")])
            assert (await store.events_of(IRC, CHAT, RemoteMessageId("m1"), ROOM))[0].event == "$1"
            assert (await store.events_of(IRC, CHAT, RemoteMessageId("m2"), ROOM))[0].event == "$2"

    async def test_claims_tries_and_what_is_set_aside_survive(self, url: str) -> None:
        async with Store(url) as store:
            one, two = await store.add([Arrival("a", "lane", "1"), Arrival("b", "lane", "2")])
            await store.claim(one, 2)
            await store.tried(one, 3)
            await store.set_aside(two, "ref")
        async with Store(url) as store:
            assert await store.waiting("lane", 0, 10) == (replace(one, tries=3, claimed=2),)
            assert await store.counts() == (1, 1)

    async def test_a_thousand_in_one_go(self, url: str) -> None:
        async with Store(url) as store:
            await store.add([Arrival(f"old {number}", "lane", "") for number in range(700)])
            items = await store.add([Arrival(f"old {number}", "lane", "") for number in range(1000)])
            assert len(items) == 300

    async def test_people_keep_their_ghost(self, url: str) -> None:
        async with Store(url) as store:
            bob = Known(GHOST, IRC, RemoteUserId("bob"), "bob")
            await store.keep_person(bob)
            await store.keep_person(replace(bob, remote=RemoteUserId("robert"), name="robert"))
            assert await store.people() == (replace(bob, remote=RemoteUserId("robert"), name="robert"),)

    async def test_small_things_are_recalled(self, url: str) -> None:
        async with Store(url) as store:
            assert await store.recall("topic") is None
            await store.keep("topic", "one")
            await store.keep("topic", "two")
            assert await store.recall("topic") == "two"

    async def test_what_was_seen_is_forgotten_after_a_week_and_no_sooner(self, url: str) -> None:
        clock = Clock()
        async with Store(url, clock) as store:
            (item,) = await store.add([Arrival("a", "lane", "1")])
            await store.done(item)
            clock.now += 7 * 24 * 3600 * 1000
            await store.forget_old()
            assert await store.add([Arrival("a", "lane", "1")]) == ()
            clock.now += 2 * 24 * 3600 * 1000
            await store.forget_old()
            assert len(await store.add([Arrival("a", "lane", "1")])) == 1

    async def test_what_was_set_aside_is_not_kept_for_ever(self, url: str) -> None:
        clock = Clock()
        async with Store(url, clock) as store:
            aside, waits = await store.add([Arrival("a", "lane", "1"), Arrival("b", "lane", "2")])
            await store.set_aside(aside, "reference")
            clock.now += 7 * 24 * 3600 * 1000
            await store.forget_old()
            assert await store.counts() == (1, 1)
            clock.now += 2 * 24 * 3600 * 1000
            await store.forget_old()
            assert await store.counts() == (1, 0)
            assert await store.waiting("lane", 0, 9) == (waits,)

    async def test_one_bad_job_leaves_its_neighbours_alone(self, url: str) -> None:
        async with Store(url) as store:
            (item,) = await store.add([Arrival("a", "lane", "1")])
            huge = replace(item, seq=2**70)  # no database has such a number
            good, bad, also_good = await asyncio.gather(
                store.keep("one", "1"), store.claim(huge, 1), store.keep("two", "2"), return_exceptions=True
            )
            assert (good, also_good) == (None, None)
            assert isinstance(bad, Exception)
            assert (await store.recall("one"), await store.recall("two")) == ("1", "2")

    async def test_keeps_what_was_agreed_on_about_people_link_by_link(self, url: str) -> None:
        link = Linked(ROOM, IRC, CHAT, UserId("@ana:example.org"), EventId("$link"))
        other = replace(link, room=RoomId("!other"))
        role, ban = (About.ROLE, RemoteUserId("nick:ada")), (About.BAN, RemoteUserId("nick:ben"))
        async with Store(url) as store:
            standings = Standings(store)
            await standings.keep(link, {}, {role: "operator", ban: "yes"})
            await standings.keep(other, {}, {role: "voiced"})
            await standings.keep(link, {role: "operator", ban: "yes"}, {role: "voiced"})
            assert await standings.of(link) == await standings.of(other) == {role: "voiced"}
            await standings.forget(link)
            assert await standings.of(link) == {}
            assert await standings.of(other) == {role: "voiced"}

    async def test_everything_of_somebody_is_found_and_forgotten(self, url: str) -> None:
        known = Known(GHOST, IRC, RemoteUserId("nick:ada"), "Ada", "fox", "mxc://example.org/fox")
        event = '{"is": "Said", "person": {"is": "Person", "id": "nick:ada", "name": "Ada"}}'
        job = {"to": "matrix", "link": [ROOM, IRC, CHAT], "event": event}
        link = Linked(ROOM, IRC, CHAT, UserId("@ana:example.org"), EventId("$link"))
        async with Store(url) as store:
            await store.keep_person(known)
            assert await store.people() == (known,)
            await store.remember([pair("m1", "$1")])
            await store.add([Arrival("a", "lane", json.dumps(job)), Arrival("b", "lane", "{}")])
            await Standings(store).keep(link, {}, {(About.ROLE, known.remote): "operator"})
            records = Records(store)
            subject = await records.subject(GHOST)
            assert set(await records.of(subject)) == {"person", "message_map", "inbox", "standing_there"}
            assert await records.erase(subject) == 4
            assert await records.of(subject) == {}
            assert await store.people() == ()
            assert await store.counts() == (1, 0), "what others said stays"
