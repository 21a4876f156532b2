"""What the Makefile and `.ci/run` call: set up, check, test, build. The standard library only, but for what they start."""
