"""`report`, `reports`: what members want the admins to look at."""

from haven.errors import Invalid
from haven.model import Community, Kind
from haven.permissions import Right

from ..cards import Card
from ..safety.reports import REPORT as KIND
from ..safety.reports import reporters
from ..wording import Answer, Line, answer, head, item, line
from .asked import Asked, Within
from .grammar import Argument, Command, Takes

REPORT = Command("report", (Argument("REASON", Takes.TEXT, optional=True),))
REPORTS = Command("reports")


async def report(asked: Asked, community: Community) -> None:
    """Report the message that this one answers. The command is taken out, and thanked for where only the reporter reads it."""
    message, safety = asked.message, asked.services.safety
    group = community.group(message.room)
    if not message.reply_to or group is None or group.kind is Kind.ADMINS:
        raise Invalid("report_what")
    await safety.reports.take(
        message.room, message.reply_to, asked.who, message.event, asked.request.argument("REASON")
    )
    thanks, transaction = (line("report.thanks"),), f"thanks.{message.event}"
    if not await safety.notes.whisper(asked.who, asked.language, thanks, transaction):
        await asked.replies.tell(message.room, asked.language, thanks, transaction)


async def reports(asked: Asked, community: Community) -> Answer:
    """What was reported and waits for a decision, told in the admins' room."""
    cards = await asked.services.desk.cards.open(KIND, community.space)
    unheard = () if asked.services.safety.server_reports.able else (line("report.clients_unheard"),)
    if not cards:
        return answer(line("report.none"), *unheard)
    listed = (_listed(asked, community, card) for card in cards)
    admins = community.only(Kind.ADMINS)
    return Answer((head("report.open", n=len(cards)), *listed, *unheard), admins.room if admins else None)


def _listed(asked: Asked, community: Community, card: Card) -> Line:
    values = asked.services.safety.report_cards.values(community, card)
    return item("report.one", **values, n=len(reporters(card)))


ENTRIES = (Within(REPORT, Right.REPORT, report), Within(REPORTS, Right.HANDLE_REPORTS, reports))
