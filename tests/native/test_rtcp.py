"""RTCP (RFC 3550 6): what cameras send in it, and what is answered."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac._native import parse

SR = bytes.fromhex("80c80006 0a0b0c0d 1122334455667788 99aabbcc 00000007 00000100")
SDES = bytes.fromhex("81ca0002 0a0b0c0d 00000000")
BYE = bytes.fromhex("81cb0001 0a0b0c0d")


def test_a_sender_report_gives_both_times() -> None:
    items, fault = parse.rtcp_items(SR)
    assert fault is None
    assert [item.kind for item in items] == [parse.RTCP_SR]
    assert items[0].ssrc == 0x0A0B0C0D
    assert items[0].ntp == 0x1122334455667788
    assert items[0].rtp_timestamp == 0x99AABBCC


def test_a_compound_is_read_to_its_end() -> None:
    items, fault = parse.rtcp_items(SR + SDES + BYE)
    assert fault is None
    assert [item.kind for item in items] == [parse.RTCP_SR, parse.RTCP_OTHER, parse.RTCP_BYE]
    assert items[2].ssrc == 0x0A0B0C0D


def test_a_report_block_behind_the_sender_info_is_no_matter() -> None:
    with_block = b"\x81\xc8\x00\x0c" + SR[4:] + bytes(24)
    items, fault = parse.rtcp_items(with_block + BYE)
    assert fault is None
    assert [item.kind for item in items] == [parse.RTCP_SR, parse.RTCP_BYE]


def test_a_bye_of_nobody_has_no_ssrc() -> None:
    items, fault = parse.rtcp_items(b"\x80\xcb\0\0")
    assert fault is None
    assert (items[0].kind, items[0].ssrc) == (parse.RTCP_BYE, 0)


@pytest.mark.parametrize(
    ("tail", "kind", "rule"),
    [
        pytest.param(b"\x81", "short", "RFC 3550 6.4.1 length", id="a byte"),
        pytest.param(SR[:-1], "short", "RFC 3550 6.4.1 length", id="cut"),
        pytest.param(b"\x41\xc9\0\0", "value", "RFC 3550 6.4.1 V", id="version 1"),
        pytest.param(b"\x80\xc8\0\5" + bytes(20), "value", "RFC 3550 6.4.1 sender info", id="SR"),
        pytest.param(b"\x81\xcb\0\0", "value", "RFC 3550 6.6 SC", id="BYE without its SSRC"),
    ],
)
def test_what_came_before_a_fault_is_kept(tail: bytes, kind: str, rule: str) -> None:
    items, fault = parse.rtcp_items(SR + tail)
    assert [item.kind for item in items] == [parse.RTCP_SR]
    assert fault is not None
    assert (fault.kind, fault.rule, fault.offset) == (kind, rule, len(SR))


def test_reports_of_a_hanwha_qnv_8080r_are_read(fixtures: Path) -> None:
    path = fixtures / "rtsp/dev/captured_here/hanwha_qnv8080r_rtcp.json"
    alone, with_report = json.loads(path.read_text())
    items, fault = parse.rtcp_items(bytes.fromhex(alone["hex"]))
    assert [item.kind for item in items] == [parse.RTCP_OTHER] and fault is None
    items, fault = parse.rtcp_items(bytes.fromhex(with_report["hex"]))
    expected = with_report["expect"]
    assert fault is None and len(items) == 2
    assert items[0].ssrc == expected["ssrc"]
    assert f"{items[0].ntp:016x}" == expected["ntp"]
    assert items[0].rtp_timestamp == expected["rtp"]


def test_recorded_compounds_are_read_whole(fixtures: Path) -> None:
    path = fixtures / "rtsp/dev/membrane_rtp/rtcp_packets.hex"
    lines = path.read_text().split()
    assert lines
    for line in lines:
        items, fault = parse.rtcp_items(bytes.fromhex(line))
        assert fault is None, line
        assert items


@given(st.binary(max_size=80))
def test_any_bytes_give_items_and_perhaps_a_fault(compound: bytes) -> None:
    items, fault = parse.rtcp_items(compound)
    assert len(items) <= len(compound) // 4
    assert fault is None or fault.offset <= len(compound)


def test_a_receiver_report_is_what_the_standard_draws() -> None:
    report = parse.rtcp_receiver_report(
        1,
        2,
        fraction_lost=3,
        lost=0xFF000004,
        highest_sequence=5,
        jitter=6,
        last_sr=7,
        delay_sr=8,
    )
    assert report == struct.pack(">BBHIIIIIII", 0x81, 201, 7, 1, 2, 3 << 24 | 4, 5, 6, 7, 8)
    items, fault = parse.rtcp_items(report)
    assert fault is None
    assert (items[0].kind, items[0].ssrc) == (parse.RTCP_OTHER, 1)
