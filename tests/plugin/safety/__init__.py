"""Tests of what keeps a community safe while it lives."""
