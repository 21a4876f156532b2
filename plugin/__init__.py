"""Face one, people: the maubot plugin. Imports inside are relative, since it ships under another name."""
