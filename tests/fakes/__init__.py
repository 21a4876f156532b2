"""Things of the world in memory: each passes the contract suite that its real twin passes."""
