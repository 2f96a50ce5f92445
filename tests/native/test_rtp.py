"""RTP packets (RFC 3550 5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac._native import parse
from vonggac.errors import MediaError

HEAD = bytes.fromhex("80e0fffe 89abcdef 01020304")


def packet(first: int, rest: bytes) -> bytes:
    return bytes([first]) + HEAD[1:] + rest


def test_the_fixed_header_is_read() -> None:
    got = parse.rtp_parse(HEAD + b"payload")
    assert got.marker
    assert (got.payload_type, got.sequence) == (96, 0xFFFE)
    assert (got.timestamp, got.ssrc) == (0x89ABCDEF, 0x01020304)
    assert bytes(got.payload) == b"payload"


@pytest.mark.parametrize(
    ("datagram", "payload"),
    [
        pytest.param(packet(0x80, b""), b"", id="nothing behind the header"),
        pytest.param(packet(0x82, bytes(8) + b"ab"), b"ab", id="two CSRC"),
        pytest.param(
            packet(0x90, b"\xab\xac\0\3" + bytes(12) + b"ab"), b"ab", id="ONVIF extension"
        ),
        pytest.param(packet(0x90, b"\0\0\0\0ab"), b"ab", id="empty extension"),
        pytest.param(packet(0xA0, b"ab\0\0\3"), b"ab", id="padding"),
        pytest.param(packet(0xA0, b"\0\0\0\4"), b"", id="nothing but padding"),
        pytest.param(packet(0xA0, b"ab\0"), b"ab\0", id="padding of 0 takes nothing away"),
        pytest.param(packet(0xA0, b""), b"", id="padding bit without a byte"),
        pytest.param(packet(0xB1, bytes(4) + b"\0\0\0\1" + bytes(4) + b"a\1"), b"a", id="all"),
    ],
)
def test_the_payload_lies_between_extension_and_padding(datagram: bytes, payload: bytes) -> None:
    assert bytes(parse.rtp_parse(datagram).payload) == payload


@pytest.mark.parametrize(
    ("datagram", "kind", "rule", "offset"),
    [
        pytest.param(b"", "short", "RFC 3550 5.1 fixed header", 0, id="empty"),
        pytest.param(HEAD[:11], "short", "RFC 3550 5.1 fixed header", 11, id="cut"),
        pytest.param(packet(0x40, b""), "value", "RFC 3550 5.1 V", 0, id="version 1"),
        pytest.param(packet(0x81, b"abc"), "short", "RFC 3550 5.3.1 length", 12, id="CSRC cut"),
        pytest.param(packet(0x90, b"\0\0\0"), "short", "RFC 3550 5.3.1 length", 14, id="no length"),
        pytest.param(
            packet(0x90, b"\0\0\0\2abcd"), "short", "RFC 3550 5.3.1 length", 16, id="long"
        ),
        pytest.param(packet(0xA0, b"ab\4"), "value", "RFC 3550 5.1 P", 14, id="too much padding"),
    ],
)
def test_the_error_names_the_broken_clause(
    datagram: bytes, kind: str, rule: str, offset: int
) -> None:
    with pytest.raises(MediaError) as caught:
        parse.rtp_parse(datagram)
    assert (caught.value.kind, caught.value.rule, caught.value.offset) == (kind, rule, offset)


def test_every_cut_of_a_header_is_short() -> None:
    whole = packet(0xB1, bytes(4) + b"\0\0\0\1" + bytes(4))
    for size in range(24):
        with pytest.raises(MediaError, match="short"):
            parse.rtp_parse(whole[:size])


@given(st.binary(max_size=64))
def test_any_bytes_give_a_packet_or_a_fault(datagram: bytes) -> None:
    try:
        got = parse.rtp_parse(datagram)
    except MediaError as error:
        offset = error.offset
    else:
        assert bytes(got.payload) in datagram
        offset = 0
    assert offset <= len(datagram)


def test_a_payload_keeps_its_datagram_from_being_resized() -> None:
    datagram = bytearray(HEAD + b"payload")
    payload = parse.rtp_parse(datagram).payload
    with pytest.raises(BufferError):
        datagram.append(0)
    assert bytes(payload) == b"payload"
