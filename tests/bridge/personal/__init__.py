"""Tests of what the bridge keeps of people, and of forgetting it."""
