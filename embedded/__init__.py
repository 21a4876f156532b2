"""Real servers as child processes on loopback (Synapse, maubot, IRC, the bridge), and people to talk on them.

For the demo, the tests and the benchmarks. Knows none of Haven's own packages: it starts them like an operator would.
"""
