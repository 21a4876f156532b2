"""What is kept of one person: shown and erased."""
