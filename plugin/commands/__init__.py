"""What people can ask for in a room, one file per noun. `Dispatcher` takes what they say."""

from .dispatcher import Dispatcher

__all__ = ["Dispatcher"]
