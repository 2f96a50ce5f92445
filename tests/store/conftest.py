"""What several tests of the store ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.maker import BOX, SMALL_SEGMENT_BYTES, make_disk
from vonggac.store import disk as disks
from vonggac.store.formatting import format_disk


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """A disk that was just formatted."""
    make_disk(tmp_path / "disk")
    return tmp_path / "disk"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One of small segments: they wrap soon, and nothing in the store depends on their size."""
    monkeypatch.setattr(disks, "SEGMENT_BYTES_MIN", SMALL_SEGMENT_BYTES)
    format_disk(tmp_path / "disk", 31 << 19, BOX, SMALL_SEGMENT_BYTES)
    return tmp_path / "disk"
