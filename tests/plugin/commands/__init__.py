"""Tests of what people can ask for in a room."""
