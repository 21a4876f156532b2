"""Keeping a community safe: reports, mutes, bans, lockdown and the lists of others."""
