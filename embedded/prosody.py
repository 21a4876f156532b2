"""Prosody, the XMPP server that people really run: accounts, rooms with history, files, and a place for a component."""

import os
import shutil
from pathlib import Path
from urllib.parse import quote

from embedded.jabber import Jabber
from embedded.ports import HOST, free_port
from embedded.processes import Child, Server, listening

DOMAIN = "haven.test"
ROOMS = f"rooms.{DOMAIN}"
FILES = f"files.{DOMAIN}"
COMPONENT = f"matrix.{DOMAIN}"
SECRET = "between us"
PASSWORD = "secret"


class Prosody(Server):
    """Prosody from Debian on free ports of 127.0.0.1; works with and without root.

    `port` is for accounts, `component_port` for the component `COMPONENT` with `SECRET`, `web_port` for files. Accounts are made by `account`; everybody
    may make rooms in `ROOMS`, and they stay. `kill()` and `start()` keep ports and data. Without a `certificate` (its file, and the file of its key) there
    is no TLS; with one, accounts are let in with TLS only.
    """

    _grace = 3

    def __init__(
        self,
        directory: Path,
        *,
        archive: bool = True,
        page: int = 50,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.directory = directory
        self.host = HOST
        self.port, self.component_port, self.web_port = free_port(), free_port(), free_port()
        self._archive = archive
        self._page = page
        self._certificate = certificate
        self._config = directory / "prosody.cfg.lua"
        command: list[str | Path] = [prosody_program() or "prosody", "--config", self._config, "-F"]
        self.process = Child("Prosody", command, directory / "prosody.log", directory)

    async def start(self) -> None:
        """Starts it, or starts it again; returns when it accepts connections."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._config.write_text(self._configuration())
        await self.process.start(self._ready)

    async def _ready(self) -> bool:
        return await listening(self.port) and await listening(self.component_port)

    def account(self, name: str, password: str = PASSWORD) -> str:
        """Makes an account; its address."""
        name = name.lower()
        accounts = self.directory / quote(DOMAIN, safe="").replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        (accounts / f"{name}.dat").write_text(f'return {{ ["password"] = "{password}"; }};\n')
        return f"{name}@{DOMAIN}"

    async def connect(self, name: str) -> Jabber:
        """Somebody with an account, which is made where there is none, logged in."""
        return await Jabber.connect(self.host, self.port, self.account(name), PASSWORD)

    def _configuration(self) -> str:
        return _PROSODY.format(
            root="true" if os.geteuid() == 0 else "false",
            directory=self.directory,
            host=self.host,
            port=self.port,
            component_port=self.component_port,
            web_port=self.web_port,
            tls=_tls(self._certificate),
            archive='"muc_mam"' if self._archive else "",
            page=self._page,
            domain=DOMAIN,
            rooms=ROOMS,
            files=FILES,
            component=COMPONENT,
            secret=SECRET,
        )


def prosody_program() -> str | None:
    """Where Prosody is, None when it is not installed."""
    return shutil.which("prosody") or shutil.which("prosody", path="/usr/bin:/usr/sbin:/usr/local/bin")


def _tls(certificate: tuple[Path, Path] | None) -> str:
    """The part of the configuration about TLS."""
    if certificate is None:
        plain = "c2s_require_encryption = false\nallow_unencrypted_plain_auth = true"
        return f'modules_disabled = {{ "s2s", "tls" }}\n{plain}'
    files = f'ssl = {{ certificate = "{certificate[0]}", key = "{certificate[1]}" }}'
    return f'modules_disabled = {{ "s2s" }}\nc2s_require_encryption = true\n{files}'


_PROSODY = """\
run_as_root = {root}
pidfile = "{directory}/prosody.pid"
data_path = "{directory}"
log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
interfaces = {{ "{host}" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ }}
component_interfaces = {{ "{host}" }}
component_ports = {{ {component_port} }}
http_interfaces = {{ "{host}" }}
http_ports = {{ {web_port} }}
https_ports = {{ }}
http_external_url = "http://{host}:{web_port}/"
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "posix", "vcard_legacy", "pep" }}
{tls}
authentication = "internal_plain"
max_archive_query_results = {page}
VirtualHost "{domain}"
Component "{rooms}" "muc"
    modules_enabled = {{ {archive} }}
    muc_room_locking = false
    muc_room_default_persistent = true
    muc_room_default_public = true
Component "{files}" "http_file_share"
    http_host = "{host}"
    http_file_share_access = {{ "{component}", "{domain}" }}
    http_file_share_size_limit = 1024 * 1024 * 100
    http_file_share_daily_quota = 1024 * 1024 * 1024
Component "{component}"
    component_secret = "{secret}"
"""
