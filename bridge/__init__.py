"""Face two of Haven: an appservice that carries a community's chats to other networks and back."""
