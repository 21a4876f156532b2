"""What is kept of one person: shown to them, and erased when they ask for it."""
