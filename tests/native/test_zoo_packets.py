"""Packets of cameras that nobody has reported yet: the same pictures, dressed otherwise.

Every case sends pictures that are known, and holds what comes out against them: a picture that is
not marked is exactly what was sent, and what was sent whole is not lost.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

import pytest

from assembler_rig import (
    AUD,
    ENDED,
    H265_CRA,
    H265_IDR,
    H265_PPS,
    H265_RASL,
    H265_SPS,
    H265_TRAIL,
    H265_VPS,
    IDR,
    IDR_2,
    P_1,
    P_2,
    PPS,
    RECOVERY,
    SEI,
    SPS,
    flags,
    nals,
)
from loop_rig import Rig, gop, idr, inter, interleave, without_sets
from packetiser import H264, H265, payloads, rtp
from rtp_camera import Camera
from vonggac._native.assembler import AccessUnit
from vonggac_appliance.loop_wire import LoopEvent

Units = Sequence[Sequence[bytes]]
Dress = Callable[[bytes], bytes]
SSRC = 0x11223344


def h265_gop(pictures: int, seed: int = 0) -> list[list[bytes]]:
    draw = random.Random(seed)

    def slice_of(header: bytes) -> bytes:
        return header + draw.randbytes(3000).replace(b"\0", b"\1")

    first = [H265_VPS, H265_SPS, H265_PPS, slice_of(b"\x26\x01\xaf")]
    return [first, *([slice_of(b"\x02\x01\xd0")] for _ in range(1, pictures))]


PICTURES: dict[int, Units] = {
    H264: [*gop(6, 1, 3000), *gop(6, 2, 3000), *gop(6, 3, 3000)],
    H265: [*h265_gop(6, 1), *h265_gop(6, 2), *h265_gop(6, 3)],
}


def packets(
    codec: int,
    units: Units,
    *,
    marker: str = "last",
    stamp: Callable[[int], int] = lambda n: n * 3600,
    ssrc: Callable[[int], int] = lambda _: SSRC,
    payload_type: int = 96,
    joined: bool = False,
) -> list[bytes]:
    """All packets of all pictures; `stamp` and `ssrc` are asked with the picture's number."""
    out: list[bytes] = []
    for n, unit in enumerate(units):
        parts = payloads(codec, unit, 1400, joined)
        for i, part in enumerate(parts):
            places = {"last": i == len(parts) - 1, "always": True, "never": False, "first": i == 0}
            out.append(
                rtp(
                    part,
                    sequence=65530 + len(out),
                    timestamp=stamp(n) & 0xFFFFFFFF,
                    marker=places[marker],
                    ssrc=ssrc(n),
                    payload_type=payload_type,
                )
            )
    return out


def received(codec: int, sent: Sequence[bytes]) -> list[AccessUnit]:
    camera = Camera(codec)
    for packet in sent:
        camera.raw(packet)
    return camera.end()


def check(units: list[AccessUnit], sent: Units) -> None:
    """What is not marked was sent so; in the order in which it was sent."""
    at = 0
    whole = [list(unit) for unit in sent]
    for unit in units:
        if unit.damaged or not unit.is_picture:
            continue
        assert unit.nals in whole[at:], "a picture that was never sent looks whole"
        at += whole[at:].index(unit.nals) + 1


# --- The header of a packet (RFC 3550 5.1, 5.3.1) ---


def sources(count: int) -> Dress:
    return lambda p: bytes((p[0] | count,)) + p[1:12] + bytes(4 * count) + p[12:]


def extended(profile: int, words: int) -> Dress:
    body = struct.pack(">HH", profile, words) + b"\x10\xff\0\0" * words
    return lambda p: bytes((p[0] | 0x10,)) + p[1:12] + body + p[12:]


def padded(count: int) -> Dress:
    return lambda p: bytes((p[0] | 0x20,)) + p[1:] + bytes(max(0, count - 1)) + bytes((count,))


