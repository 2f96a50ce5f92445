"""Every shared recording goes through assembler and chunker without a surprise."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from packetiser import H264, Sender, access_units, split_annex_b
from rtp_camera import Camera
from shared_rig import elementary_streams, kept
from vonggac._native.assembler import (
    ACCESS_UNIT_BYTES_MAX,
    CODEC_H264,
    CODEC_H265,
    CODEC_MJPEG,
    NAL_UNITS_MAX,
    SYNC_IDR,
    AccessUnit,
)
from vonggac.errors import MediaError

CODECS = {"h264": CODEC_H264, "h265": CODEC_H265, "mjpeg": CODEC_MJPEG}


def check(units: list[AccessUnit], codec: int) -> None:
    for unit in units:
        assert unit.nals and all(unit.nals)
        assert codec != CODEC_MJPEG or unit.nals[0][:2] == b"\xff\xd8"


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_any_shared_file_may_be_a_payload_or_a_packet(fixtures: Path, codec: int) -> None:
    paths = [path for path in (fixtures / "rtsp").rglob("*") if path.is_file()]
    assert len(paths) > 100
    for path in paths:
        data = path.read_bytes()[:60_000]
        camera = Camera(codec, ACCESS_UNIT_BYTES_MAX)
        camera.send(1, (data, True), data[:200]).send(2, data[1:], data[2:1400])
        with contextlib.suppress(MediaError):  # no RTP packet
            camera.raw(data)
        check(camera.end(), codec)


def datagrams(pcap: bytes) -> Iterator[bytes]:
    """The UDP payloads of a capture of Ethernet frames (libpcap, either byte order)."""
    order = "<" if pcap[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack_from(f"{order}I", pcap, 20)[0]
    skip = {1: 14, 0: 4, 113: 16}[link]
    at = 24
    while at + 16 <= len(pcap):
        size = struct.unpack_from(f"{order}I", pcap, at + 8)[0]
        frame = pcap[at + 16 + skip : at + 16 + size]
        at += 16 + size
        if len(frame) > 28 and frame[0] >> 4 == 4 and frame[9] == 17:
            yield frame[(frame[0] & 15) * 4 + 8 :]


@pytest.mark.parametrize("name", ["demo_rtp.pcap", "h264_before_sr.pcap"])
def test_a_captured_h264_stream_comes_out_in_pictures(fixtures: Path, name: str) -> None:
    """The second one's datagrams came in any order, which is not the assembler's to mend."""
    packets = list(datagrams((fixtures / "rtsp/dev/membrane_rtp" / name).read_bytes()))
    media = [p for p in packets if len(p) > 12 and p[0] >> 6 == 2 and not 200 <= p[1] <= 204]
    if name == "h264_before_sr.pcap":
        media.sort(key=lambda packet: packet[2:4])
    found: dict[int, list[AccessUnit]] = {}
    for kind in {packet[1] & 0x7F for packet in media}:
        camera = Camera(H264, ACCESS_UNIT_BYTES_MAX, kind)
        for packet in media:
            camera.raw(packet)
        found[kind] = camera.end()
    entries = [
        kind
        for kind, units in found.items()
        if sum(unit.is_picture for unit in units) > 20
        and any(unit.kind == SYNC_IDR and not unit.damaged for unit in units)
    ]
    assert len(entries) == 1
    units = found[entries[0]]
    assert sum(unit.damaged for unit in units) <= 2


def test_every_shared_stream_is_recorded_from_its_first_entry_on(fixtures: Path) -> None:
    recorded = 0
    for codec, path in elementary_streams(fixtures):
        sent = access_units(codec, split_annex_b(path.read_bytes()))
        if max(len(unit) for unit in sent) > NAL_UNITS_MAX:
            continue
        camera = Camera(codec, ACCESS_UNIT_BYTES_MAX)
        for packet in Sender(codec).packets(sent):
            camera.raw(packet)
        units = camera.end()
        payload, samples, why = kept(codec, units)
        pictures = [unit for unit in units if unit.is_picture]
        first = next((n for n, unit in enumerate(pictures) if unit.kind != 0), len(pictures))
        if samples == 0:
            # No entry, or no parameter sets: nothing could be decoded.
            assert first == len(pictures) or why, path.name
            continue
        assert samples <= len(pictures) - first, path.name
        assert why or samples == len(pictures) - first, path.name
        slices = [nal for unit in pictures[len(pictures) - samples :] for nal in unit.nals[-1:]]
        assert all(len(nal).to_bytes(4, "big") + nal in payload for nal in slices[:50]), path.name
        recorded += 1
    assert recorded > 25
