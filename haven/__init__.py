"""The mind of Haven: facts in, changes out. Standard library only; no I/O and no clock in here."""