DRESSES: dict[str, Sequence[Dress]] = {
    "one source": [sources(1)],
    "fifteen sources": [sources(15)],
    "an empty extension": [extended(0xBEDE, 0)],
    "one-byte extensions": [extended(0xBEDE, 2)],
    "two-byte extensions": [extended(0x1000, 1)],
    "ONVIF replay": [extended(0xABAC, 3)],
    "ONVIF JPEG": [extended(0xFFD8, 5)],
    "a long extension": [extended(0, 300)],
    "a byte of padding": [padded(1)],
    "padding to four": [padded(4)],
    "all padding there can be": [padded(255)],
    "sources and an extension": [extended(0xABAC, 3), sources(3)],
    "all of it": [extended(0xABAC, 3), sources(15), padded(7)],
}


@pytest.mark.parametrize("codec", [H264, H265])
@pytest.mark.parametrize("name", DRESSES)
def test_pictures_are_the_same_behind_any_header(name: str, codec: int) -> None:
    sent = packets(codec, PICTURES[codec])
    for dress in DRESSES[name]:
        sent = [dress(packet) for packet in sent]
    units = received(codec, sent)
    assert nals(units) == PICTURES[codec]
    assert not any(flags(units))


# --- Markers, timestamps ---

STAMPS: dict[str, Callable[[int], int]] = {
    "as they should be": lambda n: n * 3600,
    "frozen": lambda _: 7,
    "frozen in pairs": lambda n: n // 2 * 7200,
    "frozen for a GOP": lambda n: n // 6 * 90_000,
    "backwards": lambda n: -n * 3600,
    "anywhere": lambda n: random.Random(n).getrandbits(32),
    "in milliseconds": lambda n: n * 40,
    "twice as fast": lambda n: n * 7200,
    "across the wrap": lambda n: 0xFFFFFFFF - 5 * 3600 + n * 3600,
    "to and fro": lambda n: 3600 * (n ^ 1),
}


@pytest.mark.parametrize("codec", [H264, H265])
@pytest.mark.parametrize("marker", ["last", "always", "never", "first"])
@pytest.mark.parametrize("name", STAMPS)
def test_pictures_are_the_same_however_they_are_stamped(name: str, marker: str, codec: int) -> None:
    units = received(codec, packets(codec, PICTURES[codec], marker=marker, stamp=STAMPS[name]))
    assert nals(units) == PICTURES[codec]
    assert not any(flags(units))


# --- Who sends, and how packets are numbered ---


