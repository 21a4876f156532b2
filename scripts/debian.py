"""Debian and Ubuntu packages that demo and tests need, and installing them where that is allowed."""

import os
import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Package:
    """A system package, the program that shows it is there, and what is not run without it."""

    name: str
    program: str
    purpose: str


FOR_TESTS = (
    Package("ngircd", "ngircd", "tests of the IRC network against ngIRCd"),
    Package("inspircd", "inspircd", "tests of the IRC network against InspIRCd (IRCv3)"),
    Package("prosody", "prosody", "tests of the XMPP network against Prosody"),
    Package("postgresql", "pg_ctlcluster", "tests of the databases on PostgreSQL"),
    Package("nodejs", "node", "tests with members who use matrix-js-sdk"),
    Package("npm", "npm", "tests with members who use matrix-js-sdk"),
)


def installed(package: Package) -> bool:
    """Whether the program is there; servers live in sbin, which people's PATH often leaves out."""
    return (
        shutil.which(package.program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
        is not None
    )


def missing(packages: tuple[Package, ...]) -> tuple[Package, ...]:
    """Those of the packages that are not installed."""
    return tuple(package for package in packages if not installed(package))


def _as_root() -> list[str] | None:
    """The words before a command that make it run as root without asking: none, sudo, or no way at all."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def install(*names: str) -> str | None:
    """Installs packages with apt; answers what stood in the way, as a sentence, or None when they are there now."""
    prefix = _as_root()
    if prefix is None:
        return f"needs root (apt-get install {' '.join(names)})"
    if shutil.which("apt-get") is None:
        return f"there is no apt-get here; install {' '.join(names)} by other means"
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    command = [*quiet, "install", "--no-install-recommends", *names]
    attempt = subprocess.run(command, capture_output=True, text=True, check=False)
    if attempt.returncode != 0:  # a fresh machine has no package lists, or old ones
        subprocess.run([*quiet, "update"], capture_output=True, check=False)
        attempt = subprocess.run(command, capture_output=True, text=True, check=False)
    if attempt.returncode != 0:
        *_, last = (attempt.stderr or attempt.stdout or "it said nothing").strip().splitlines()
        return f"apt-get failed: {last}"
    return None
