"""Tests of the whole: real Synapse, real maubot, real network servers."""
