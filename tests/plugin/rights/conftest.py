"""The grounds on which rights are tried, kept for all tests of a process."""

from pathlib import Path

import pytest

from tests.plugin.rights.ground import Grounds


@pytest.fixture(scope="session")
def grounds(tmp_path_factory: pytest.TempPathFactory, server_data: Path) -> Grounds:
    """Communities in which every command has something to do."""
    place = server_data / "grounds"
    place.mkdir()
    return Grounds(place)
