"""The golden files: read, worked out anew, written."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from bridge.convert.from_matrix import read_content
from bridge.convert.lessened import lessened, suited
from bridge.convert.plainer import named, with_files
from bridge.convert.to_html import html_of
from bridge.convert.to_matrix import Context, drafts_of
from bridge.i18n import Voice
from bridge.message import Attachment, Kind, Message, Reply, plain, spans
from bridge.networks.base import Capabilities
from bridge.networks.memory import EVERYTHING, LINES
from bridge.spelling import read
from haven.ids import RemoteMessageId, UserId

Case = dict[str, str]


def say(key: str, **values: str) -> str:
    """The bridge's words in English."""
    return Voice("en").say(f"said.{key}", **values)


def cases(name: str) -> list[Case]:
    """The cases of a golden file."""
    page = tomllib.loads(files("tests.bridge.golden").joinpath(f"{name}.toml").read_text())
    found: list[Case] = page["case"]
    return found


def worked_out(case: Case) -> Case:
    """``case`` with what conversion makes of it now."""
    if "said" in case:
        return {**case, "events": _events(case)}
    heard = {name: _heard(case, can) for name, can in (("everything", EVERYTHING), ("lines", LINES))}
    return {**case, **heard}


def _events(case: Case) -> str:
    told: dict[str, Any] = json.loads(case.get("context", "{}"))
    mentions = frozenset(UserId(user) for user in told.pop("mentions", ()))
    drafts = drafts_of(read(case["said"], Message), say, Context(**told, mentions=mentions))
    return "\n".join(
        f"{draft.type} {json.dumps(draft.content, ensure_ascii=False, indent=1)}" for draft in drafts
    )


def _heard(case: Case, can: Capabilities) -> str:
    said = read_content(case.get("type", "m.room.message"), json.loads(case["event"]))
    if said is None:
        return "(nothing)"
    message = replace(said.message, reply=_parent(case))
    if said.instead is not None:
        message = Message(spans(say(said.instead.key, **said.instead.values)), Kind.NOTICE)
    if said.thread is not None:
        message = replace(message, thread=RemoteMessageId("m0"))
    if not can.media:
        message = replace(message, text=with_files(message), attachments=())
    return "\n".join(_shown(named(lessened(suited(message, can), can, say), "Alice")))


def _parent(case: Case) -> Reply | None:
    if "parent" not in case:
        return None
    message, author, excerpt = json.loads(case["parent"])
    return Reply(message and RemoteMessageId(message), author, excerpt)


def _shown(message: Message) -> Iterator[str]:
    """A message as people can read it: its words, and in brackets all that it shows and belongs to."""
    html = html_of(message.text)
    yield from (line.rstrip() for line in plain(message.text).split("\n"))
    if html is not None:
        yield f"[looks like {html}]"
    if message.reply is not None:
        yield f"[answers {message.reply.message}]"
    if message.thread is not None:
        yield f"[in the thread of {message.thread}]"
    yield from (_file(file) for file in message.attachments)
    for part in (message.location, message.poll, message.gathering):
        if part is not None:
            yield f"[{part}]"


def _file(file: Attachment) -> str:
    size = f"{file.size} bytes" if file.size is not None else ""
    shape = f"{file.width}x{file.height}" if file.width else ""
    time = f"{file.duration_ms} ms" if file.duration_ms is not None else ""
    return f"[{' '.join(filter(None, (file.kind, file.name, file.media_type, size, shape, time, file.url)))}]"


def written(name: str, head: str) -> None:
    """Write a golden file anew."""
    page = [f"# {head}\n"]
    for case in cases(name):
        page.append("[[case]]")
        for key, value in worked_out(case).items():
            page.append(
                f"{key} = '''\n{value.strip()}\n'''" if _is_long(key) else f"{key} = {_quoted(value)}"
            )
        page.append("")
    file = Path(str(files("tests.bridge.golden").joinpath(f"{name}.toml")))
    file.write_text("\n".join(page))


def _is_long(key: str) -> bool:
    return key in ("event", "said", "events", "everything", "lines")


def _quoted(value: str) -> str:
    return f"'{value}'" if '"' in value else f'"{value}"'


def same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two cases say the same, blank ends of lines apart."""
    return {key: value.strip() for key, value in one.items()} == {
        key: value.strip() for key, value in other.items()
    }
