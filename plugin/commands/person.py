"""`remove`, `ban`, `unban`: people who shall not be here, or may be here again."""

from haven.errors import Invalid
from haven.ids import UserId
from haven.model import Community
from haven.texts import checked_description

from ..addresses import pills_in, user_in
from ..audit import Door
from ..durations import DAY
from ..entrance.invite import Invite, State
from ..rights import require
from ..safety.expulsion_cards import EXPULSION, MANY, MOST, named, told
from ..safety.expulsions import RIGHTS, Verb, Wish, is_open
from ..wording import Answer, Line, answer, code, head, line
from .asked import Asked, Within
from .grammar import SHORT, Argument, Command, Option, Takes
from .parser import NotUnderstood
from .words import cut

_WHOM = (Argument("WHO", optional=True), Argument("REASON", Takes.TEXT, optional=True))
_CAME_BY = Option("came-by", "CODE_OR_NAME")
COMMANDS = {verb: Command(verb.value, _WHOM, (_CAME_BY,)) for verb in (Verb.REMOVE, Verb.BAN)}
COMMANDS[Verb.UNBAN] = Command("unban", (Argument("WHO"), Argument("MORE", Takes.TEXT, optional=True)))


def whom(asked: Asked) -> UserId:
    """The person who is meant; where a client writes a mere name, the one person the message mentions."""
    word = asked.request.argument("WHO")
    if not word:
        raise NotUnderstood("argument_missing", (asked.request.command,), argument="WHO")
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
    if asked.request.option(_CAME_BY.name):
        return await _act_on_wave(asked, community, verb)
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


async def _act_on_wave(asked: Asked, community: Community, verb: Verb) -> Answer:
    """Do it to everybody who came by one invite and is still here, but for those who have a role."""
    services, request = asked.services, asked.request
    fresh = await services.communities.fresh(community.space)
    require(asked.world, fresh, asked.who, RIGHTS[verb])
    if user_in(request.argument("WHO")) is not None:
        raise Invalid("came_by_alone")
    invite, came = await services.entrance.invites.came_by(fresh.space, request.option(_CAME_BY.name))
    expulsions = services.safety.expulsions
    here = tuple(who for who in came if is_open(asked.world, fresh, Verb.REMOVE, who))
    spared = tuple(who for who in here if expulsions.spares(fresh, asked.who, who))
    people = tuple(who for who in here if who not in spared)
    reason = checked_description(f"{request.argument('WHO')} {request.argument('REASON')}")[:300]
    event = asked.message.event
    new = Wish(verb, people, asked.who, Door.COMMAND, event, reason, asked.message.again, invite.name)
    wish = await expulsions.begun(event) or new
    kept = (head("people.spared", n=len(spared)), *named(spared)) if spared else ()
    lines = (*(await _done_to(asked, fresh, wish)), *kept, *_still_open(asked, invite))
    return Answer(lines, asked.sight(fresh).desk)


async def _done_to(asked: Asked, community: Community, wish: Wish) -> tuple[Line, ...]:
    """Act upon those who came by an invite, or put them before the admins where they are many."""
    if not wish.people:
        return (line("people.came_by_nobody", name=wish.invite),)
    if len(wish.people) > MANY:
        return (await _put_before(asked, community, wish)).lines
    expulsions, progress = asked.services.safety.expulsions, asked.progress.told
    outcome = await expulsions.carry_out_whole(community.space, wish, progress)
    return told(wish, outcome)


def _still_open(asked: Asked, invite: Invite) -> tuple[Line, ...]:
    """That an invite still lets people in, if it does."""
    if invite.state(asked.services.desk.timers.epoch()) is not State.VALID:
        return ()
    return (line("people.still_open", name=invite.name, usage=code(f"{SHORT} invite revoke {invite.id}")),)


async def _put_before(asked: Asked, community: Community, wish: Wish) -> Answer:
    about = {"verb": wish.verb.value, "people": " ".join(wish.people), "by": wish.by, "reason": wish.reason}
    payload = {**about, "invite": wish.invite}
    cards, timers = asked.services.desk.cards, asked.services.desk.timers
    await cards.deal(EXPULSION, community.space, wish.deed, payload, timers.epoch() + DAY)
    return answer(line("people.put_before", n=len(wish.people)))


async def remove(asked: Asked, community: Community) -> Answer:
    """Put people out of the whole community; to come back they have to be let in."""
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
