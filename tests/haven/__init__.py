"""Tests of the mind: tables and properties of every module, and the loop over the homeserver in memory."""
