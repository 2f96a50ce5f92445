"""The defects that `make -C native planted` plants can still be planted."""

from __future__ import annotations

import runpy
from pathlib import Path

NATIVE = Path(__file__).resolve().parent.parent.parent / "native"


def test_every_line_that_is_spoiled_is_there_once() -> None:
    planted = runpy.run_path(str(NATIVE / "fuzz" / "planted"))
    assert len(planted["DEFECTS"]) > 10
    for defect in planted["DEFECTS"]:
        text = (NATIVE / "src" / f"{defect.source}.c").read_text()
        assert text.count(defect.line) == 1, defect.what
        assert (NATIVE / "fuzz" / f"fuzz_{defect.target}.c").is_file()
