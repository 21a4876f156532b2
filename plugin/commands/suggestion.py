"""`suggest`, `suggestions`, `withdraw`: groups that members would like. `approve` and `reject` are those of all that waits."""

from haven.errors import Invalid
from haven.model import Community
from haven.permissions import Right, has_right
from haven.wishes import Wish

from ..addresses import alias_in, room_in
from ..audit import Door
from ..cards import Card, Word
from ..service.adoptions import KIND as ADOPTION
from ..service.adoptions import SUGGESTED
from ..service.suggestions import APPROVE, Suggestions, listed
from ..service.wishes import KIND as WISH
from ..service.wishes import listed as wish_listed
from ..wording import Answer, Line, answer, code, head, item, line, strong
from .adopt import ADOPT, adoptions_of
from .asked import Asked, Within
from .grammar import SHORT, Argument, Command, Option, Takes
from .group import ADD

SUGGEST = Command("suggest", (Argument("NAME_OR_ROOM", Takes.WORDS),), (Option("topic", "TEXT"),))
SUGGESTIONS = Command("suggestions")
WITHDRAW = Command("withdraw", (Argument("ID"),))


def suggestions_of(asked: Asked) -> Suggestions:
    """The suggestions of all communities."""
    services = asked.services
    return Suggestions(services.communities, services.jobs, services.desk.cards, services.desk.audit)


async def suggest(asked: Asked, community: Community) -> Answer:
    """Put a group before the admins."""
    name = asked.request.argument("NAME_OR_ROOM")
    if room_in(name) is not None or alias_in(name):
        return _done(await _suggested_room(asked, community, name))
    if has_right(community, asked.who, Right.ADD_GROUP):
        raise Invalid("suggest_add_it", usage=ADD.usage)
    suggestions = suggestions_of(asked)
    return _done(await suggestions.suggest(community, asked.message, name, asked.request.option("topic")))


def _done(card: Card) -> Answer:
    take_back = code(f"{SHORT} withdraw {card.id}")
    return answer(line("suggestion.done", name=strong(card.payload["name"]), withdraw=take_back))


async def _suggested_room(asked: Asked, community: Community, word: str) -> Card:
    """Put a room that exists before the admins, with what adopting it would change."""
    if has_right(community, asked.who, Right.ADOPT):
        raise Invalid("suggest_adopt_it", usage=ADOPT.usage)
    await suggestions_of(asked).check_few(community, asked.message)
    return await adoptions_of(asked).suggest(community, word, asked.message)


async def _rooms(asked: Asked, community: Community) -> list[Card]:
    """The rooms that members have suggested to adopt."""
    waiting = await asked.services.desk.cards.open(ADOPTION, community.space)
    return [card for card in waiting if SUGGESTED in card.payload]


async def _remote(asked: Asked, community: Community) -> list[Card]:
    """The groups that are suggested on linked networks."""
    waiting = await asked.services.desk.cards.open(WISH, community.space)
    return [card for card in waiting if card.payload["wish"] == Wish.SUGGESTION]


async def list_(asked: Asked, community: Community) -> Answer:
    """What waits: all of it for who may decide, else one's own."""
    waiting = [*await suggestions_of(asked).waiting(community), *await _rooms(asked, community)]
    decides = has_right(community, asked.who, Right.DECIDE_SUGGESTIONS)
    told = [card for card in waiting if decides or card.payload["who"] == asked.who]
    remote = await _remote(asked, community) if decides else []
    if not told and not remote:
        return answer(line("suggestion.none", usage=code(SUGGEST.usage)))
    lines = [
        head("suggestion.head", n=len(told) + len(remote)),
        *(item(one.key, **one.values) for one in (*map(listed, told), *map(wish_listed, remote))),
    ]
    if not decides:
        return Answer(tuple(lines))
    how = line("suggestion.answers", approve=code(f"{SHORT} approve ID"), reject=code(f"{SHORT} reject ID"))
    return Answer((*lines, how), asked.sight(community).desk)


async def withdraw(asked: Asked, community: Community) -> Answer:
    """Take back one's own suggestion."""
    wanted = asked.request.argument("ID").strip().casefold()
    for room in await _rooms(asked, community):
        if room.id == wanted and room.payload["who"] == asked.who:
            await adoptions_of(asked).withdraw(room)
            return answer(line("suggestion.taken_back", name=strong(room.payload["name"])))
    card = await suggestions_of(asked).withdraw(community, asked.request.argument("ID"), asked.who)
    return answer(line("suggestion.taken_back", name=strong(card.payload["name"])))


async def approve_all(asked: Asked, community: Community) -> tuple[Line, ...]:
    """Everybody may add groups from now on: what waits is approved, as far as there may be more."""
    word = Word(APPROVE, asked.who, Door.COMMAND, asked.message.event)
    approved, left = await suggestions_of(asked).approve_all(community, word)
    told = (line("suggestion.all_approved", n=approved),) if approved else ()
    more = (line("suggestion.wait_on", n=left),) if left else ()
    return (*told, *more, line("suggestion.rooms_wait"))


ENTRIES = (
    Within(SUGGEST, Right.SUGGEST, suggest),
    Within(SUGGESTIONS, Right.SUGGEST, list_),
    Within(WITHDRAW, Right.SUGGEST, withdraw),
)
