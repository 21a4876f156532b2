"""`remove`, `ban`, `unban`: people who shall not be here, or may be here again."""

from haven.errors import Invalid
from haven.ids import UserId
from haven.model import Community
from haven.texts import checked_description

from ..addresses import pills_in, user_in
from ..audit import Door
from ..durations import DAY
from ..safety.expulsion_cards import EXPULSION, MANY, MOST, told
from ..safety.expulsions import RIGHTS, Verb, Wish
from ..wording import Answer, answer, line
from .asked import Asked, Within
from .grammar import Argument, Command, Takes
from .words import cut

_WHOM = (Argument("WHO"), Argument("REASON", Takes.TEXT, optional=True))
COMMANDS = {verb: Command(verb.value, _WHOM) for verb in (Verb.REMOVE, Verb.BAN)}
COMMANDS[Verb.UNBAN] = Command("unban", (Argument("WHO"), Argument("MORE", Takes.TEXT, optional=True)))


def whom(asked: Asked) -> UserId:
    """The person who is meant; where a client writes a mere name, the one person the message mentions."""
    word = asked.request.argument("WHO")
    mentioned = [user for user in asked.message.mentions if user != asked.services.homeserver.user]
    who = user_in(word) or (mentioned[0] if len(mentioned) == 1 else None)
    if who is None:
        raise Invalid("who_unknown", who=word[:100])
    return who


def _all_of_them(asked: Asked, rest: str) -> tuple[tuple[UserId, ...], str]:
    """Everybody who is named before the first word that means nobody, and what follows."""
    people, end = [whom(asked)], 0
    for word in cut(rest, pills_in(rest, asked.message.html)):
        who = user_in(word.text)
        if who is None:
            break
        people.append(who)
        end = word.end
    return tuple(dict.fromkeys(people)), rest[end:].strip()


async def _act(asked: Asked, community: Community, verb: Verb) -> Answer:
    """Do it everywhere; where that are many people, put it before the admins first."""
    text = asked.request.argument("MORE" if verb is Verb.UNBAN else "REASON")
    people, reason = _all_of_them(asked, text)
    if len(people) > MOST:
        raise Invalid("people_too_many", n=len(people), limit=MOST)
    message, why = asked.message, checked_description(reason)[:300]
    wish = Wish(verb, people, asked.who, Door.COMMAND, message.event, why, message.again)
    safety = asked.services.safety
    if len(people) > MANY:
        safety.expulsions.check(await asked.services.communities.fresh(community.space), wish)
        return await _put_before(asked, community, wish)
    outcome = await safety.expulsions.carry_out(community.space, wish, asked.progress.told)
    return answer(*told(wish, outcome))


async def _put_before(asked: Asked, community: Community, wish: Wish) -> Answer:
    payload = {"verb": wish.verb.value, "people": " ".join(wish.people), "by": wish.by, "reason": wish.reason}
    cards, timers = asked.services.desk.cards, asked.services.desk.timers
    await cards.deal(EXPULSION, community.space, wish.deed, payload, timers.epoch() + DAY)
    return answer(line("people.put_before", n=len(wish.people)))


async def remove(asked: Asked, community: Community) -> Answer:
    """Put people out of the whole community; they may come again as anybody may."""
    return await _act(asked, community, Verb.REMOVE)


async def ban(asked: Asked, community: Community) -> Answer:
    """Ban people from the whole community, also who never joined."""
    return await _act(asked, community, Verb.BAN)


async def unban(asked: Asked, community: Community) -> Answer:
    """Let people in again."""
    return await _act(asked, community, Verb.UNBAN)


ENTRIES = tuple(
    Within(COMMANDS[verb], RIGHTS[verb], run, changes=True)
    for verb, run in ((Verb.REMOVE, remove), (Verb.BAN, ban), (Verb.UNBAN, unban))
)
