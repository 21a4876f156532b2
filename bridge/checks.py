"""``check``: whether everything the bridge needs is there, in words, without starting it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from haven.errors import HavenError, Misconfigured

from .config import Secrets, Settings, read_secrets
from .homeserver import NioHomeserver
from .networks.base import Checks
from .store import Store

PATIENCE = 20.0
"""Seconds that one check may take."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at (a key ``check.<what>``), and what is wrong with it, if anything."""

    what: str
    wrong: HavenError | None
    network: str = ""


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """Look at one thing after the other. Later ones are left out where an earlier one makes them
    pointless.
    """
    yield Finding("config", None)
    try:
        tokens = read_secrets(settings)
    except Misconfigured as error:
        yield Finding("registration", error)
    else:
        async for finding in _homeserver(settings, tokens):
            yield finding
    yield Finding("database", await _tried(lambda: _database(settings)))
    for name, network in settings.networks.items():
        if isinstance(network, Checks):
            yield Finding("network", await _tried(network.check), name)


async def _homeserver(settings: Settings, tokens: Secrets) -> AsyncIterator[Finding]:
    homeserver = NioHomeserver.connect(settings.homeserver, tokens.appservice_token, settings.bot)
    try:
        wrong = await _tried(homeserver.register)
        yield Finding("homeserver", wrong)
        if wrong is None:
            yield Finding("registration", await _tried(lambda: _identity(homeserver, settings)))
    finally:
        await homeserver.close()


async def _identity(homeserver: NioHomeserver, settings: Settings) -> None:
    """The homeserver knows the token, and ghosts may be made under it."""
    if await homeserver.whoami() != settings.bot:
        raise Misconfigured("setting_domain", setting="homeserver.domain")


async def _database(settings: Settings) -> None:
    async with Store(settings.database) as store:
        await store.counts()


async def _tried(ask: Callable[[], Awaitable[None]]) -> HavenError | None:
    try:
        async with asyncio.timeout(PATIENCE):
            await ask()
    except HavenError as error:
        return error
    except TimeoutError:
        return HavenError("unreachable")
    return None
