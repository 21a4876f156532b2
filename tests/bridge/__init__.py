"""Tests of the bridge: unit tests against fakes and the memory network; real servers are in tests/system."""
