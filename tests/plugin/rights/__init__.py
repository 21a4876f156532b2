"""R18: every command by everybody in every room version, exactly as docs/permissions.md says."""
