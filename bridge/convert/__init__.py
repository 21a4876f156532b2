"""Matrix content to the neutral message and back: pure, knows no network."""
