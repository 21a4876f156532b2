"""Polls, as Matrix spells them: in the words of MSC3381, and in those that clients use until it is in the specification.

We write the latter, since no client shows the former yet, but answer each poll in its own. Source: MSC3381 (polls), MSC1767 (texts).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from haven.ids import EventId

from ..message import Poll
from .characters import clean
from .shapes import Raw, amount, listed, mapping, text

UNSTABLE = "org.matrix.msc3381.poll"
START = frozenset({"m.poll.start", f"{UNSTABLE}.start"})
RESPONSE = frozenset({"m.poll.response", f"{UNSTABLE}.response"})
END = frozenset({"m.poll.end", f"{UNSTABLE}.end"})
MOST = 20
"""Answers that a poll may have (MSC3381)."""
LONGEST = 1000
"""Characters of a question or an answer."""
_TEXT = "org.matrix.msc1767.text"


@dataclass(frozen=True, slots=True)
class Ballot:
    """A poll as it stands in a room. ``ids`` are what its answers are called there, in the order of ``poll.options``; ``stable``:
    it is spelled as in MSC3381.
    """

    poll: Poll
    ids: tuple[str, ...]
    stable: bool

    def choices(self, answers: Iterable[str]) -> tuple[int, ...]:
        """The places of ``answers``: known ones only, no more than may be chosen."""
        known = [self.ids.index(answer) for answer in dict.fromkeys(answers) if answer in self.ids]
        return tuple(known[: self.poll.most])

    def answers(self, choices: Iterable[int]) -> list[str]:
        """What the options at these places are called."""
        return [self.ids[choice] for choice in choices if 0 <= choice < len(self.ids)][: self.poll.most]


def ballot_of(content: Raw) -> Ballot | None:
    """The poll in the content of its event; ``None`` where nobody could vote on it."""
    poll = mapping(content, "m.poll", "m.poll.start", f"{UNSTABLE}.start")
    found = [answer for answer in listed(poll, "answers")[:MOST] if isinstance(answer, dict)]
    named = [(_id(answer), any_text(answer)) for answer in found]
    options = {name: words for name, words in named if name and words}
    question = any_text(mapping(poll, "question"))
    if not question or not options:
        return None
    most = min(max(amount(poll, "max_selections") or 1, 1), len(options))
    secret = not text(poll, "kind").endswith(".disclosed")
    return Ballot(Poll(question, tuple(options.values()), most, secret), tuple(options), "m.poll" in content)


def _id(answer: Raw) -> str:
    return text(answer, "m.id") or text(answer, "id")


def any_text(content: Raw) -> str:
    """The words of an extensible event in one line: a string, or a list of representations (MSC1767)."""
    for key in ("m.text", _TEXT, "body"):
        value = content.get(key)
        if isinstance(value, list):
            value = next((one.get("body") for one in value if isinstance(one, dict)), "")
        if isinstance(value, str) and value.strip():
            return " ".join(clean(value).split())[:LONGEST]
    return ""


def poll_content(poll: Poll, words: str) -> dict[str, object]:
    """The content of the event that asks ``poll``; its answers are called by their places. ``words`` say it to clients without polls."""
    return {
        f"{UNSTABLE}.start": {
            "question": _spoken(poll.question),
            "kind": f"{UNSTABLE}.{'un' if poll.secret else ''}disclosed",
            "max_selections": max(1, min(poll.most, len(poll.options))),
            "answers": [
                {"id": str(place), **_spoken(option)} for place, option in enumerate(poll.options[:MOST])
            ],
        },
        _TEXT: words,
        "body": words,
    }


def _spoken(words: str) -> dict[str, object]:
    said = " ".join(clean(words).split())[:LONGEST] or "?"
    return {_TEXT: said, "body": said}


def vote(ballot: Ballot, poll: EventId, choices: Iterable[int]) -> tuple[str, dict[str, object]]:
    """Type and content of the event that votes so on the ``poll``; no choices take an earlier vote back."""
    chosen: dict[str, object] = {"m.relates_to": {"rel_type": "m.reference", "event_id": poll}}
    if ballot.stable:
        return "m.poll.response", {**chosen, "m.selections": ballot.answers(choices)}
    kind = f"{UNSTABLE}.response"
    return kind, {**chosen, kind: {"answers": ballot.answers(choices)}}


def ending(ballot: Ballot, poll: EventId, words: str) -> tuple[str, dict[str, object]]:
    """Type and content of the event that ends the ``poll``; ``words`` say it to clients without polls."""
    related = {"m.relates_to": {"rel_type": "m.reference", "event_id": poll}, "body": words}
    if ballot.stable:
        return "m.poll.end", {**related, "m.text": [{"body": words}]}
    return f"{UNSTABLE}.end", {**related, f"{UNSTABLE}.end": {}, _TEXT: words}


def answers_in(content: Raw) -> tuple[str, ...]:
    """What a vote names, as the poll calls it."""
    named = listed(content, "m.selections") or listed(
        mapping(content, "m.poll.response", f"{UNSTABLE}.response"), "answers"
    )
    return tuple(name for name in named if isinstance(name, str))
