"""Cameras that send datagrams, known by their captures alone: they do again what they did."""

from __future__ import annotations

import importlib.resources
import re
import socket
from collections.abc import Sequence
from fractions import Fraction

import pytest

from capture_rig import looked_at
from quirk_camera import Asked, Quirk, Reply, Visit
from quirk_replay import Replay
from udp_proxy import Manners
from vonggac.media.chunk import Codec
from vonggac_appliance.camera_clip import Clip, load_clip

SECONDS = 1.5
AGAIN_S = 3.0
"""Longer: what comes last comes at its own time, on a machine that may be busy."""


class ByTheBook(Quirk):
    name, has_udp = "udp-book", True


class LogsIn(ByTheBook):
    name = "udp-digest"
    challenges = ('Digest realm="cam", nonce="{nonce}"',)


class Loses(ByTheBook):
    """Nothing of it arrives otherwise than in order."""

    name, manners = "udp-loses", Manners(loses=0.2, seed=7)


class Repeats(ByTheBook):
    name, manners = "udp-repeats", Manners(repeats=0.5, seed=7)


class TellsNoPorts(ByTheBook):
    """Row 56."""

    name = "udp-no-server-port"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        for field, value in reply.headers.items():
            reply.headers[field] = re.sub(r";server_port=[\d-]+", "", value)
        return reply


class SwapsReports(ByTheBook):
    """Row 74, as datagrams: an empty report where pictures go."""

    name = "udp-report-among-pictures"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        report = b"\x80\xc9\0\x01\0\0\x12\x34"
        return super().frame(number, channel, [report, *packets])


class AlsoReports(ByTheBook):
    """Sender reports, at their own port."""

    name = "udp-reports"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        report = bytes.fromhex("80c800060000123483aa7e80000000000000000000000001000004d2")
        return super().frame(number, channel, packets) + super().frame(number, 1, [report])


CAMERAS = (ByTheBook, LogsIn, Loses, Repeats, TellsNoPorts, SwapsReports, AlsoReports)


@pytest.fixture(scope="module")
def clip() -> Clip:
    file = importlib.resources.files("vonggac_appliance") / "demo" / "street-sub.h264"
    return load_clip(file.read_bytes(), Codec.H264, Fraction(25, 2))


def test_the_capture_of_a_camera_that_sends_datagrams_sends_the_same_ones(clip: Clip) -> None:
    first = looked_at([camera(clip) for camera in CAMERAS], SECONDS, "udp")
    again = looked_at([Replay(look.text, look.name) for look in first], AGAIN_S, "udp")
    for before, after in zip(first, again, strict=True):
        assert before.found.transport == after.found.transport == "udp", before.name
        assert after.outcome() == before.outcome(), before.name
        was, now = before.found.figures, after.found.figures
        assert was is not None and now is not None
        assert (now.packets, now.packets_lost) == (was.packets, was.packets_lost), before.name
        assert now.damaged == was.damaged, before.name
        assert (now.clock is None) is (was.clock is None), before.name
    lossy = first[CAMERAS.index(Loses)].found.figures
    assert lossy is not None and lossy.packets_lost > 2


def test_its_datagrams_come_from_the_ports_that_its_replay_tells(clip: Clip) -> None:
    """Not from those of the capture, which are somebody else's by now."""
    (look,) = looked_at([ByTheBook(clip)], SECONDS, "udp")
    was = re.search(r"server_port=(\d+)-(\d+)", look.text)
    assert was is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as somebody:
        somebody.bind(("127.0.0.1", int(was[1])))
        (again,) = looked_at([Replay(look.text, look.name)], SECONDS, "udp")
    now = re.search(r"server_port=(\d+)-(\d+)", again.text)
    assert now is not None and now[0] != was[0]
    assert again.found.figures is not None and again.found.figures.pictures > 3
