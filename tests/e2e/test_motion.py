"""From a camera to the answer of a search: recorded, decoded, indexed, asked for."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import pytest

from audit_rig import audit_run, chain_of, vonggac
from box_rig import Box, Cameras
from motion_rig import motion_run
from vonggac.errors import Refused
from vonggac.motion import ranges
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose, PurposeCode, local_person
from vonggac_appliance.messages_motion import (
    MotionCovered,
    MotionDone,
    MotionQuery,
    Points,
    Watched,
)
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.motion_looks import MotionLooks, Searcher

_S = 1_000_000_000


def seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text).timestamp()


def test_what_moves_before_a_camera_is_found_by_a_search_and_a_kill_loses_nothing(
    box: Box, cameras: Cameras, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in cameras.names:
        box.add(cameras, name)
    with audit_run(box.home), box.running():
        box.until_durable(2.0)
        began_s = int(time.time())
        with motion_run(box.home) as motion:
            found: list[dict[str, Any]] = []

            def is_found() -> bool:
                hits, _ = motion.search(capsys, "cam1", "cam2")
                found[:] = hits
                newest = {h["camera"]: seconds(h["to"]) for h in reversed(hits)}
                return set(newest) == {"cam1", "cam2"} and min(newest.values()) > began_s + 3

            motion.until(is_found)
            assert all(hit["tier"] == "full" and hit["cells"] > 0 for hit in found)
            assert all(one.stream == "sub" for one in motion.status().streams)

            assert_only_what_was_logged_is_answered(box)

            motion.stop(signal.SIGKILL)
            box.until_durable(12.0)
            motion.start()

            def is_whole() -> bool:
                return all(indexed(box, code) >= recorded(box, code) for code in cameras.names)

            motion.until(is_whole)
            assert vonggac(box.home, "motion", "rebuild", "cam1") == 0
            motion.until(lambda: is_whole() and indexed(box, "cam1") >= 10)
            _, done = motion.search(capsys, "cam1")
            assert done["cameras"] == 1 and done["seconds_searched"] >= 10

    lines = [line for line in chain_of(box.home) if line["action"] == "motion search"]
    assert lines[-1]["search"] == "motion in the whole picture"
    (rebuilt,) = [line for line in chain_of(box.home) if line["action"] == "motion rebuild"]
    assert rebuilt["object"].startswith("cam1 1970-01-02T00:00:00")


def assert_only_what_was_logged_is_answered(box: Box) -> None:
    """Of a receipt for one region of one camera in one hour."""
    query, receipts = permitted(box, "cam1", [[(0.1, 0.1), (0.5, 0.1), (0.5, 0.5)]])
    replace = msgspec.structs.replace
    with Catalog(box.home, is_readonly=True) as catalog:
        other = catalog.camera("cam2")
    assert other is not None
    whole = [Watched(query.cameras[0].camera)]
    refused = [
        (query, []),
        (query, [bytes(len(receipts[0]))]),
        (replace(query, cameras=whole), receipts),
        (replace(query, cameras=[*query.cameras, Watched(other.id)]), receipts),
        (replace(query, from_ns=query.from_ns - 1), receipts),
        (replace(query, cells_min=2), receipts),
    ]
    with MotionClient(box.home) as client:
        for asked, shown in refused:
            with pytest.raises(Refused):
                list(client.search(asked, shown))
        with pytest.raises(Refused):
            client.heat(query, receipts)
        *_, done = client.search(query, receipts)
        assert isinstance(done, MotionDone)


def recorded(box: Box, code: str) -> int:
    """Seconds of the sub-stream that were recorded whole, but for the newest."""
    line = box.timeline(code, "sub")
    spans = ranges.of_spans([(r.from_ns, r.to_ns) for r in line.ranges])
    return ranges.total(ranges.within(spans, 0, int(time.time()) - 10)) - 1


def indexed(box: Box, code: str) -> int:
    """Seconds that a search of the last hour goes over."""
    covered = [a for a in answers(box, code) if isinstance(a, MotionCovered)]
    return ranges.total(covered[0].ranges)


def answers(box: Box, code: str) -> list[Any]:
    query, receipts = permitted(box, code)
    with MotionClient(box.home) as client:
        return list(client.search(query, receipts))


def permitted(
    box: Box, code: str, regions: Sequence[Points] = ()
) -> tuple[MotionQuery, list[bytes]]:
    """A search of the last hour that was logged."""
    now_ns = time.time_ns()
    with Catalog(box.home, is_readonly=True) as catalog:
        camera = catalog.camera(code)
        assert camera is not None
        asked = MotionQuery([Watched(camera.id, list(regions))], now_ns - 3600 * _S, now_ns)
        looks = MotionLooks(box.home, catalog)
        who = Searcher(local_person(os.getuid()))
        permit = looks.permit(who, Purpose(PurposeCode.OTHER, "thử"), asked)
    return permit.query, list(permit.receipts)
