"""The command line of the bridge: run, registration, check, plan, login, export, erase."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path

from haven.errors import HavenError, Misconfigured
from haven.ids import Network as NetworkName

from .app import Bridge
from .checks import findings
from .config import LANGUAGES, Settings, read_secrets, read_settings, readable_by_others
from .homeserver import NioHomeserver
from .i18n import Voice
from .networks.base import LogsIn
from .outlook import Step, outlook
from .personal.commands import erase, export, person_of
from .prospect import Prospect, prospects, whole_links
from .registration import register
from .rooms import Rooms
from .store import Store

WRONG = 1
MISCONFIGURED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit status: 0, 1 where something is wrong, 2 for a wrong
    configuration.
    """
    given = _parser().parse_args(arguments)
    try:
        settings = read_settings(given.config)
        voice = Voice(settings.language)
        _warn_if_open(voice, given.config, settings.key_file, settings.registration)
        _log_at(settings.log)
        return asyncio.run(COMMANDS[given.command](settings, voice, given))
    except Misconfigured as error:
        _complain(Voice(LANGUAGES[0]), error)
        return MISCONFIGURED
    except HavenError as error:
        _complain(Voice(LANGUAGES[0]), error)
        return WRONG
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haven-bridge", description="Carries communities to other networks."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in (
        ("run", "run the bridge"),
        ("registration", "write the file that the homeserver must load"),
        ("check", "say in words what is wrong"),
        ("plan", "print what would change"),
        ("login", "log in to a network"),
        ("export", "print what the database keeps of a person"),
        ("erase", "delete what the database keeps of a person; best while the bridge does not run"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("-c", "--config", type=Path, default=Path("bridge.yaml"), metavar="FILE")
        if name == "registration":
            command.add_argument("--rotate", action="store_true", help="make new tokens; the key stays")
        if name == "login":
            command.add_argument("network", metavar="NETWORK")
        if name in {"export", "erase"}:
            command.add_argument("person", metavar="PERSON", help="their Matrix id, or that of their ghost")
        if name == "erase":
            command.add_argument("--yes", action="store_true", help="do not ask")
    return parser


async def _run(settings: Settings, _voice: Voice, _given: argparse.Namespace) -> int:
    tokens = read_secrets(settings)
    homeserver = NioHomeserver.connect(settings.homeserver, tokens.appservice_token, settings.bot)
    try:
        async with Store(settings.database) as store:
            await _until_told(Bridge(settings, tokens, store, homeserver).run())
    finally:
        await homeserver.close()
    return 0


async def _until_told(work: Coroutine[None, None, None]) -> None:
    """Run until SIGTERM or SIGINT, then stop cleanly."""
    task = asyncio.create_task(work, name="bridge")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        try:
            await task
        except BaseExceptionGroup as group:
            raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _registration(settings: Settings, voice: Voice, given: argparse.Namespace) -> int:
    known = settings.registration.is_file()
    fresh = register(settings, rotate=given.rotate)
    phrase = "command.registered" if fresh else "command.registered_again"
    if known and fresh:
        phrase = "command.rotated"
    _print(voice.say(phrase, file=str(settings.registration)))
    return 0


async def _check(settings: Settings, voice: Voice, _given: argparse.Namespace) -> int:
    status = 0
    async for finding in findings(settings):
        what = voice.say(f"check.{finding.what}", network=finding.network)
        if finding.wrong is None:
            _print(voice.say("check.ok", what=what))
            continue
        status = WRONG
        _print(voice.say("check.wrong", what=what, why=_sentence(voice, finding.wrong)))
    return status


async def _plan(settings: Settings, voice: Voice, _given: argparse.Namespace) -> int:
    tokens = read_secrets(settings)
    homeserver = NioHomeserver.connect(settings.homeserver, tokens.appservice_token, settings.bot)
    rooms = Rooms()
    try:
        lines = [_step(voice, step) for step in await outlook(homeserver, rooms)]
        if whole_links(rooms, homeserver):
            async with Store(settings.database) as store:
                async for one in prospects(settings, tokens, store, homeserver, rooms):
                    lines += _prospect(voice, one)
    finally:
        await homeserver.close()
    for line in lines or [voice.say("command.plan_none")]:
        _print(line)
    return 0


def _step(voice: Voice, step: Step) -> str:
    change = voice.say(f"command.plan_{step.change}")
    where = {"room": step.room, "network": step.network, "chat": step.chat}
    return voice.say("command.plan_room", change=change, **where)


def _prospect(voice: Voice, one: Prospect) -> list[str]:
    """What would be done about a whole community, a line each."""
    changes = [voice.say(f"accord.{key}", **values) for key, values in one.lines]
    if one.conflicts:
        changes.append(voice.say("command.plan_conflicts", n=one.conflicts))
    if one.wrong is not None:
        changes.append(_sentence(voice, one.wrong))
    where = {"room": one.link.room, "network": one.link.network, "chat": one.link.chat}
    return [voice.say("command.plan_room", change=change, **where) for change in changes]


async def _login(settings: Settings, voice: Voice, given: argparse.Namespace) -> int:
    name = NetworkName(given.network)
    network = settings.networks.get(name)
    if network is None:
        _print(voice.say("command.no_network", network=name))
        return MISCONFIGURED
    if not isinstance(network, LogsIn):
        _print(voice.say("command.no_login", network=name))
        return 0
    await network.login(_print, _ask)
    _print(voice.say("command.logged_in", network=name))
    return 0


async def _export(settings: Settings, _voice: Voice, given: argparse.Namespace) -> int:
    await export(settings.database, person_of(given.person), _print)
    return 0


async def _erase(settings: Settings, voice: Voice, given: argparse.Namespace) -> int:
    ask = None if given.yes else _ask
    done = await erase(settings.database, person_of(given.person), voice, _print, ask)
    return 0 if done else WRONG


async def _ask(question: str) -> str:
    return await asyncio.to_thread(input, f"{question} ")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _complain(voice: Voice, error: HavenError) -> None:
    sys.stderr.write(f"{_sentence(voice, error)}\n")


def _sentence(voice: Voice, error: HavenError) -> str:
    return voice.say(f"error.{error.key}", **error.values)


def _warn_if_open(voice: Voice, *files: Path) -> None:
    for file in files:
        if file.exists() and readable_by_others(file):
            sys.stderr.write(f"{voice.say('check.open_file', file=str(file))}\n")


def _log_at(level: str) -> None:
    # Libraries speak of addresses, ids and contents where they are let; we do not.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for ours in (__package__ or "bridge", "haven"):
        logging.getLogger(ours).setLevel(level.upper())


Command = Callable[[Settings, Voice, argparse.Namespace], Coroutine[None, None, int]]
COMMANDS: dict[str, Command] = {
    "run": _run,
    "registration": _registration,
    "check": _check,
    "plan": _plan,
    "login": _login,
    "export": _export,
    "erase": _erase,
}

if __name__ == "__main__":
    sys.exit(main())
