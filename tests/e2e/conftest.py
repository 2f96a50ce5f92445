"""What several tests with a whole recorder ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from box_rig import Box, Cameras


@pytest.fixture
def cameras() -> Iterator[Cameras]:
    """Two of them."""
    made = Cameras(2)
    yield made
    made.stop()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A home, and a disk of 320 MiB."""
    made = Box(tmp_path / "home", "320M")
    yield made
    made.discard()
