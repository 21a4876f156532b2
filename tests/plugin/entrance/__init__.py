"""How people come into a community and leave it, over the homeserver in memory."""
