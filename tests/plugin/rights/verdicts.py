"""Whether somebody was refused, and whether anything but the answer has come of it."""

from dataclasses import dataclass

from haven.ids import EventId
from tests.plugin.rights.document import OTHERS_GROUP, REFUSALS
from tests.plugin.rights.ground import Trial
from tests.plugin.rights.tries import After, Try


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a try. ``left_alone``: nothing was written, kept or changed but one message, the answer."""

    refused: bool
    left_alone: bool
    said: str

    @property
    def harmless(self) -> bool:
        """Refused, and nothing has come of it."""
        return self.refused and self.left_alone


async def tried(trial: Trial, name: str, one: Try) -> tuple[Verdict, After]:
    """Somebody tries something; gives what came of it."""
    if one.drift:
        await opened_by_hand(trial)
    before, kept = trial.state(), trial.kept()
    trial.stage.forget()
    reply_to = trial.facts.written if one.row == "report" else EventId("")
    said = await trial.say(name, f"!c {trial.fill(one.words, name)}", one.where, reply_to)
    words = (one.refusal,) if one.refusal else ()
    refused = any(each in said for each in (*REFUSALS, OTHERS_GROUP, *words))
    requests = [each for each in trial.stage.server.faults.requests if each.writes]
    one_answer = [(each.port, each.user) for each in requests] == [("send_message", trial.stage.bot)]
    left_alone = one_answer and trial.state() == before and trial.kept() == kept
    community = await trial.stage.community()
    return Verdict(refused, left_alone, said), After(trial, name, said, community)


async def opened_by_hand(trial: Trial) -> None:
    """Somebody has opened the door of Brno."""
    with trial.unheard():
        brno, stage = trial.facts.rooms["Brno"], trial.stage
        await stage.person("bot").send_state(brno, "m.room.join_rules", "", {"join_rule": "public"})
