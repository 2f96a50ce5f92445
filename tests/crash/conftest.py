"""What several tests of keepers ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crash.keeper_peer import Arena
from store.maker import make_disk


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """A disk that was just formatted."""
    make_disk(tmp_path / "disk")
    return tmp_path / "disk"


@pytest.fixture
def arena() -> Iterator[Arena]:
    made = Arena.make()
    yield made
    made.close()
