"""What several tests of the appliance ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from account_rig import Office, office


@pytest.fixture
def here(home: Path) -> Iterator[Office]:
    """People, and a chain that is written."""
    with office(home) as made:
        yield made
