"""`rules`, `welcome`: what a community has agreed on, and how it welcomes people, in every language it speaks."""

from haven.model import Community
from haven.permissions import Right

from ..i18n import LANGUAGES
from ..rights import require
from ..service.texts import Text, text_in, write_text
from ..wording import Answer, Term, answer, code, head, line
from .asked import Asked, Within
from .grammar import Argument, Command, Option, Takes

_TEXT = (Argument("TEXT", Takes.TEXT, optional=True),)
_LANGUAGE = (Option("language", choices=LANGUAGES),)
COMMANDS = {
    Text.RULES: Command("rules", _TEXT, _LANGUAGE),
    Text.WELCOME: Command("welcome", _TEXT, _LANGUAGE),
}


async def _text(asked: Asked, community: Community, kind: Text) -> Answer:
    """Show a text, or write it down."""
    fresh = await asked.services.communities.fresh(community.space)
    writes = "TEXT" in asked.request.arguments
    require(asked.world, fresh, asked.who, Right.CHANGE_SETTINGS if writes else Right.SEE)
    language = asked.request.option("language") or fresh.settings.language
    name = kind.rpartition(".")[2]
    if writes:
        return await _written(asked, fresh, kind, language)
    text = text_in(asked.world, fresh.space, kind, language)
    if not text:
        return answer(line(f"text.no_{name}", usage=code(COMMANDS[kind].usage)))
    return answer(head(f"text.{name}", name=fresh.name), line("text.words", text=text))


async def _written(asked: Asked, community: Community, kind: Text, language: str) -> Answer:
    name, text = kind.rpartition(".")[2], asked.request.argument("TEXT")
    await write_text(asked.services.communities, community.space, kind, language, text)
    await asked.note(f"{name}_written", community, spoken=language)
    spoken = Term(f"text.in_{language}")
    return answer(line(f"text.{'written' if text.strip() else 'taken_away'}", spoken=spoken))


async def rules(asked: Asked, community: Community) -> Answer:
    """The rules of the community."""
    return await _text(asked, community, Text.RULES)


async def welcome(asked: Asked, community: Community) -> Answer:
    """What newcomers are told."""
    return await _text(asked, community, Text.WELCOME)


ENTRIES = (
    Within(COMMANDS[Text.RULES], Right.SEE, rules, changes=True),
    Within(COMMANDS[Text.WELCOME], Right.SEE, welcome, changes=True),
)
