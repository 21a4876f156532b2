# The commands of Haven; each is a script, so that each can be run, read and tested by itself.
.PHONY: demo test check plugin setup
demo:
	@scripts/demo $(if $(ONCE),--once)
test:
	@scripts/test
check:
	@scripts/check
plugin:
	@scripts/python scripts/build_plugin.py
setup:
	@scripts/setup
