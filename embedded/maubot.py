"""An unchanged maubot in server mode, driven over its own HTTP API as the management page does."""

import asyncio
import contextlib
import io
import json
import secrets
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg

from embedded.places import python
from embedded.ports import HOST, free_port
from embedded.processes import Child, HttpServer
from embedded.waiting import eventually

_ADMIN = "keeper"


class MaubotRefused(Exception):
    """maubot's management API said no: `status` of HTTP, `errcode` and `message` of maubot (an import error with its trace)."""

    def __init__(self, status: int, errcode: str, message: str) -> None:
        super().__init__(f"{status} {errcode}: {message}")
        self.status = status
        self.errcode = errcode
        self.message = message


class Maubot(HttpServer):
    """maubot on a free port of 127.0.0.1.

    `directory` holds all it keeps. `database`: a `postgres://` URL for maubot and its plugins, None for SQLite files. Usable as an async
    context manager; `kill()` and `start()` keep port, data, clients and instances.
    """

    def __init__(self, directory: Path, homeserver_url: str, *, database: str | None = None) -> None:
        self.directory = directory
        self.homeserver_url = homeserver_url
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._database = database
        self._password = secrets.token_hex(16)
        self._token = ""
        self._bots: dict[str, str] = {}
        self.process = Child(
            "maubot",
            [python("servers"), "-m", "maubot", "-c", directory / "config.yaml"],
            directory / "maubot.out",
            directory,
        )

    def page(self, instance: str, path: str = "") -> str:
        """The address of a plugin instance's web page."""
        return f"{self.url}/_matrix/maubot/plugin/{instance}/{path.lstrip('/')}"

    def _write(self) -> None:
        """Writes the configuration, once: maubot keeps it up itself then."""
        config = self.directory / "config.yaml"
        if config.exists():
            return
        plugins = self.directory / "plugins"
        plugins.mkdir(parents=True)
        (self.directory / "trash").mkdir()
        config.write_text(json.dumps(self._configuration(), indent=1))

    def _configuration(self) -> dict[str, Any]:
        plugins = str(self.directory / "plugins")
        return {
            "database": self._database or f"sqlite:{self.directory}/maubot.db",
            "plugin_directories": {
                "upload": plugins,
                "load": [plugins],
                "trash": str(self.directory / "trash"),
            },
            "plugin_databases": {"sqlite": plugins, "postgres": "default" if self._database else None},
            "server": {
                "hostname": HOST,
                "port": self.port,
                "public_url": self.url,
                "unshared_secret": secrets.token_hex(16),
            },
            "homeservers": {"here": {"url": self.homeserver_url, "secret": None}},
            "admins": {_ADMIN: self._password},
            "logging": {
                "version": 1,
                "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
                "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
                "loggers": {"aiohttp": {"level": "WARNING"}, "aiosqlite": {"level": "WARNING"}},
                "root": {"level": "DEBUG", "handlers": ["console"]},
            },
        }

    async def start(self, *, caught_up: bool = True) -> None:
        """Starts it, or starts it again; returns when it answers and, unless `caught_up` is False, its bots hear what is said.

        maubot ignores the first answer of /sync after each start, and that one waits up to 30 s for news: left alone it would swallow the
        first thing that anybody says. So we wake it with a to-device message that means nothing.
        """
        self._write()
        before = {user_id: await self._position(user_id) for user_id in self._bots}
        await self.process.start(self._answers)
        answer = await self.request("POST", "auth/login", {"username": _ADMIN, "password": self._password})
        self._token = answer["token"]
        if caught_up:
            await asyncio.gather(*(self._catch_up(user_id, place) for user_id, place in before.items()))

    async def _position(self, user_id: str) -> str:
        """Where a bot is in /sync, from maubot's database, which no API shows; "" before its first answer."""
        if self._database:
            connection = await asyncpg.connect(self._database)
            place = await connection.fetchval("SELECT next_batch FROM client WHERE id = $1", user_id)
            await connection.close()
            return str(place or "")
        database = sqlite3.connect(f"file:{self.directory}/maubot.db?mode=ro", uri=True)
        with contextlib.closing(database):
            row = database.execute("SELECT next_batch FROM client WHERE id = ?", (user_id,)).fetchone()
        return str(row[0] or "") if row else ""

    async def _catch_up(self, user_id: str, before: str) -> None:
        url = f"{self.homeserver_url}/_matrix/client/v3/sendToDevice/m.dummy/{secrets.token_hex(8)}"
        headers = {"Authorization": f"Bearer {self._bots[user_id]}"}
        body: dict[str, Any] = {"messages": {user_id: {"*": {}}}}
        async with self.session.put(url, json=body, headers=headers) as answer:
            answer.raise_for_status()

        async def moved() -> bool:
            return await self._position(user_id) not in ("", before)

        await eventually(moved, f"the first /sync of {user_id}")

    async def _answers(self) -> bool:
        return await self._says(f"{self.url}/_matrix/maubot/v1/version", 200, 401)

    def log(self, lines: int = 100_000) -> str:
        """What maubot and its plugins have logged."""
        return self.process.tail(lines)

    # --- the management API --------------------------------------------------------------------------------------------

    async def request(
        self, method: str, where: str, body: Mapping[str, Any] | bytes | None = None
    ) -> dict[str, Any]:
        """Sends one request to the management API; raises MaubotRefused for anything but 2xx."""
        url = f"{self.url}/_matrix/maubot/v1/{where}"
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        data = io.BytesIO(raw) if raw else None
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with self.session.request(method, url, data=data, headers=headers) as answer:
            said = await answer.read()
            content = json.loads(said) if said else {}
            if answer.ok:
                return dict(content)
        message = "\n".join(filter(None, (content.get("error"), content.get("stacktrace"))))
        raise MaubotRefused(answer.status, str(content.get("errcode", "")), message)

    async def upload(self, mbp: Path) -> str:
        """Uploads a plugin, over an older one if there is one, whose instances start again. The plugin's id."""
        content = await asyncio.to_thread(mbp.read_bytes)
        answer = await self.request("POST", "plugins/upload?allow_override=true", content)
        return str(answer["id"])

    async def plugins(self) -> dict[str, str]:
        """The version of each plugin, by its id."""
        async with self.session.get(
            f"{self.url}/_matrix/maubot/v1/plugins", headers={"Authorization": f"Bearer {self._token}"}
        ) as answer:
            return {plugin["id"]: plugin["version"] for plugin in await answer.json()}

    async def add_client(
        self,
        user_id: str,
        token: str,
        *,
        homeserver_url: str | None = None,
        device_id: str = "",
        autojoin: bool = True,
    ) -> None:
        """Adds a bot account, or changes its address (a proxy before the homeserver, say) or its token.

        Returns when the bot hears what is said.
        """
        body = {
            "access_token": token,
            "homeserver": homeserver_url or self.homeserver_url,
            "device_id": device_id,
            "enabled": True,
            "started": True,
            "autojoin": autojoin,
            "sync": True,
        }
        before = await self._position(user_id)
        await self.request("PUT", f"client/{user_id}", body)
        self._bots[user_id] = token
        await self._catch_up(user_id, before)

    def forget_client(self, user_id: str) -> None:
        """Wait no more for a bot whose homeserver cannot be reached any longer when this is started again."""
        self._bots.pop(user_id, None)

    async def add_instance(
        self, instance: str, plugin: str, user_id: str, config: str = "", *, enabled: bool = True
    ) -> None:
        """Makes an instance of a plugin and starts it; `config` is YAML and may be partial. Raises MaubotRefused when it does not start."""
        body = {"type": plugin, "primary_user": user_id, "config": config, "enabled": enabled}
        self._require_started(await self.request("PUT", f"instance/{instance}", body), enabled)

    async def configure(self, instance: str, config: str) -> None:
        """Gives an instance another configuration, as the management page does when one saves it."""
        await self.request("PUT", f"instance/{instance}", {"config": config})

    async def start_instance(self, instance: str) -> None:
        """Starts a stopped instance."""
        self._require_started(await self.request("PUT", f"instance/{instance}", {"started": True}), True)

    async def stop_instance(self, instance: str) -> None:
        """Stops an instance; it stays so until it is started."""
        await self.request("PUT", f"instance/{instance}", {"started": False})

    async def instance(self, instance: str) -> dict[str, Any]:
        """What maubot says of an instance: `started`, `config`, `primary_user` ..."""
        return await self.request("GET", f"instance/{instance}")

    async def remove_instance(self, instance: str) -> None:
        """Removes an instance with its database."""
        await self.request("DELETE", f"instance/{instance}")

    def _require_started(self, answer: Mapping[str, Any], wanted: bool) -> None:
        if wanted and not answer["started"]:
            raise MaubotRefused(500, "not_started", self.process.tail())
