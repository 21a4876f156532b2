# The commands of Haven; each is a script, so that each can be run, read and tested by itself.
.PHONY: demo test faults check plugin setup
demo:
	@scripts/demo $(if $(ONCE),--once)
test:
	@scripts/test
faults:
	@scripts/faults
check:
	@scripts/check
plugin:
	@scripts/python scripts/build_plugin.py
setup:
	@scripts/setup
