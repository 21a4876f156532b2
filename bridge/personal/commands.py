"""``haven-bridge export PERSON`` and ``haven-bridge erase PERSON``: what the bridge's database keeps of somebody."""

import json
from collections.abc import Awaitable, Callable

from haven.errors import Invalid
from haven.ids import UserId, is_user_id

from ..i18n import Voice
from ..store import Store
from .records import Records

Print = Callable[[str], None]
Ask = Callable[[str], Awaitable[str]]


def person_of(given: str) -> UserId:
    """Who is meant: the id of a Matrix user, or of the ghost of somebody elsewhere. Raises `Invalid`."""
    if not is_user_id(given):
        raise Invalid("person_unfit")
    return UserId(given)


async def export(database: str, person: UserId, show: Print) -> None:
    """Print everything as JSON: tables, and in each the rows. ``{}`` where nothing is kept."""
    async with Store(database) as store:
        records = Records(store)
        found = await records.of(await records.subject(person))
    show(json.dumps(found, indent=2, ensure_ascii=False))


async def erase(database: str, person: UserId, voice: Voice, show: Print, ask: Ask | None) -> bool:
    """Delete everything, after ``ask`` was answered with the id once more; whether nothing is left. Twice is as good as once."""
    async with Store(database) as store:
        records = Records(store)
        subject = await records.subject(person)
        number = sum(map(len, (await records.of(subject)).values()))
        if not number:
            show(voice.say("command.erased_nothing"))
            return True
        if (
            ask is not None
            and (await ask(voice.say("command.erase_sure", n=number, person=person))).strip() != person
        ):
            show(voice.say("command.erase_not"))
            return False
        show(voice.say("command.erased", n=await records.erase(subject)))
        if await records.of(subject):
            show(voice.say("command.erased_not_all"))
            return False
        show(voice.say("command.erased_stays"))
        return True
