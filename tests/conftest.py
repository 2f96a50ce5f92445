"""What every test may ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# A busy machine is no defect, and a tree that only root may write to is no reason to warn.
settings.register_profile("vonggac", deadline=None, database=None)
settings.load_profile("vonggac")


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's tree (which may not be where the package is imported from)."""
    return ROOT


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The shared recordings and captures, named by VONGGAC_FIXTURES; skips where there are none."""
    path = Path(os.environ.get("VONGGAC_FIXTURES", ROOT.parent / "shared" / "fixtures"))
    if not path.is_dir():
        pytest.skip(f"no shared fixtures at {path} (VONGGAC_FIXTURES names them)")
    return path


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Gives the path of a program that a test needs; skips where it is absent."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed")
        return path

    return find


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    path = tmp_path / "home"
    path.mkdir(mode=0o750)
    return path
