"""The ingest loop with real sockets: the test plays parent, keeper and camera."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from loop_rig import PPS, SPS, Rig, gop


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()


def test_what_a_camera_sends_stands_in_chunks(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(60, 1) + gop(60, 2))
    ended = rig.detach()
    assert ended.next_sequence == len(keeper.chunks)
    sent = [nal for nals in camera.sent for nal in nals if nal not in (SPS, PPS)]
    assert keeper.nals == sent
