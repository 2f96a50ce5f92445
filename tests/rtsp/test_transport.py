"""Transport and Session fields as cameras write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vonggac.rtsp.messages import parse_message
from vonggac.rtsp.transport import (
    SessionHeader,
    Transport,
    parse_session,
    parse_transport,
    tcp_transport,
)

TRANSPORTS = {
    "RTP/AVP/TCP;unicast;interleaved=0-1": Transport("RTP/AVP/TCP", (0, 1)),
    "RTP/AVP/TCP;unicast;interleaved=8-9;ssrc=D93FF": Transport(
        "RTP/AVP/TCP", (8, 9), ssrc=0xD93FF
    ),
    "RTP/AVP/TCP;interleaved=4": Transport("RTP/AVP/TCP", (4, 5)),
    "RTP/AVP;unicast;interleaved=0-1": Transport("RTP/AVP", (0, 1)),
    "interleaved = 2-3 ; ssrc= d6d6627;RTP/AVP/TCP": Transport(
        "RTP/AVP/TCP", (2, 3), ssrc=0xD6D6627
    ),
    'RTP/AVP/TCP;interleaved=0-1;ssrc=2147483648;mode="play"': Transport("RTP/AVP/TCP", (0, 1)),
    "RTP/AVP/TCP;interleaved=300-301": Transport("RTP/AVP/TCP"),
    "RTP/AVP/TCP;interleaved=5-5": Transport("RTP/AVP/TCP"),
    "RTP/AVP;multicast;destination=225.1.2.3;port=7000-7001;ttl=1": Transport(
        "RTP/AVP", is_multicast=True
    ),
    "RTP/AVP/UDP;unicast;client_port=3056-3057;server_port=5000-5001;source=": Transport(
        "RTP/AVP/UDP", client_ports=(3056, 3057), server_ports=(5000, 5001)
    ),
    "": Transport(""),
}


@pytest.mark.parametrize(("text", "transport"), TRANSPORTS.items())
def test_a_transport_is_read_whatever_its_order_and_blanks(text: str, transport: Transport) -> None:
    assert parse_transport(text) == transport


def test_interleaved_means_tcp_whatever_the_protocol_says() -> None:
    assert parse_transport("RTP/AVP;unicast;interleaved=0-1").is_tcp
    assert parse_transport(tcp_transport(6)).channels == (6, 7)
    assert not parse_transport("RTP/AVP;unicast;client_port=1-2").is_tcp


SESSIONS = {
    "A3eqwsafq3rFASqew": SessionHeader("A3eqwsafq3rFASqew"),
    "A3eq;timeout=47": SessionHeader("A3eq", 47),
    " 708886412 ; timeout = 120 ": SessionHeader("708886412", 120),
    "1;Timeout=0": SessionHeader("1"),
    "1;timeout=": SessionHeader("1"),
    "1;timeout=soon": SessionHeader("1"),
    "": None,
    " ;timeout=3": None,
}


@pytest.mark.parametrize(("text", "session"), SESSIONS.items())
def test_a_session_is_read_with_a_timeout_that_makes_sense(
    text: str, session: SessionHeader | None
) -> None:
    assert parse_session(text) == session


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_a_transport_and_a_session_or_none(text: str) -> None:
    transport = parse_transport(text)
    assert transport.protocol == "" or transport.protocol.startswith("RTP/")
    assert transport.ssrc is None or 0 <= transport.ssrc < 1 << 32
    session = parse_session(text)
    assert (session is None) == (not text.split(";")[0].strip())
    assert session is None or session.timeout_s > 0


RECORDED = {
    "hikvision_setup.txt": ((0, 1), 60),
    "hikvision_setup_ssrc_space.txt": ((0, 1), 60),
    "dahua_setup.txt": ((0, 1), 60),
    "gw_main_setup_video.txt": ((0, 1), 60),
    "reolink_setup.txt": ((0, 1), 60),
    "bunny_setup.txt": ((0, 1), 60),
}


@pytest.mark.parametrize(("name", "expected"), RECORDED.items())
def test_recorded_setup_answers_are_read(
    fixtures: Path, name: str, expected: tuple[tuple[int, int], int]
) -> None:
    path = fixtures / "rtsp/dev/retina" / name
    if not path.exists():
        pytest.skip(f"no recording {name}")
    headers = parse_message(path.read_bytes()).headers
    transport = parse_transport(headers.get("Transport") or "")
    session = parse_session(headers.get("Session") or "")
    assert session is not None
    assert (transport.channels, session.timeout_s) == expected


def test_recorded_fields_are_read(fixtures: Path) -> None:
    room = fixtures / "rtsp/dev/gortsplib_headers"
    if not room.exists():
        pytest.skip("no recorded fields")
    for row in json.loads((room / "transport.json").read_text()):
        transport = parse_transport(row["value"])
        assert transport.protocol.startswith("RTP/AVP"), row["name"]
        assert transport.is_tcp == ("tcp" in row["name"]), row["name"]
    for row in json.loads((room / "session.json").read_text()):
        assert parse_session(row["value"]) is not None
    for path in (fixtures / "rtsp/dev/gortsplib_fuzz").glob("headers_Fuzz*.bin"):
        text = path.read_bytes().decode("latin-1")
        parse_transport(text)
        parse_session(text)
