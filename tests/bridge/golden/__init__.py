"""What conversion makes of each kind of message, in files that people can read; ``python -m tests.bridge.golden`` writes them anew, to be looked
through before they are kept.
"""
