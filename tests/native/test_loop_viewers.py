"""Live viewers of a stream: what a loop sends them, and when it lets them go."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence
from pathlib import Path

from loop_rig import (
    FRAME_TICKS,
    LIVE_HEAD,
    LIVE_UNIT,
    PPS,
    SPS,
    Rig,
    gop,
    later,
)
from vonggac_appliance import loop_wire

STREAM = b"s" * 16


class Viewer:
    """What a live viewer puts together."""

    def __init__(self, rig: Rig, header: bytes = b"the receipt", until_ms: int = 600_000) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        rig.sockets.append(self.socket)
        rig.tell(loop_wire.live(STREAM, until_ms, header), theirs)
        self.socket.settimeout(10)
        self.first = self.socket.recv(1 << 16)
        self.heads: list[bytes] = []

    def unit(self) -> tuple[int, tuple[int, ...], bytes]:
        """(number, fixed fields, bytes) of the next access unit."""
        body = b""
        while True:
            message = self.socket.recv(1 << 16)
            _version, kind, number, part, last = struct.unpack_from(">HHIHH", message)
            if kind == LIVE_HEAD:
                self.heads.append(message[12:])
                continue
            assert kind == LIVE_UNIT
            if part == 0:
                fields = struct.unpack_from(">QQIBBQqI", message, 12)
                body = message[12 + 42 :]
            else:
                body += message[12:]
            if last:
                assert len(body) == fields[-1]
                return number, fields, body


def framed(nals: Sequence[bytes]) -> bytes:
    return b"".join(len(n).to_bytes(4) + n for n in nals if n not in (SPS, PPS))


def test_a_viewer_gets_the_gop_so_far_and_then_what_comes(rig: Rig) -> None:
    keeper = rig.keeper(acknowledges=None)
    camera = rig.attach()
    units = gop(8, 1, size=30_000)
    camera.send(units[:4])
    rig.until(lambda: len(keeper.chunks) == 1)  # a tick: the GOP so far is in two chunks
    camera.send(units[4:6])
    rig.until(lambda: rig.stats().access_units >= 5)
    viewer = Viewer(rig)
    assert viewer.first == b"the receipt"
    camera.send(units[6:])
    seen = [viewer.unit() for _ in range(7)]
    assert [body for _n, _f, body in seen] == [framed(u) for u in units[:7]]
    assert [n for n, _f, _b in seen] == list(range(1, 8))
    assert [fields[5] for _n, fields, _b in seen] == [n * FRAME_TICKS for n in range(7)]
    assert viewer.heads == [keeper.chunks[0].chunk.segment_head]
    rig.detach()
    place = [(f[1], f[2]) for _n, f, _b in seen]
    stored = [(c.claim.sequence, n) for c in keeper.chunks for n in range(c.claim.samples)]
    assert place == stored[:7]


def test_a_viewer_that_comes_late_gets_what_is_not_in_the_ring(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(5, 1))
    rig.until(lambda: len(keeper.chunks) == 1)
    rig.until(lambda: len(keeper.ticks) > 2)
    more = later(3)
    camera.send(more[:2])
    rig.until(lambda: rig.stats().access_units >= 6)
    viewer = Viewer(rig)
    following = gop(3, 2)
    camera.send([*more[2:], *following])
    durable = keeper.chunks[0].claim.samples
    rest = [*gop(5, 1)[durable:], *more, following[0]]
    seen = [viewer.unit() for _ in rest]
    assert [body for _n, _f, body in seen] == [framed(unit) for unit in rest]
    # It goes on where the ring ends: sequence, sample, and no sync sample.
    assert seen[0][1][1:4] == (keeper.chunks[0].claim.sequence + 1, 0, 0)
    assert seen[-1][1][3] == 1


def test_a_viewer_gets_the_next_picture_when_all_before_it_is_in_the_ring(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(5, 1))
    rig.until(lambda: len(keeper.chunks) == 1)
    camera.send(later(1))  # ends the picture before it
    rig.until(lambda: len(keeper.chunks) == 2)
    rig.until(lambda: len(keeper.ticks) > 3)
    viewer = Viewer(rig)
    camera.send(later(2))
    assert viewer.unit()[1][2] == 0


def test_a_slow_viewer_is_dropped_to_the_next_sync_sample_and_told(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(2, 1))
    rig.until(lambda: rig.stats().access_units >= 1)
    viewer = Viewer(rig)
    for n in range(2, 30):
        camera.send(gop(10, n, size=30_000))
    rig.until(lambda: rig.stats().access_units >= 280)
    skipped = False
    last = 0
    for _ in range(3000):
        camera.send(gop(2, 1000))
        number, fields, _body = viewer.unit()
        assert number == last + 1
        last = number
        if fields[4] & 2:
            skipped = True
            assert fields[3] == 1
            break
    assert skipped


def test_a_viewer_is_let_go_when_its_receipt_ends(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(3))
    rig.until(lambda: rig.stats().access_units >= 2)
    start_s = time.monotonic()
    ending, staying = Viewer(rig, until_ms=1500), Viewer(rig)
    # Also when no picture comes: the next tick finds it.
    while ending.socket.recv(1 << 16):
        pass
    assert 1.4 < time.monotonic() - start_s < 8
    camera.send(later(2))
    assert staying.unit()[0] == 1


def wakes_a_second(rig: Rig) -> float:
    """How often the loop slept and went on, by the system's count."""

    def count() -> int:
        lines = Path(f"/proc/{rig.process.pid}/status").read_text().splitlines()
        return next(int(x.split()[1]) for x in lines if x.startswith("voluntary_ctxt_switches"))

    before, began = count(), time.monotonic()
    while time.monotonic() < began + 1:
        rig.turn(0.05)
    return (count() - before) / (time.monotonic() - began)


def test_cameras_are_read_more_often_while_somebody_watches(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(4))
    rig.until(lambda: rig.stats().access_units >= 3)
    alone = wakes_a_second(rig)
    viewer = Viewer(rig)
    watched = wakes_a_second(rig)
    viewer.socket.close()
    rig.turn(0.5)
    assert watched > 2 * alone
    assert wakes_a_second(rig) < watched / 2


def test_the_17th_viewer_is_refused_and_the_others_stay(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach()
    camera.send(gop(3))
    rig.until(lambda: rig.stats().access_units >= 2)
    viewers = [Viewer(rig) for _ in range(16)]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    rig.tell(loop_wire.live(STREAM, 60_000, b"x"), theirs)
    ours.settimeout(10)
    assert ours.recv(10) == b""
    ours.close()
    viewers[3].socket.close()
    camera.send(later(2))
    assert viewers[15].unit()[0] == 1
