"""Writes the golden files anew. Read what has changed before you keep it."""

from tests.bridge.golden.pages import written

written(
    "to_network",
    "What a member sends (`event`), as a network that can do everything gets it, and one that has only lines.",
)
written("to_matrix", "What somebody on a network sends (`said`), as the events that come into the room.")