@pytest.mark.parametrize("codec", [H264, H265])
def test_a_source_that_changes_with_every_gop_costs_what_is_marked(codec: int) -> None:
    sent = PICTURES[codec]
    units = received(codec, packets(codec, sent, ssrc=lambda n: 1 + n // 6))
    check(units, sent)
    assert sum(not unit.damaged for unit in units) >= len(sent) - 4


@pytest.mark.parametrize("codec", [H264, H265])
def test_numbers_that_begin_anew_with_every_gop_cost_what_is_marked(codec: int) -> None:
    sent = PICTURES[codec]
    renumbered = []
    for n in range(3):
        part = packets(codec, sent[6 * n : 6 * n + 6], stamp=lambda m, n=n: (6 * n + m) * 3600)
        renumbered += [p[:2] + struct.pack(">H", 5 + i) + p[4:] for i, p in enumerate(part)]
    units = received(codec, renumbered)
    check(units, sent)
    assert sum(not unit.damaged for unit in units) >= len(sent) - 4


@pytest.mark.parametrize("codec", [H264, H265])
def test_numbers_that_never_move_are_recorded_and_marked(codec: int) -> None:
    """What is missing nobody could tell, so nothing of it looks whole."""
    sent = [p[:2] + b"\0\7" + p[4:] for p in packets(codec, PICTURES[codec])]
    units = received(codec, sent)
    assert nals(units[-6:]) == PICTURES[codec][-6:]
    assert all(flags(units[1:]))


def test_a_packet_that_comes_often_is_taken_once() -> None:
    """Below what makes numbers that never move."""
    sent = packets(H264, PICTURES[H264])
    units = received(H264, [packet for packet in sent for _ in range(9)])
    assert nals(units) == PICTURES[H264]
    assert not any(flags(units))


# --- Payload types ---


@pytest.mark.parametrize("codec", [H264, H265])
@pytest.mark.parametrize("kind", [97, 35, 26, 127])
def test_video_of_another_type_than_declared_is_taken_where_that_never_comes(
    kind: int, codec: int
) -> None:
    sent = PICTURES[codec]
    units = received(codec, packets(codec, sent, payload_type=kind))
    check(units, sent)
    assert nals(units[-6:]) == sent[-6:]
    assert not any(flags(units[-5:]))


def test_the_declared_type_is_taken_alone_once_it_has_come() -> None:
    """Another one was taken until then; afterwards it is somebody else's for good."""
    sent = PICTURES[H264]
    other = packets(H264, sent, payload_type=107)
    declared = packets(H264, sent, ssrc=lambda _: 99)
    camera = Camera(H264)
    for packet in [*other, *declared]:
        camera.raw(packet)
    camera.units.clear()
    mixed = packets(H264, sent, ssrc=lambda _: 99, stamp=lambda n: 10**6 + n * 3600)
    number = len(declared)
    for packet in mixed:
        for foreign in other[:40]:
            camera.raw(foreign)
        camera.raw(packet[:2] + struct.pack(">H", (65530 + number) & 0xFFFF) + packet[4:])
        number += 1
    units = camera.end()
    assert nals(units[-len(sent) :]) == sent
    assert not any(flags(units[-len(sent) :]))


def test_sound_among_the_pictures_is_never_taken_for_them() -> None:
    """RFC 3551 table 4: who did not agree to be heard is not kept as video that shows nothing."""
    sent = PICTURES[H264]
    assert received(H264, packets(H264, sent, payload_type=8)) == []


def test_types_that_alternate_are_nobodys() -> None:
    """No number of one alone says what the other is."""
    sent = packets(H264, PICTURES[H264], payload_type=97)
    mixed = [p if n % 2 else bytes((p[0], p[1] + 1)) + p[2:] for n, p in enumerate(sent)]
    assert received(H264, mixed) == []


# --- Another codec in mid-stream ---


@pytest.mark.parametrize(("declared", "other"), [(H264, H265), (H265, H264)])
@pytest.mark.parametrize("joined", [False, True])
def test_another_codec_than_declared_gives_no_picture(
    declared: int, other: int, joined: bool
) -> None:
    """Junk that looks like video would be recorded for ever; without pictures the watchdog ends it,
    and the next description tells."""
    before = packets(declared, PICTURES[declared])
    camera = Camera(declared)
    for packet in before:
        camera.raw(packet)
    for n, packet in enumerate(packets(other, PICTURES[other], joined=joined)):
        camera.raw(packet[:2] + struct.pack(">H", (65530 + len(before) + n) & 0xFFFF) + packet[4:])
    pictures = [unit for unit in camera.end() if unit.is_picture]
    assert [unit.nals for unit in pictures[:-1]] == [list(u) for u in PICTURES[declared][:-1]]
    assert len(pictures) == len(PICTURES[declared])


def test_data_partitions_are_pictures_in_the_one_profile_that_has_them() -> None:
    extended_sps = bytes([0x67, 88]) + SPS[2:]
    parts = [bytes((0x42, 0xB8, 1, 2)), bytes((0x43, 0xA0, 3)), bytes((0x44, 0xA0, 4))]
    units = Camera().send(1, extended_sps, PPS, IDR).send(2, *parts).end()
    assert nals(units) == [[extended_sps, PPS, IDR], parts]
    assert nals(Camera().send(1, SPS, PPS, IDR).send(2, *parts).end()) == [[SPS, PPS, IDR]]


# --- What stands around slices ---

FILLER = b"\x0c\xff\xff\x80"
STREAM_ENDED = b"\x0b"
PPS_2 = bytes.fromhex("685b8e")
ORDERS: dict[str, Units] = {
    "everything in front": [[AUD, SPS, PPS, PPS_2, SEI, IDR, IDR_2], [AUD, SEI, P_1, P_2]],
    "sets behind the delimiter and the SEI": [[AUD, SEI, SPS, PPS, IDR], [AUD, P_1]],
    "a PPS between slices": [[SPS, PPS, IDR, PPS_2, IDR_2], [P_1]],
    "filler behind": [[SPS, PPS, IDR, FILLER], [P_1, FILLER], [P_1, FILLER]],
    "ends": [[SPS, PPS, IDR, ENDED], [IDR, ENDED, STREAM_ENDED], [IDR]],
    "a recovery point alone": [[RECOVERY, P_1], [P_1], [RECOVERY, SEI, P_1]],
    "SEI twice": [[SEI, RECOVERY, IDR], [SEI, SEI, P_1]],
    "sets before every slice": [[SPS, PPS, IDR], [SPS, PPS, P_1], [SPS, PPS, P_1]],
}


@pytest.mark.parametrize("marker", ["last", "always", "never"])
@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("name", ORDERS)
def test_what_stands_around_slices_stays_with_its_picture(
    name: str, joined: bool, marker: str
) -> None:
    sent = ORDERS[name]
    units = received(H264, packets(H264, sent, marker=marker, joined=joined))
    assert nals(units) == sent
    assert not any(flags(units))


H265_AUD, H265_ENDED, H265_FILLER = b"\x46\x01\x50", b"\x48\x01", b"\x4c\x01\xff\x80"
H265_SEI = bytes.fromhex("4e01050102030480")
H265_ORDERS: dict[str, Units] = {
    "clean random access alone": [[H265_VPS, H265_SPS, H265_PPS, H265_CRA], [H265_RASL]],
    "everything in front": [[H265_AUD, H265_VPS, H265_SPS, H265_PPS, H265_SEI, H265_IDR]],
    "filler and ends": [[H265_IDR, H265_FILLER, H265_ENDED], [H265_IDR], [H265_TRAIL]],
    "sets before every picture": [[H265_VPS, H265_SPS, H265_PPS, H265_TRAIL]] * 3,
}


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("name", H265_ORDERS)
def test_what_stands_around_h265_slices_stays_with_its_picture(name: str, joined: bool) -> None:
    sent = H265_ORDERS[name]
    units = received(H265, packets(H265, sent, joined=joined))
    assert nals(units) == [list(unit) for unit in sent]
    assert not any(flags(units))


# --- Through a real loop ---


def test_a_camera_that_sends_another_type_than_it_declares_is_recorded(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    for packet in packets(H264, PICTURES[H264], payload_type=107):
        camera.socket.sendall(interleave(packet))
    rig.detach()
    last = without_sets(PICTURES[H264][12:])
    assert keeper.nals[-len(last) :] == last
    assert rig.events(LoopEvent.FIRST_VIDEO)


def test_a_camera_that_changes_its_codec_in_mid_stream_stalls(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach(stall_ms=300)
    camera.send([[*gop(1)[0][:2], idr()], [inter()]])
    rig.until(lambda: bool(rig.events(LoopEvent.FIRST_VIDEO)))
    number = 0

    def changed() -> bool:
        nonlocal number
        for packet in packets(H265, h265_gop(2, number)):
            sequence = struct.pack(">H", (1000 + number) & 0xFFFF)
            camera.socket.sendall(interleave(packet[:2] + sequence + packet[4:]))
            number += 1
        return bool(rig.events(LoopEvent.STALLED))

    rig.until(changed)
    rig.detach()
    assert all(nal[0] & 0x1F in (1, 5, 6) for nal in keeper.nals)
