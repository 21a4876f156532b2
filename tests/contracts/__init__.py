"""One suite per port; whatever claims to be the port inherits it, the fake and the real thing alike."""
