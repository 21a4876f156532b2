"""`my data`: what is kept of the asker, shown or erased; told to nobody but them."""

from collections.abc import Iterator
from dataclasses import replace

from haven.errors import Invalid
from haven.ids import RoomId
from haven.snapshot import Membership

from ..personal.export import ABOUT_THEM, Kept
from ..personal.facts import Facts
from ..personal.inventory import CARDS, Theirs
from ..service.notes import direct_chat, is_private
from ..wording import Answer, Line, Term, answer, code, head, item, line
from .asked import Anywhere, Asked, own_communities
from .grammar import SHORT, Argument, Command

EXPORT, ERASE = "export", "erase"
FOR_GOOD = "for-good"
"""What is typed to erase: it cannot be undone."""

MY_DATA = Command(
    "my data",
    (
        Argument("EXPORT_OR_ERASE", choices=(EXPORT, ERASE)),
        Argument("CONFIRMATION", optional=True, choices=(FOR_GOOD,)),
    ),
)
COUNTED = ("deed", "card", "timer", "invite", "redemption", "job", "heard", "begun_room")
"""The tables that the preview speaks of; the others say no more than the rooms do."""


async def my_data(asked: Asked) -> Answer:
    """Show it or erase it, in the direct chat."""
    here, chat = asked.message.room, _chat(asked)
    asked = replace(asked, language=await _language(asked))
    told = replace(await _told(asked, chat), language=asked.language)
    if chat == here:
        return told
    await asked.replies.elsewhere(chat, asked.message, asked.language, told)
    return answer(line("my_data.elsewhere"))


async def _language(asked: Asked) -> str:
    """The language of their communities, where they all speak the same."""
    spoken = {community.settings.language for community in await own_communities(asked.services, asked.who)}
    return spoken.pop() if len(spoken) == 1 else asked.language


async def _told(asked: Asked, chat: RoomId) -> Answer:
    if asked.request.argument("EXPORT_OR_ERASE") == EXPORT:
        return await _exported(asked, chat)
    if asked.request.argument("CONFIRMATION") == FOR_GOOD:
        return await _erased(asked)
    return await _preview(asked)


def _chat(asked: Asked) -> RoomId:
    """Where nobody reads it but the asker. Raises `Invalid` where there is no such room."""
    here, world, bot = asked.message.room, asked.world, asked.services.homeserver.user
    room = world.get(here)
    chat = here if room and is_private(room, bot, asked.who) else direct_chat(world, bot, asked.who)
    if chat is None:
        raise Invalid("my_data_in_chat")
    return chat


async def _kept(asked: Asked) -> Kept:
    return await asked.services.personal.export.kept(asked.who, asked.replies.wording(asked.language))


async def _exported(asked: Asked, chat: RoomId) -> Answer:
    kept, wording = await _kept(asked), asked.replies.wording(asked.language)
    file = asked.services.personal.export.file(kept, wording)
    hand_over, transaction = asked.services.messages.hand_over, f"data.{asked.message.event}"
    await asked.replies.patiently(lambda: hand_over(chat, file, transaction))
    communities = Term("my_data.communities", {"n": len(kept.facts)})
    return answer(line("my_data.exported", n=kept.count, communities=communities), line("my_data.bridge"))


async def _erased(asked: Asked) -> Answer:
    await asked.services.personal.erasure.carry_out(asked.who, asked.message.event)
    return answer(line("my_data.erased"), line("my_data.stays_rooms"), line("my_data.bridge"))


async def _preview(asked: Asked) -> Answer:
    facts = await asked.services.personal.erasure.facts(asked.who)
    kept = await _kept(asked)
    usage = code(f"{SHORT} {MY_DATA.name} {ERASE} {FOR_GOOD}")
    return answer(*_goes(kept), *_stays(facts, kept), line("my_data.confirm", usage=usage))


def _goes(kept: Kept) -> Iterator[Line]:
    counts = {name: len(kept.rows[name]) for name in COUNTED if kept.rows[name]}
    if not counts:
        yield line("my_data.nothing")
        return
    yield head("my_data.goes")
    for name, n in counts.items():
        yield item(f"my_data.goes_{name}", n=n)


def _stays(facts: tuple[Facts, ...], kept: Kept) -> Iterator[Line]:
    yield head("my_data.stays")
    for one in facts:
        for key in _standing(one):
            yield item(f"my_data.stays_{key}", name=one.community.name)
    kinds = {card["kind"] for card in kept.rows["card"] if not card.get("decided")}
    if ABOUT_THEM in kinds:
        yield item("my_data.stays_report")
    if any(CARDS.get(str(kind)) is Theirs.STAYS for kind in kinds):
        yield item("my_data.stays_waiting")
    yield item("my_data.stays_rooms")
    yield item("my_data.bridge")


def _standing(facts: Facts) -> Iterator[str]:
    """What stays of somebody in one community, by the words for it."""
    if facts.present:
        yield "role" if facts.has_role else "member"
    if facts.muted:
        yield "mute"
    if facts.banned:
        yield "ban"
    elif facts.held is Membership.REMOVED:
        yield "removed"
    if facts.links:
        yield "link"
    if facts.closed:
        yield "lockdown"


ENTRIES = (Anywhere(MY_DATA, my_data),)
