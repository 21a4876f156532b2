"""`requests`, `approve`, `reject`: what waits for a word of the admins, answered by command instead of by reaction."""

from collections.abc import Iterator

from haven.errors import Invalid, Missing
from haven.ids import RoomId
from haven.model import Community
from haven.permissions import Right, has_right
from haven.wishes import Wish

from ..addresses import user_in
from ..audit import Door
from ..cards import Card, Word
from ..entrance.request import APPROVE as YES
from ..entrance.request import KIND, knocking, listed, request_of
from ..entrance.request import REJECT as NO
from ..entrance.requests import may_answer
from ..rights import require
from ..service.notes import direct_chat
from ..service.wishes import KIND as WISH
from ..service.wishes import listed as wish_listed
from ..wording import Answer, Line, answer, code, head, item, line
from .asked import Asked, Within
from .grammar import SHORT, Argument, Command, Takes

REQUESTS = Command("requests")
APPROVE = Command("approve", (Argument("ID_OR_WHO"),))
REJECT = Command("reject", (Argument("ID_OR_WHO"), Argument("REASON", Takes.TEXT, optional=True)))


async def requests(asked: Asked, community: Community) -> Answer:
    """Who asks to be let in."""
    fresh = await _required(asked, community)
    cards = await asked.services.desk.cards.open(KIND, community.space)
    remote = await _remote(asked, fresh)
    own = [card for card in cards if _may(asked, fresh, card)]
    told = tuple(_listed(asked, fresh, own, cards, remote))
    return Answer(told, _place(asked, fresh)) if own or remote else answer(*told)


async def _remote(asked: Asked, community: Community) -> list[Card]:
    """Who asks on linked networks, as far as the asker may answer for all of the community."""
    if not has_right(community, asked.who, Right.APPROVE):
        return []
    waiting = await asked.services.desk.cards.open(WISH, community.space)
    return [card for card in waiting if card.payload["wish"] == Wish.JOIN]


def _listed(
    asked: Asked, community: Community, own: list[Card], cards: tuple[Card, ...], remote: list[Card]
) -> Iterator[Line]:
    if not own and not remote:
        yield line("request.none")
        return
    yield head("request.list", n=len(own) + len(remote))
    yield from (listed(card, community) for card in own)
    yield from (item(one.key, **one.values) for one in map(wish_listed, remote))
    carded = {card.key for card in cards}
    more = sum(f"{room} {who}" not in carded for room, who in knocking(community, asked.world))
    if more and has_right(community, asked.who, Right.APPROVE):
        yield line("request.more", n=more)
    yield line("request.answers", approve=code(f"{SHORT} approve ID"), reject=code(f"{SHORT} reject ID"))


def _place(asked: Asked, community: Community) -> RoomId | None:
    """Where the names of those who ask may be read: by the staff in their room, by a group admin in their chat with us."""
    if has_right(community, asked.who, Right.APPROVE):
        return asked.sight(community).desk
    place = direct_chat(asked.world, asked.services.homeserver.user, asked.who)
    if place is None:
        raise Invalid("request_in_chat")
    return place


async def approve(asked: Asked, community: Community) -> Answer:
    """Say yes to what waits."""
    return await _decided(asked, community, YES, "")


async def reject(asked: Asked, community: Community) -> Answer:
    """Say no to what waits."""
    return await _decided(asked, community, NO, asked.request.argument("REASON").strip())


async def _decided(asked: Asked, community: Community, choice: str, reason: str) -> Answer:
    card = await _meant(asked, await _required(asked, community))
    word = Word(choice, asked.who, Door.COMMAND, asked.message.event, reason)
    return Answer(tuple(await asked.services.desk.cards.decide(card, word)))


async def _required(asked: Asked, community: Community) -> Community:
    """The community as it is now. Raises `NotAllowed` for who may answer nothing in it."""
    fresh = await asked.services.communities.fresh(community.space)
    if not may_answer(fresh, asked.who):
        require(asked.world, fresh, asked.who, Right.APPROVE)
    require(asked.world, fresh, asked.who, Right.SEE)
    return fresh


def _may(asked: Asked, community: Community, card: Card) -> bool:
    """Whether the asker may answer a card, as far as that can be told here: its dealer judges."""
    if card.kind != KIND:
        return True
    return has_right(community, asked.who, Right.APPROVE, community.group(request_of(card).room))


async def _meant(asked: Asked, community: Community) -> Card:
    """The one card that is meant, by its id or by whom it is about."""
    word = asked.request.argument("ID_OR_WHO")
    found = await _found(asked, community, word)
    who = user_in(word)
    if not found and who is not None:
        await asked.services.entrance.requests.carded(community, asked.world, who)
        found = await _found(asked, community, word)
    if not found:
        raise Missing("request_unknown", text=word[:100])
    if len(found) > 1:
        raise Invalid("request_ambiguous", text=word[:100], ids=", ".join(card.id for card in found))
    return found[0]


async def _found(asked: Asked, community: Community, word: str) -> list[Card]:
    cards = asked.services.desk.cards
    waiting = [card for card in await cards.open("", community.space) if _answerable(asked, card)]
    by_id = [card for card in waiting if card.id == word.strip().casefold()]
    mentioned = [user for user in asked.message.mentions if user != asked.services.homeserver.user]
    who = user_in(word) or (mentioned[0] if len(mentioned) == 1 else None)
    about = [card for card in waiting if who is not None and card.payload.get("who") == who]
    return by_id or [card for card in about if _may(asked, community, card)]


def _answerable(asked: Asked, card: Card) -> bool:
    dealer = asked.services.desk.cards.dealers.get(card.kind)
    return dealer is not None and {YES, NO} <= set(dealer.choices.values())


ENTRIES = (
    Within(REQUESTS, Right.APPROVE, requests, changes=True),
    Within(APPROVE, Right.APPROVE, approve, changes=True),
    Within(REJECT, Right.APPROVE, reject, changes=True),
)
