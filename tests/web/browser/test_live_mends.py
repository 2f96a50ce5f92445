"""What a live picture survives in Debian's browsers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from box_rig import Cameras
from browser_person import BROWSERS, Person, missing_for
from page_rig import NAME, PAGE_PASSWORD, PagedBox
from vonggac.registry.catalog import Catalog


@pytest.fixture
def box(tmp_path: Path) -> Iterator[PagedBox]:
    cameras = Cameras(1)
    made = PagedBox(tmp_path / "home", "320M")
    try:
        made.add(cameras, "cam1")
        with made.running("run"):
            made.until_durable(1.0)
            yield made
    finally:
        made.discard()
        cameras.stop()


@pytest.mark.slow
@pytest.mark.parametrize("browser", BROWSERS)
def test_a_live_picture_survives_broken_bytes_and_a_lost_socket(
    browser: str, box: PagedBox
) -> None:
    if missing := missing_for(browser):
        if os.environ.get("VONGGAC_BROWSERS") == "required":
            pytest.fail(f"a browser test needs {', '.join(missing)}")
        pytest.skip(f"a browser test needs {', '.join(missing)}")
    with Catalog(box.home, is_readonly=True) as catalog:
        camera = catalog.camera("cam1")
    assert camera is not None
    person = Person(browser, box.origin)
    try:
        code = box.setup_code()
        person.plays("first_sign_in", code=code, name=NAME, password=PAGE_PASSWORD)
        told = person.plays("live_mends", camera=camera.id.hex())
    finally:
        person.leave()

    assert told.complaints == []
    for part in ("before", "mended", "again"):
        assert told.result[part]["frames"] == 20
        assert told.result[part]["advances"]
    assert told.result["socketsThen"] == 1  # the decoder's trouble costs no socket
