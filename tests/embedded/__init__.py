"""Tests of the embedded servers, each against the real thing."""
