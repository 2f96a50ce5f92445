"""What several tests of the appliance ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from account_rig import Office, office
from audit_rig import Run, audit_process
from vonggac.registry.catalog import Catalog


@pytest.fixture
def here(home: Path) -> Iterator[Office]:
    """People, and a chain that is written."""
    with office(home) as made:
        yield made


@pytest.fixture
def paged(home: Path) -> Path:
    """A home with a catalog."""
    Catalog(home).close()
    return home


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Run:
    """Starts `audit run` as a process of its own, for a block."""
    return lambda: audit_process(home, tmp_path)
