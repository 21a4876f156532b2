"""The Python IRC server with what IRCv3 adds and InspIRCd 3.15 lacks, as a program: `python -m embedded.ircd_v3 PORT`.

Capabilities (302), message tags and ids, server-time, echo, labels on echoes, batches, redaction and history of what was said. Sources: the pages of the
same names under https://ircv3.net/specs/extensions. History outlives channels, and ends with the process.
"""

import itertools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from irc.dict import IRCDict
from irc.message import Tag
from irc.server import IRCError

from embedded.ircd import NAME, Channel, Server, Session

OFFERED = (
    "message-tags",
    "server-time",
    "echo-message",
    "labeled-response",
    "batch",
    "cap-notify",
    "draft/message-redaction",
    "draft/chathistory",
)
MOST = 50
"""Lines of history that can be asked for at once (CHATHISTORY in ISUPPORT)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a channel's history."""

    id: str
    at: str
    tags: Mapping[str, str]
    line: str


def now() -> str:
    """The time as server-time writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class SessionV3(Session):
    """A connection that may have capabilities."""

    server: "ServerV3"

    def setup(self) -> None:
        """See `Session.setup`."""
        super().setup()
        self.held: set[str] = set()
        self.tags: dict[str, str] = {}
        self.negotiating = False

    def _handle_line(self, line: str) -> None:
        tags, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
        self.tags = {item["key"]: item["value"] or "" for item in Tag.from_group(tags[1:]) or ()}
        super()._handle_line(rest)

    def send_tagged(self, tags: Mapping[str, str], line: str) -> None:
        """Writes a line with those of its tags that the peer understands."""
        needs = {"time": "server-time", "batch": "batch", "label": "labeled-response"}
        known = {name: value for name, value in tags.items() if needs.get(name, "message-tags") in self.held}
        text = ";".join(f"{name}={_escaped(value)}" for name, value in known.items())
        self.request.sendall((f"@{text} " if text else "").encode() + line.encode()[:510] + b"\r\n")

    # --- capabilities ------------------------------------------------------------------------------------------------

    def handle_cap(self, params: str) -> None:
        """LS, REQ and END; who asks for LS is let in after END."""
        what, _, names = params.partition(" ")
        asked = set(names.lstrip(":").split())
        if what.upper() == "LS":
            self.negotiating = not self.nick
            self.send(f":{NAME} CAP * LS :{' '.join(self.server.offered)}")
        elif what.upper() == "REQ":
            fits = asked <= set(self.server.offered)
            self.held |= asked if fits else set()
            self.send(f":{NAME} CAP {self.nick or '*'} {'ACK' if fits else 'NAK'} :{' '.join(sorted(asked))}")
        elif what.upper() == "END":
            self.negotiating = False
            self._register()

    def _register(self) -> None:
        if not self.negotiating and not self.nick and self.wanted and self.user:
            super()._register()

    # --- saying things -------------------------------------------------------------------------------------------------

    def _send_msg(self, cmd: str, params: str) -> None:
        target, text = self._need(params, 2, cmd)[:2]
        if not target.startswith("#"):
            super()._send_msg(cmd, params)
            return
        self._tell(self._spoken_in(target), f"{cmd} {target} :{text}", kept=True)

    def handle_tagmsg(self, params: str) -> None:
        """Only tags: to those who understand them."""
        target = self._need(params, 1, "TAGMSG")[0]
        self._tell(self._spoken_in(target), f"TAGMSG {target}", kept=False)

    def _spoken_in(self, target: str) -> Channel:
        channel = self._channel(target, inside=False)
        if self not in channel.clients:
            raise IRCError("404", f"{target} :Cannot send to channel")
        return channel

    def _tell(self, channel: Channel, words: str, *, kept: bool) -> None:
        client_tags = {name: value for name, value in self.tags.items() if name.startswith("+")}
        entry = Entry(self.server.new_id(), now(), client_tags, f":{self.client_ident()} {words}")
        if kept:
            self.server.history.setdefault(channel.name, []).append(entry)
        for session in list(channel.clients):
            if session is not self and (kept or "message-tags" in session.held):
                session.send_tagged(_tags(entry), entry.line)
        if "echo-message" in self.held:
            label = {"label": self.tags["label"]} if "label" in self.tags else {}
            self.send_tagged({**_tags(entry), **label}, entry.line)

    def handle_redact(self, params: str) -> None:
        """Takes back a message: one's own, or as an operator anybody's."""
        target, message = self._need(params, 2, "REDACT")[:2]
        channel = self._channel(target)
        past = self.server.history.get(channel.name, [])
        entry = next((entry for entry in past if entry.id == message), None)
        if entry is None:
            self.send(f":{NAME} FAIL REDACT UNKNOWN_MSGID {target} {message} :There is no such message")
            return
        own = entry.line.startswith(f":{self.nick}!")
        if not own and "o" not in channel.ranks.get(self, set()):
            self.send(f":{NAME} FAIL REDACT REDACT_FORBIDDEN {target} {message} :Not yours")
            return
        past.remove(entry)
        for session in channel.clients:
            if "draft/message-redaction" in session.held and (
                session is not self or "echo-message" in self.held
            ):
                session.send_tagged({"time": now()}, f":{self.client_ident()} REDACT {target} {message}")

    # --- history -------------------------------------------------------------------------------------------------------

    def handle_chathistory(self, params: str) -> None:
        """AFTER, BEFORE (an id only) and LATEST, from an id, a time or `*`."""
        what, target, reference, most = self._need(params, 4, "CHATHISTORY")[:4]
        channel = self._channel(target)
        past = self.server.history.get(channel.name, [])
        start = _start(past, reference)
        if start is None:
            self.send(f":{NAME} FAIL CHATHISTORY INVALID_PARAMS {what} {target} :I do not know that message")
            return
        size = min(int(most), MOST)
        found = {"AFTER": past[start:][:size], "BEFORE": past[: max(start - 1, 0)][-size:]}.get(
            what.upper(), past[start:][-size:]
        )
        batch = self.server.new_id()
        self.send(f":{NAME} BATCH +{batch} chathistory {target}")
        for entry in found:
            self.send_tagged({**_tags(entry), "batch": batch}, entry.line)
        self.send(f":{NAME} BATCH -{batch}")


def _tags(entry: Entry) -> dict[str, str]:
    return {"time": entry.at, "msgid": entry.id, **entry.tags}


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace(";", r"\:").replace(" ", r"\s")


def _start(past: list[Entry], reference: str) -> int | None:
    """The number of the first entry after `reference`; None where that is not known."""
    kind, _, value = reference.partition("=")
    if reference == "*":
        return 0
    if kind == "timestamp":
        return next((number for number, entry in enumerate(past) if entry.at > value), len(past))
    return next((number + 1 for number, entry in enumerate(past) if entry.id == value), None)


class ServerV3(Server):
    """The server: what it offers, its history, its ids."""

    isupport = f"{Server.isupport} CHATHISTORY={MOST} MSGREFTYPES=msgid,timestamp"

    def __init__(self, port: int) -> None:
        super().__init__(port, SessionV3)
        self.offered = OFFERED
        self.history: dict[str, list[Entry]] = IRCDict()
        self._ids = itertools.count(1)

    def new_id(self) -> str:
        """An id that no message had."""
        return f"v3.{next(self._ids)}"


def main() -> None:
    """Serves on loopback until it is ended."""
    ServerV3(int(sys.argv[1])).serve_forever()


if __name__ == "__main__":
    main()
