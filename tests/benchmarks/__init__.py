"""Tests of the benchmarks' arithmetic and printing; never of a time."""
