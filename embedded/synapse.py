"""Synapse, the reference homeserver, as an operator would run it, with a throw-away database."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from embedded.federation import Federation
from embedded.matrix import Account, Json, answer_of
from embedded.person import Person
from embedded.places import python
from embedded.ports import HOST, free_port
from embedded.processes import Child, HttpServer

Limits = Literal["lifted", "default"]

_FREE = {"per_second": 100_000, "burst_count": 100_000}
_LIFTED: Json = {
    **dict.fromkeys(
        (
            "rc_message",
            "rc_registration",
            "rc_admin_redaction",
            "rc_joins_per_room",
            "rc_key_requests",
            "rc_media_create",
            "rc_room_creation",
            "rc_reports",
            "rc_profile",
            "rc_user_directory",
            "rc_delayed_event_mgmt",
        ),
        _FREE,
    ),
    "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), _FREE),
    "rc_joins": dict.fromkeys(("local", "remote"), _FREE),
    "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), _FREE),
    "rc_presence": {"per_user": _FREE},
}
"""Every limit of synapse/config/ratelimiting.py that a client can meet."""


class Synapse(HttpServer):
    """A homeserver on a free port of 127.0.0.1, alone in the world unless it is given a `federation`: then its name is its address.

    `directory` holds all it keeps (a tmpfs makes it three times as fast). `appservices` are registration files. `limits`: lifted,
    or those an operator gets by default. `database`: None for SQLite, or the arguments of psycopg2 (encoding UTF8, collation
    C). `extra` is laid over the configuration, and may be changed before each start, as `limits` may. Usable as an async
    context manager; `kill()` and `start()` keep port and data.
    """

    def __init__(
        self,
        directory: Path,
        server_name: str = "haven.test",
        *,
        appservices: Sequence[Path] = (),
        limits: Limits = "lifted",
        database: Mapping[str, object] | None = None,
        extra: Mapping[str, object] | None = None,
        federation: Federation | None = None,
    ) -> None:
        self.directory = directory
        self.federation = federation
        self.federation_port = free_port() if federation else 0
        self.server_name = f"{HOST}:{self.federation_port}" if federation else server_name
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.appservices = list(appservices)
        self._secret = secrets.token_hex(16)
        self.limits: Limits = limits
        self.extra: Json = dict(extra or {})
        self._database = database
        config = directory / "homeserver.yaml"
        self.process = Child(
            "Synapse",
            [python("servers"), "-m", "synapse.app.homeserver", "--config-path", config],
            directory / "synapse.log",
            directory,
        )

    def configuration(self) -> Json:
        """The configuration as it is written at each start (YAML is a superset of JSON)."""
        resources = [{"names": ["client"], "compress": False}]
        client = {"port": self.port, "type": "http", "bind_addresses": [HOST], "resources": resources}
        others = [self.federation.listener(self.federation_port)] if self.federation else []
        return {
            "server_name": self.server_name,
            "public_baseurl": f"{self.url}/",
            "pid_file": str(self.directory / "synapse.pid"),
            "listeners": [{**client, "tls": False, "x_forwarded": False}, *others],
            "database": self._database_options(),
            "log_config": str(self.directory / "log.yaml"),
            "media_store_path": str(self.directory / "media"),
            "signing_key_path": str(self.directory / "signing.key"),
            "registration_shared_secret": self._secret,
            "macaroon_secret_key": self._secret,
            "form_secret": self._secret,
            "app_service_config_files": [str(file) for file in self.appservices],
            "report_stats": False,
            "trusted_key_servers": [],
            "federation_domain_whitelist": [],
            "bcrypt_rounds": 4,
            "url_preview_enabled": False,
            "presence": {"enabled": False},
            "filter_timeline_limit": 1000,
            **(self.federation.settings() if self.federation else {}),
            **(_LIFTED if self.limits == "lifted" else {}),
            **self.extra,
        }

    def _database_options(self) -> Json:
        if self._database is not None:
            return {"name": "psycopg2", "args": {"cp_min": 1, "cp_max": 5, **self._database}}
        return {"name": "sqlite3", "args": {"database": str(self.directory / "homeserver.db")}}

    def _write(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "homeserver.yaml").write_text(json.dumps(self.configuration(), indent=1))
        (self.directory / "log.yaml").write_text(json.dumps(_LOGGING))
        key = self.directory / "signing.key"
        if not key.exists():
            seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
            key.write_text(f"ed25519 a_haven {seed}\n")

    async def start(self) -> None:
        """Starts it, or starts it again; returns when it answers. Registration files are read anew."""
        self._write()
        await self.process.start(self._answers)

    async def _answers(self) -> bool:
        return await self._says(f"{self.url}/health", 200)

    async def register(self, name: str, password: str = "haven", *, admin: bool = False) -> Person:
        """Makes an account by the shared-secret admin API and signs it in. `name` is the localpart."""
        where = f"{self.url}/_synapse/admin/v1/register"
        async with self.session.get(where) as answer:
            nonce = (await answer_of(answer))["nonce"]
        role = "admin" if admin else "notadmin"
        proof = f"{nonce}\0{name}\0{password}\0{role}".encode()
        body = {
            "nonce": nonce,
            "username": name,
            "password": password,
            "admin": admin,
            "mac": hmac.new(self._secret.encode(), proof, hashlib.sha1).hexdigest(),
        }
        async with self.session.post(where, json=body) as answer:
            return self._person(await answer_of(answer))

    async def login(self, name: str, password: str = "haven") -> Person:
        """Signs in with a password, as a client does; each time a new device."""
        identifier = {"type": "m.id.user", "user": name}
        body = {"type": "m.login.password", "identifier": identifier, "password": password}
        async with self.session.post(f"{self.url}/_matrix/client/v3/login", json=body) as answer:
            return self._person(await answer_of(answer))

    def appservice(self, token: str, user_id: str) -> Person:
        """A user that an appservice speaks for."""
        return Person(Account(self.session, self.url, user_id, token, as_user=user_id))

    def _person(self, answer: Json) -> Person:
        return Person(
            Account(
                self.session, self.url, answer["user_id"], answer["access_token"], answer.get("device_id", "")
            )
        )


_LOGGING: Json = {
    "version": 1,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": "WARNING", "handlers": ["console"]},
    "disable_existing_loggers": False,
}
