"""The stage on which safety is tried out."""

from tests.plugin.commands.conftest import stage

__all__ = ["stage"]
