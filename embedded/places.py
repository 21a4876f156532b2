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


def environment(name: Environment) -> Path:
    """The directory of one virtual environment; all of them lie in the project, or where ``HAVEN_VENVS`` says."""
    return Path(os.environ.get("HAVEN_VENVS") or ROOT) / _DIRECTORIES[name]


def python(name: Environment) -> Path:
    """The interpreter of one virtual environment, made by ``scripts/setup``."""
    return environment(name) / "bin" / "python"
