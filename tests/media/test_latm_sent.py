"""LATM as a sender of others writes it: ffmpeg's, whose frames are known before they are sent."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sound_maker import aac, adts
from vonggac._native.parse import rtp_parse
from vonggac._native.sound import SoundReader
from vonggac.media.sound import SoundCodec
from vonggac.rtsp.sdp import parse_sdp
from vonggac.rtsp.sound import sound_track


def sent(ffmpeg: str, file: Path, packet_bytes: int) -> tuple[str, list[bytes]]:
    """Its description and its packets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        ear.bind(("127.0.0.1", 0))
        ear.setblocking(False)
        port = ear.getsockname()[1]
        told = file.with_suffix(".sdp")
        subprocess.run(
            [
                *(
                    ffmpeg,
                    "-v",
                    "error",
                    "-i",
                    str(file),
                    "-c",
                    "copy",
                    "-f",
                    "rtp",
                    "-rtpflags",
                    "latm",
                ),
                *("-sdp_file", str(told), f"rtp://127.0.0.1:{port}?pkt_size={packet_bytes}"),
            ],
            check=True,
            stdin=subprocess.DEVNULL,
        )
        packets = []
        while True:
            try:
                packets.append(ear.recv(1 << 16))
            except BlockingIOError:
                return told.read_text(), packets


@pytest.mark.parametrize("packet_bytes", [1400, 80], ids=["whole", "in parts"])
def test_what_ffmpeg_sends_as_latm_is_what_it_was_given(
    program: Callable[[str], str], tmp_path: Path, packet_bytes: int
) -> None:
    ffmpeg = program("ffmpeg")
    units = aac(ffmpeg, 2)
    file = tmp_path / "tone.aac"
    file.write_bytes(adts(units))
    description, packets = sent(ffmpeg, file, packet_bytes)
    control = description.strip() + "\na=control:track1\n"
    track = sound_track(parse_sdp(control.encode()))
    assert track is not None
    assert track.sound.codec is SoundCodec.LATM
    assert (track.sound.channels, track.sound.sample_rate) == (1, 16_000)
    reader = SoundReader(track.sound)
    found = []
    for data in packets:
        packet = rtp_parse(data)
        payload = bytes(packet.payload)
        found += reader.push(payload, packet.sequence, packet.timestamp, packet.ssrc)
    assert [unit for unit, _, _ in found] == units
    first = found[0][1]
    assert [stamp - first & 0xFFFFFFFF for _, stamp, _ in found] == [
        1024 * number for number in range(len(units))
    ]
    assert (len(packets) > len(units)) is (packet_bytes < 100)
