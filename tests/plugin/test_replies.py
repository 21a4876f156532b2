"""How jobs go and what admins must hear, as people read it in their rooms."""

from dataclasses import replace

import pytest

from haven.errors import Guarded, Invalid, RateLimited, Refused
from haven.founding import Founding, Titles, WishedGroup, founded
from haven.ids import EventId, RoomId, RoomVersion
from haven.ports import NewRoom
from haven.reconcile import Outcome
from plugin.concerns import Concern
from plugin.homeserver_messages import Messenger
from plugin.replies import Replies
from plugin.service.work import FoundingJob, GroupJob, Job, Report
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.homeserver_room import Event
from tests.plugin.catalogues import all_phrases
from tests.plugin.life import FastClock

TITLES = Titles("Anuncios", "General", "Admins")


class Scene:
    """A room in which the bot speaks."""

    def __init__(self, server: FakeHomeserver, replies: Replies, room: RoomId) -> None:
        self.server, self.replies, self.room = server, replies, room

    def job(self, *, group: bool = False, message: str = "") -> Job:
        owner = self.server.person("owner").user
        founding = Founding("w1", "Padres", owner, TITLES)
        added = GroupJob(RoomId("!space"), "slot", WishedGroup("Praga"), owner)
        report = Report(self.room, EventId("$command"), "es")
        return Job("$command", added if group else FoundingJob(founding), report, EventId(message))

    def said(self) -> list[Event]:
        return [e for e in self.server.rooms[self.room].timeline if e.type == "m.room.message"]

    def last(self) -> str:
        content = self.said()[-1].content
        new = content.get("m.new_content")
        return str(new["body"] if isinstance(new, dict) else content["body"])


@pytest.fixture
async def scene(server: FakeHomeserver) -> Scene:
    bot = server.person("bot")
    room = await bot.create_room(NewRoom("Chat", RoomVersion("12")))
    return Scene(server, Replies(Messenger(bot), await all_phrases(), FastClock().wait), room)


async def test_a_job_is_one_message_from_beginning_to_end(scene: Scene) -> None:
    job = scene.job()
    begun = await scene.replies.job_started(job)
    assert await scene.replies.job_started(job) == begun
    job = replace(job, message=begun)
    await scene.replies.job_progress(job, 3, 7)
    assert "3 de 7 pasos" in scene.last()
    assert isinstance(job.work, FoundingJob)
    await scene.replies.job_finished(job, Outcome(founded(job.work.founding)))
    assert "Padres" in scene.last()
    assert "!c group add NAME" in scene.last()
    first, *edits = scene.said()
    assert first.content["m.relates_to"] == {"m.in_reply_to": {"event_id": "$command"}}
    for edit in edits:
        assert edit.content["m.relates_to"] == {"rel_type": "m.replace", "event_id": begun}


async def test_a_job_told_twice_is_told_once(scene: Scene) -> None:
    job = scene.job(message=await scene.replies.job_started(scene.job()))
    outcome = Outcome(founded(Founding("w1", "Padres", scene.server.person("owner").user, TITLES)))
    for _ in range(2):
        await scene.replies.job_finished(job, outcome)
    assert len(scene.said()) == 2


async def test_a_group_is_told_by_its_link(scene: Scene) -> None:
    wish = Founding("w1", "Padres", scene.server.person("owner").user, TITLES, groups=(WishedGroup("Praga"),))
    await scene.replies.job_finished(scene.job(group=True), Outcome(founded(wish)))
    assert "El grupo Praga (https://matrix.to/#/" in scene.last()


async def test_without_a_message_the_end_is_a_reply(scene: Scene) -> None:
    await scene.replies.job_failed(scene.job(), Invalid("groups_at_once", n=11, limit=10), "")
    assert scene.last().splitlines() == [
        "No se pudo crear «Padres».",
        "Son 11 grupos; una comunidad nueva empieza con 10 como máximo. Los demás los puedes añadir después.",
    ]
    assert scene.said()[-1].content["m.relates_to"] == {"m.in_reply_to": {"event_id": "$command"}}


async def test_a_bug_is_told_by_its_reference(scene: Scene) -> None:
    await scene.replies.job_failed(scene.job(group=True), None, "abcd1234")
    assert "abcd1234" in scene.last()
    assert "Praga" in scene.last()


async def test_what_is_left_over_at_the_end_is_told(scene: Scene) -> None:
    community = founded(Founding("w1", "Padres", scene.server.person("owner").user, TITLES))
    refused = Guarded("guard_removals", n=11, limit=10)
    await scene.replies.job_finished(scene.job(), Outcome(community, refused=refused, left=2))
    assert "expulsaría a 11 personas" in scene.last()
    assert "!c repair --insist" in scene.last()
    assert "Alguien deshace 2 cambios" in scene.last()


async def test_jobs_leave_the_waiting_to_the_engine(scene: Scene) -> None:
    scene.server.faults.fail_next(1, RateLimited(1.0), port="send_message")
    with pytest.raises(RateLimited):
        await scene.replies.job_started(scene.job())


CONCERNS = (
    Concern("concern.obstacle", {"room": "Praga", "type": "m.room.name", "need": 100, "have": 50}),
    Concern("concern.failed", {"room": "Praga", "type": "m.room.name"}),
    Concern("concern.fight", {"room": "Praga", "type": "m.room.name"}),
    Concern("concern.guard_removals", {"n": 11, "limit": 10}),
    Concern("concern.guard_foreign_room", {"room": "Praga"}),
    Concern("concern.guard_lockout", {"room": "Praga"}),
    *(
        Concern(f"concern.{key}", {"room": "Praga", "type": "chat.haven.group"})
        for key in (
            "foreign",
            "unknown_community",
            "second_of_its_kind",
            "state_damaged",
            "state_newer",
            "notice",
        )
    ),
)


@pytest.mark.parametrize("language", ["en", "es", "cs"])
async def test_admins_hear_all_concerns_in_one_message(scene: Scene, language: str) -> None:
    for _ in range(2):
        await scene.replies.warn(scene.room, language, CONCERNS, "warning")
    assert len(scene.said()) == 1
    assert scene.last().count("•") == len(CONCERNS)
    assert scene.said()[0].content["m.mentions"] == {}


async def test_very_many_concerns_go_on_in_a_thread(scene: Scene) -> None:
    await scene.replies.warn(scene.room, "en", CONCERNS * 5, "warning")
    first, second = scene.said()
    relation = second.content["m.relates_to"]
    assert isinstance(relation, dict)
    assert relation["event_id"] == first.id


async def test_a_refusal_of_the_room_is_not_tried_again(scene: Scene) -> None:
    scene.server.faults.fail_next(1, Refused("homeserver_refused", code="M_FORBIDDEN"), port="send_message")
    with pytest.raises(Refused):
        await scene.replies.tell(scene.room, "en", (), "transaction")
    assert scene.server.faults.count("send_message") == 1
