"""Who stands in an item of the inbox: who said it, and whom it names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haven.ids import Network, RemoteUserId, UserId

Job = Mapping[str, Any]
"""An item's payload, as `bridge.intake` writes it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data it is. ``user``: their Matrix id, or their ghost's; for a ghost, ``network`` and ``remote`` say who is behind it."""

    user: UserId
    network: Network | None = None
    remote: RemoteUserId | None = None

    def is_remote(self, network: object, person: object) -> bool:
        """Whether that is them."""
        return self.remote is not None and (network, person) == (self.network, self.remote)


def said_by(job: Job, subject: Subject) -> bool:
    """Whether an item is what they said, did or asked for."""
    event = job.get("event")
    if isinstance(event, dict):
        return event.get("sender") == subject.user
    person = _object(event).get("person") if isinstance(event, str) else None
    who = person.get("id") if isinstance(person, dict) else None
    return subject.is_remote(_network(job), who) or job.get("by") == subject.user


def names(job: Job, subject: Subject) -> bool:
    """Whether an item that somebody else has said names them."""
    return without(job, subject) != job


def without(job: Job, subject: Subject) -> dict[str, Any]:
    """An item in which they are not named any more; all else is as it was."""
    cleaned: dict[str, Any] = _without(job, subject, _network(job))
    return cleaned


def _without(value: Any, subject: Subject, network: object) -> Any:
    if isinstance(value, dict):
        if value.get("is") == "Mention" and _is_meant(value, subject, network):
            return None
        return {
            _plain(name, subject): _embedded(part, subject, network)
            if name == "event"
            else _without(part, subject, network)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_without(part, subject, network) for part in value]
    return _plain(value, subject) if isinstance(value, str) else value


def _embedded(value: Any, subject: Subject, network: object) -> Any:
    """What a network said stands in the item as JSON in a text."""
    whole = _object(value) if isinstance(value, str) else {}
    if not whole:
        return _without(value, subject, network)
    cleaned = _without(whole, subject, network)
    return json.dumps(cleaned, separators=(",", ":"), ensure_ascii=False) if cleaned != whole else value


def _is_meant(mention: Mapping[str, Any], subject: Subject, network: object) -> bool:
    return mention.get("user") == subject.user or subject.is_remote(network, mention.get("person"))


def _plain(text: str, subject: Subject) -> str:
    return text.replace(subject.user, "?")


def _network(job: Job) -> object:
    link = job.get("link")
    return link[1] if isinstance(link, list) and len(link) == 3 else None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
