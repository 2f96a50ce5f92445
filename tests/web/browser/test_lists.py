"""The script of the list of cameras, in Debian's Chromium and Firefox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser_person import BROWSERS, Person, missing_for
from page_rig import NAME, PAGE_PASSWORD, PagedBox
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog

STRANGE = "\"><img src=x onerror='document.title=1'>"
PLACES = {"a3": "ngõ Đội Cấn", "a1": "hẻm 12", "a2": f"kiệt {STRANGE}", "a4": "Đội Nhân"}


@pytest.fixture(params=BROWSERS)
def person(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Person]:
    """Somebody who has signed in at a box whose cameras are all away."""
    if missing := missing_for(request.param):
        reason = f"a browser test needs {', '.join(missing)}"
        if os.environ.get("VONGGAC_BROWSERS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    box = PagedBox(tmp_path / "home")
    with Catalog(box.home) as catalog:
        for code, point in PLACES.items():
            stream = Stream(os.urandom(16), "main", "rtsp://127.0.0.1:9/")
            kind = OwnerKind.UNCLASSIFIED if code == "a4" else OwnerKind.STATE
            catalog.add_camera(
                Camera(os.urandom(16), code, (stream,), 0, point=point, owner_kind=kind)
            )
    try:
        with box.running("run"):
            made = Person(request.param, box.origin)
            try:
                code = box.setup_code()
                made.plays("first_sign_in", code=code, name=NAME, password=PAGE_PASSWORD)
                yield made
            finally:
                made.leave()
    finally:
        box.discard()


def test_the_list_is_filtered_and_ordered_on_the_spot(person: Person) -> None:
    told = person.plays("filter", wanted="doi")

    assert told.complaints == []
    assert told.result["all"] == ["a4", "a1", "a2", "a3"]  # red first, then by name
    assert told.result["found"] == ["a4", "a3"]
    assert told.result["ordered"] == ["a1", "a2", "a3", "a4"]
    assert told.result["address"] == "?q=doi&sort=code"
    assert told.result["isTold"] and told.result["loaded"] == 0
    assert told.result["again"] == told.result["later"] == ["a3", "a4"]
