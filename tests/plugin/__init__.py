"""Tests of the face that speaks to people."""
