"""Messages disappear on a real homeserver, whether it sees to that itself or not, in rooms of every version."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from mautrix.client import Client
from mautrix.types import UserID

from embedded.matrix import Event, Json
from embedded.person import Person
from embedded.synapse import Synapse
from haven.founding import Founding, Titles, WishedGroup
from haven.ids import EventId, RoomId, RoomVersion, UserId
from haven.model import Community
from plugin.clock import SystemClock
from plugin.config import Settings
from plugin.desk import open_desk
from plugin.durations import DAY, HOUR
from plugin.engine import build
from plugin.homeserver import MautrixHomeserver
from plugin.homeserver_messages import Messenger
from plugin.replies import Replies
from plugin.service.disappearing import Disappearing, open_disappearing
from plugin.service.work import Report
from plugin.store import now_ms
from tests.conftest import Newcomer
from tests.plugin.catalogues import all_phrases
from tests.plugin.life import Told, stored

pytestmark = pytest.mark.system

WISH = (WishedGroup("Kept"), WishedGroup("Sealed"))
SEALED: Json = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x", "session_id": "y"}


@dataclass
class Stage:
    """A community with two groups that keep what is said for a day, one of them encrypted. ``ahead``: of the bot's clock, in ms."""

    service: Disappearing
    bot: Person
    rooms: Mapping[str, RoomId]
    ahead: int = 0

    def epoch(self) -> int:
        """The bot's time."""
        return now_ms() + self.ahead

    async def messages(self, name: str) -> Mapping[str, Event]:
        """What one sees in a group that is no state."""
        seen = await self.bot.messages(self.rooms[name], limit=200)
        return {event.id: event for event in seen if event.state_key is None and event.content}


@asynccontextmanager
async def staged(bot: Person, data: Path, version: str) -> AsyncIterator[Stage]:
    """The parts of the plugin over the adapter that it has in maubot, with a clock that can be set."""
    account = bot.account
    client = Client(
        mxid=UserID(bot.user_id), base_url=account.url, token=account.token, client_session=account.session
    )
    homeserver, settings = MautrixHomeserver(client), Settings(version=RoomVersion(version))
    async with stored(f"{data}/haven{version}.db") as store:
        engine = build(homeserver, settings, store, Told(), SystemClock())
        messages = Messenger(homeserver)
        desk = open_desk(store._database, engine, Replies(messages, await all_phrases()))
        await engine.watch.open()
        wish = Founding(
            f"w{version}", "Fathers", UserId("@ana:haven.test"), Titles("News", "General", "Admins"), "", WISH
        )
        await engine.jobs.found(wish, Report(RoomId("!none"), EventId("$command"), "en"))
        await engine.jobs.idle()
        (space,) = (await engine.communities.intent()).communities
        community = (await engine.communities.change(space, _keeping)).community
        rooms = {group.name: group.room for group in community.groups}
        stage = Stage(open_disappearing(engine, desk, messages), bot, rooms)
        desk.timers.epoch = stage.epoch
        yield stage


def _keeping(community: Community) -> Community:
    for group in community.groups:
        if group.name in {"Kept", "Sealed"}:
            kept = replace(group, retention=DAY, encrypted=group.name == "Sealed")
            community = community.with_group(kept)
    return community


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_what_is_too_old_is_deleted_where_the_homeserver_keeps_it(
    newcomer: Newcomer, own_data: Path, version: str
) -> None:
    async with staged(await newcomer("keeper"), own_data, version) as stage:
        kept, sealed = stage.rooms["Kept"], stage.rooms["Sealed"]
        texts = [await stage.bot.say(kept, f"number {number}") for number in range(5)]
        reaction = await stage.bot.react(kept, texts[0], "👍")
        secret = await stage.bot.send(sealed, SEALED, "m.room.encrypted")
        elsewhere = await stage.bot.say(stage.rooms["General"], "this stays")
        before = await stage.bot.all_state(kept)
        await stage.service.round()
        assert {*texts, reaction} <= (await stage.messages("Kept")).keys()
        stage.ahead = DAY + HOUR
        await stage.service.round()
        assert not {*texts, reaction} & (await stage.messages("Kept")).keys()
        assert secret not in await stage.messages("Sealed")
        assert elsewhere in await stage.messages("General")
        assert {e.id: e.content for e in await stage.bot.all_state(kept)} == {e.id: e.content for e in before}
        late = await stage.bot.say(kept, "one more")
        stage.ahead += DAY + HOUR
        await stage.service.round()
        assert late not in await stage.messages("Kept")
        redactions = [e for e in (await stage.bot.messages(kept, limit=200)) if e.type == "m.room.redaction"]
        assert len(redactions) == 7


async def test_a_homeserver_that_sees_to_it_leaves_nothing_to_do(own_data: Path) -> None:
    policy = {"enabled": True, "allowed_lifetime_min": "1s"}
    async with (
        Synapse(own_data / "synapse", extra={"retention": policy}) as synapse,
        staged(await synapse.register("keeper"), own_data, "12") as stage,
    ):
        room = stage.rooms["Kept"]
        said = await stage.bot.say(room, "soon gone")
        assert said in await stage.messages("Kept")
        await stage.bot.send_state(room, "m.room.retention", {"max_lifetime": 1})
        stage.service.least, stage.ahead = 1, 2 * DAY
        stage.service.communities.rooms.doubt((room,))
        await stage.service.round()
        seen = await stage.bot.messages(room, limit=200)
        assert said not in {event.id for event in seen}
        assert [event for event in seen if event.type == "m.room.redaction"] == []
