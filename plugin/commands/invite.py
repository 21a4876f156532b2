"""`invite create`, `invite list`, `invite revoke`, `invite reset`: codes that let people in."""

from haven.errors import Invalid
from haven.ids import UserId
from haven.model import Community
from haven.permissions import Right
from haven.succession import members

from ..addresses import user_link
from ..durations import DAY, duration
from ..entrance.invite import Invite, State
from ..service.groups import shown_space
from ..wording import Answer, Line, Term, answer, code, head, item, line, link
from .asked import Asked, Within
from .bridge import moment
from .grammar import SHORT, Argument, Command, Option

CREATE = Command(
    "invite create",
    options=(
        Option("name", "NAME"),
        Option("uses", "NUMBER"),
        Option("expires", "TIME"),
        Option("approval"),
    ),
)
LIST = Command("invite list")
REVOKE = Command("invite revoke", (Argument("CODE"),))
RESET = Command("invite reset")

MOST_USES = 100_000
SHOWN_FOR = 30 * DAY
"""Milliseconds for which an invite that opens nothing any more is still listed."""


async def create(asked: Asked, community: Community) -> Answer:
    """Make an invite and tell its code, where only the staff reads it."""
    invites, request = asked.services.entrance.invites, asked.request
    now, span = invites.epoch(), request.option("expires")
    wanted = Invite(
        id="",
        space=community.space,
        name=request.option("name"),
        by=asked.who,
        made=now,
        limit=_uses(request.option("uses")),
        expires=now + duration(span) if span else 0,
        approval=request.switched("approval"),
    )
    invite, secret = await invites.make(wanted, asked.message.event)
    await asked.note("invite_made", community, name=invite.name)
    bot = asked.services.homeserver.user
    told = (
        head("invite.made", name=invite.name),
        line("invite.code", code=code(secret)),
        line(
            "invite.how",
            join=code(f"{SHORT} join CODE"),
            bot=link(bot, user_link(bot)),
            space=shown_space(asked.world, community),
        ),
        _terms(invite),
        line("invite.kept"),
    )
    return Answer(told, asked.sight(community).desk)


def _uses(text: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= MOST_USES:
        raise Invalid("invite_uses", most=MOST_USES)
    return int(text)


def _terms(invite: Invite) -> Line:
    return line("invite.terms", limit=_limit(invite), until=_until(invite), approval=_approval(invite))


def _limit(invite: Invite) -> Term:
    return Term("invite.at_most", {"n": invite.limit}) if invite.limit else Term("invite.any_number")


def _until(invite: Invite) -> Term:
    return Term("invite.until", {"at": moment(invite.expires)}) if invite.expires else Term("invite.for_ever")


def _approval(invite: Invite) -> Term:
    return Term("invite.with_approval" if invite.approval else "invite.without_approval")


async def list_(asked: Asked, community: Community) -> Answer:
    """The invites with what became of them; never a code."""
    store, now = asked.services.entrance.invites.store, asked.services.entrance.invites.epoch()
    known = await store.of_space(community.space)
    told = [
        one for one in known if max(one.made, one.expires, one.revoked) > now - SHOWN_FOR or _opens(one, now)
    ]
    if not told:
        return answer(line("invite.none", usage=code(CREATE.usage)))
    joined = members(asked.world, community)
    lines = [_listed(one, now, joined & set(await store.came_by(one.id))) for one in told]
    return Answer((head("invite.head", n=len(lines)), *lines), asked.sight(community).desk)


def _opens(invite: Invite, now: int) -> bool:
    return invite.state(now) is State.VALID


def _listed(invite: Invite, now: int, here: frozenset[UserId]) -> Line:
    return item(
        "invite.one",
        name=invite.name,
        id=code(invite.id),
        state=Term(f"invite_state.{invite.state(now)}"),
        used=Term("invite.used", {"n": invite.used}),
        here=Term("invite.here", {"n": len(here)}),
        limit=_limit(invite),
        until=_until(invite),
        approval=_approval(invite),
    )


async def revoke(asked: Asked, community: Community) -> Answer:
    """Have an invite open nothing from now on."""
    invites = asked.services.entrance.invites
    invite = await invites.named(community.space, asked.request.argument("CODE"))
    await invites.store.revoke(invite.id, invites.epoch())
    await asked.note("invite_revoked", community, name=invite.name)
    return answer(line("invite.revoked", name=invite.name))


async def reset(asked: Asked, community: Community) -> Answer:
    """Have all invites open nothing from now on."""
    invites, now = asked.services.entrance.invites, asked.services.entrance.invites.epoch()
    valid = [one for one in await invites.store.of_space(community.space) if _opens(one, now)]
    for one in valid:
        await invites.store.revoke(one.id, now)
    await asked.note("invites_reset", community)
    return answer(line("invite.reset", n=len(valid)))


ENTRIES = (
    Within(CREATE, Right.INVITE, create),
    Within(LIST, Right.INVITE, list_),
    Within(REVOKE, Right.INVITE, revoke),
    Within(RESET, Right.INVITE, reset),
)
