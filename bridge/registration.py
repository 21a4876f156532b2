"""The appservice registration: the file by which the homeserver knows the bridge, and the key of the ids."""

import os
import re
import secrets
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

from haven.errors import Misconfigured
from haven.ids import GHOSTS

from .config import BOT, Secrets, Settings, read_key, read_secrets

ID = "haven-bridge"


def register(settings: Settings, *, rotate: bool = False) -> bool:
    """Write the registration file and the key, or bring them up to date; tokens and key stay what they are, unless the
    tokens are to ``rotate``.

    Returns whether the tokens are new. Both files are readable by their owner only.
    """
    if not settings.key_file.exists():
        _write(settings.key_file, f"{secrets.token_hex(32)}\n")
    key, known = read_key(settings.key_file), None if rotate else _known(settings)
    tokens = known or Secrets(secrets.token_urlsafe(48), secrets.token_urlsafe(48), key)
    out = StringIO()
    YAML().dump(registration(settings, tokens), out)
    _write(settings.registration, out.getvalue())
    return known is None


def registration(settings: Settings, tokens: Secrets) -> dict[str, object]:
    """The content of the registration file (spec: application service API, registration)."""
    server = re.escape(settings.domain)
    return {
        "id": ID,
        "url": settings.address,
        "as_token": tokens.appservice_token,
        "hs_token": tokens.homeserver_token,
        "sender_localpart": BOT,
        "rate_limited": False,
        "namespaces": {
            "users": [{"exclusive": True, "regex": f"@{GHOSTS}.*:{server}"}],
            "aliases": [],
            "rooms": [],
        },
    }


def _known(settings: Settings) -> Secrets | None:
    try:
        return read_secrets(settings)
    except Misconfigured as error:
        if error.key == "registration_missing":
            return None
        raise


def _write(file: Path, text: str) -> None:
    """Replace ``file`` at once, so that nobody ever reads half of it or reads it too early."""
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    draft.replace(file)
