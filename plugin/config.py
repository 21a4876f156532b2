"""The plugin's configuration as one typed value; a wrong value is one sentence that names the key."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from haven.desired import Actors
from haven.ids import RoomVersion, UserId


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator has set.

    ``creators``: patterns of Matrix ids, ``*`` standing for anything. ``bridge``: the bridge's bot, or ``None``.
    ``language``: for those of whom we know no other. ``removals``: how many removals one plan may have without being insisted on.
    ``reread``: seconds between two readings of everything.
    """

    creators: tuple[str, ...] = ("*",)
    version: RoomVersion = RoomVersion("12")
    bridge: UserId | None = None
    language: str = "en"
    accept_invites: bool = True
    removals: int = 10
    reread: float = 3_600.0

    def may_create(self, user: UserId) -> bool:
        """Whether somebody may create communities here."""
        return any(fnmatchcase(user, pattern) for pattern in self.creators)

    def actors(self, bot: UserId) -> Actors:
        """Who works for Haven here."""
        return Actors(bot, self.version, self.bridge)
