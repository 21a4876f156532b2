"""Face one, people: the maubot plugin. Imports inside are relative, since it ships under another name."""

from .bot import HavenBot

__all__ = ["HavenBot"]
