"""The networks the bridge can reach: one file each, all behind the port in ``base``."""
