"""The stage on which data is shown and erased."""

from tests.plugin.commands.conftest import stage

__all__ = ["stage"]
