"""Where the project and its virtual environments lie."""

import os
from pathlib import Path
from typing import Literal

Environment = Literal["dev", "servers", "benchmarks"]

ROOT = Path(__file__).resolve().parent.parent
"""The project's root: where pyproject.toml is."""

_DIRECTORIES: dict[Environment, str] = {
    "dev": ".venv",
    "servers": ".venv-servers",
    "benchmarks": ".venv-benchmarks",
}


def _base() -> Path:
    """Where the environments lie: in the project, or where ``HAVEN_VENVS`` says."""
    return Path(os.environ.get("HAVEN_VENVS") or ROOT)


def environment(name: Environment) -> Path:
    """The directory of one virtual environment."""
    return _base() / _DIRECTORIES[name]


def node_packages() -> Path:
    """The directory of what tests need from npm, made by ``scripts/test``; beside the virtual environments."""
    return _base() / ".venv-node"


def python(name: Environment) -> Path:
    """The interpreter of one virtual environment, made by ``scripts/setup``."""
    return environment(name) / "bin" / "python"
