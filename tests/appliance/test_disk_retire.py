"""`disk retire`: a line of the audit chain says so before the disk goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_rig import audit_run, chain_of, vonggac
from vonggac.registry.catalog import Catalog


@pytest.fixture
def drained(home: Path, tmp_path: Path) -> Path:
    """A disk that nothing is recorded on any more, beside another one."""
    for name in ("leaves", "stays"):
        size = ("--size", "200M", "--segment-size", "16M")
        assert vonggac(home, "disk", "format", str(tmp_path / name), *size) == 0
    assert vonggac(home, "disk", "drain", str(tmp_path / "leaves")) == 0
    return tmp_path / "leaves"


def names(home: Path) -> set[str]:
    with Catalog(home, is_readonly=True) as catalog:
        return {Path(row.path).name for row in catalog.disks()}


def test_a_disk_that_leaves_stands_in_the_chain_first(home: Path, drained: Path) -> None:
    with audit_run(home):
        assert vonggac(home, "disk", "retire", str(drained)) == 0
    line = chain_of(home)[-1]
    assert (line["action"], line["object"], line["result"]) == (
        "disk retire",
        str(drained),
        "done",
    )
    assert names(home) == {"stays"}


def test_without_the_chain_no_disk_leaves(
    home: Path, drained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vonggac(home, "disk", "retire", str(drained)) == 1
    assert "start `vonggac audit run`" in capsys.readouterr().err
    assert names(home) == {"leaves", "stays"}
