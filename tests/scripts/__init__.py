"""Tests of the scripts that build, check and set up."""
