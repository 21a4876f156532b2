"""Benchmarks, run by hand: each a small program that starts real servers on loopback, prints figures and ends by itself.

`python -m benchmarks.NAME`; docs/performance.md says what each measures and what came out last. Never part of the tests.
"""
