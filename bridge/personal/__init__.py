"""What the bridge's database keeps of a person: all of it given to them, or forgotten."""
