"""What people can ask for in a room, one file per noun."""
