"""Examples in the documentation, held to what really happens."""
