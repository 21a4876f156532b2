"""InspIRCd from Debian: an IRC server with IRCv3 (message ids, echo, labels, client tags), which people really run."""

import os
import shutil
from pathlib import Path

from embedded.irc import LocalServer
from embedded.processes import Child

MODULES = (
    "cap",
    "ircv3",
    "ircv3_accounttag",
    "ircv3_batch",
    "ircv3_capnotify",
    "ircv3_chghost",
    "ircv3_ctctags",
    "ircv3_echomessage",
    "ircv3_labeledresponse",
    "ircv3_msgid",
    "ircv3_servertime",
    "namesx",
)
"""Everything of IRCv3 that 3.15 has for us. It has no history, no redaction and no `draft/react` of its own: reactions are client tags."""


class Inspircd(LocalServer):
    """InspIRCd without flood limits, or, `strict`, with them; `clones`: most connections of one address, as all of ours are."""

    def __init__(self, directory: Path, *, clones: int = 1000, strict: bool = False) -> None:
        super().__init__(directory)
        self._clones = clones
        self._flood = _STRICT if strict else _LENIENT
        self._config = directory / "inspircd.conf"
        program = inspircd_program() or "inspircd"
        command: list[str | Path] = [program, "--nofork", "--nopid", "--config", self._config]
        if os.geteuid() == 0:
            command.append("--runasroot")
        self.process = Child("InspIRCd", command, directory / "inspircd.log", directory)

    async def start(self) -> None:
        """Starts it, or starts it again; returns when it accepts connections."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "empty").write_text("Hello\n")
        modules = "\n".join(f'<module name="{name}">' for name in MODULES)
        self._config.write_text(
            _CONFIG.format(
                host=self.host,
                port=self.port,
                directory=self.directory,
                clones=self._clones,
                flood=self._flood,
            )
            + modules
            + "\n"
        )
        await super().start()


def inspircd_program() -> str | None:
    """Where InspIRCd is, None when it is not installed; Debian puts it into sbin, which people's PATH leaves out."""
    return shutil.which("inspircd") or shutil.which("inspircd", path="/usr/sbin:/usr/local/sbin")


_LENIENT = 'threshold="100000" commandrate="1000000" fakelag="no"'
_STRICT = 'threshold="10" commandrate="3000" fakelag="no"'
"""Who is ahead by more than ten lines, of which three a second are forgotten, is put off the server."""

_CONFIG = """\
<config format="xml">
<server name="irc.haven.test" description="Haven, for tests" network="Haven">
<admin name="Haven" nick="haven" email="nobody@haven.test">
<bind address="{host}" port="{port}" type="clients">
<connect allow="*" timeout="30" pingfreq="60" hardsendq="1048576" softsendq="65536" recvq="65536"
 {flood} localmax="{clones}" globalmax="{clones}" maxchans="1000"
 resolvehostnames="no" useident="no" maxconnwarn="no">
<oper name="warden" password="warden" host="*@*" type="Warden">
<class name="All" commands="*" privs="*" usermodes="*" chanmodes="*">
<type name="Warden" classes="All">
<limits maxnick="30" maxchan="64" maxtopic="390" maxident="12" maxmodes="20">
<options defaultmodes="no" hidesplits="no" prefixquit="" ircumsgprefix="no" syntaxhints="no" allowzerolimit="no">
<security announceinvites="none" hideserver="" userstats="Pu" customversion="">
<performance quietbursts="yes" softlimit="12800" clonesonconnect="no">
<dns server="127.0.0.1" timeout="1">
<path configdir="{directory}" datadir="{directory}" logdir="{directory}" runtimedir="{directory}">
<files motd="{directory}/empty">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{directory}/server.log">
"""
