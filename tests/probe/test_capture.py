"""The lines of a capture, and how a connection's bytes become them."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import MediaError, Refused
from vonggac.media.chunk import Codec
from vonggac.probe.capture import CaptureWriter, read_capture, spellings
from vonggac.probe.wire import Garbage, Item, Message, Packet, Wire

SET_UP = b"RTSP/1.0 200 OK\r\nCSeq: 4\r\nTransport: RTP/AVP/TCP;interleaved=8-9\r\n\r\n"
ASKED = b"OPTIONS rtsp://10.0.0.1/x RTSP/1.0\r\nCSeq: 1\r\n\r\n"
RTP = b"\x80\x60\0\1" + bytes(8) + b"\x41\x9a" + b"\xaa" * 30
SENT = SET_UP + b"$\x08\0\x2c" + RTP + b"\r\n\r\n" + ASKED + b"$\x09\0\x08" + b"\x81\xcb\0\1SSRC"


def test_bytes_become_messages_and_packets_with_the_blanks_before_them() -> None:
    message, packet, asked, report = Wire().receive(SENT)
    assert isinstance(message, Message) and message.data == SET_UP
    assert packet == Packet(8, RTP)
    assert isinstance(asked, Message) and (asked.data, asked.blanks) == (ASKED, 4)
    assert report == Packet(9, b"\x81\xcb\0\1SSRC")


@given(st.lists(st.integers(0, len(SENT)), max_size=6))
def test_they_are_the_same_however_they_arrive(cuts: list[int]) -> None:
    wire = Wire()
    at = [0, *sorted(cuts), len(SENT)]
    items: list[Item] = []
    for start, end in itertools.pairwise(at):
        items += wire.receive(SENT[start:end])
    whole = [one.data for one in Wire().receive(SENT) if not isinstance(one, Garbage)]
    assert [one.data for one in items if not isinstance(one, Garbage)] == whole


def test_a_connection_without_a_way_back_is_garbage_from_there_on() -> None:
    wire = Wire()
    wire.receive(b"\xff" * 300_000)
    assert wire.is_lost
    assert wire.receive(b"more") == [Garbage(4)]


def written(*secrets: str) -> tuple[CaptureWriter, list[str]]:
    lines: list[str] = []
    return CaptureWriter(lines.append, {"stream": "main"}, secrets), lines


def test_what_is_written_is_read_again() -> None:
    writer, lines = written()
    writer.opened(1_000_000, "10.0.0.1")
    writer.plays(Codec.H264, 96, has_donl=False)
    for item in Wire().receive(SENT):
        writer.item(2_500_000, item, is_ours=False)
    writer.item(3_000_000, Garbage(7), is_ours=False)
    writer.datagram(3_500_000, RTP, is_rtcp_socket=False)
    writer.closed(4_000_000, by_camera=True)
    writer.ended(5_000_000, "played")
    facts, events = read_capture("".join(lines))
    assert facts == {"capture": 1, "stream": "main"}
    assert [one.kind for one in events] == [
        "open", "message", "packet", "message", "packet", "garbage", "datagram", "close", "end",
    ]  # fmt: skip
    assert events[1].data == SET_UP and events[1].at_ms == 2.5
    assert events[2].channel == 8 and len(events[2].data) == len(RTP)
    assert events[2].data[:14] == RTP[:12] + b"\x41\x98"
    assert b"\xaa" not in events[2].data + events[6].data
    assert (events[3].blanks, events[5].data) == (4, bytes(7))
    assert b"rtsp://camera/" in events[3].data


def test_a_secret_that_came_through_the_rules_ends_it() -> None:
    writer, lines = written(*spellings("admin", "multicast"))
    (item,) = Wire().receive(SET_UP.replace(b"interleaved=8-9", b"multicast"))
    with pytest.raises(Refused, match="login"):
        writer.item(0, item, is_ours=False)
    assert "multicast" not in "".join(lines)


def test_a_secret_is_looked_for_in_every_spelling() -> None:
    password = "cổng số/5"
    sent = f"RTSP/1.0 200 {password}\r\n\r\n".encode().decode("latin-1")
    assert any(one in sent for one in spellings("admin", password))
    assert "c%E1%BB%95ng%20s%E1%BB%91%2F5" in spellings("admin", password)


def test_stand_ins_that_spell_a_password_by_chance_do_not_end_it() -> None:
    writer, lines = written(*spellings("admin", "111111"))
    body = b"v=0\r\no=- 2345678901 1 IN IP4 10.0.0.9\r\nm=video 0 RTP/AVP 96\r\n"
    for item in Wire().receive(b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body):
        writer.item(0, item, is_ours=False)
    assert "1111111111" in lines[-1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        '{"capture":2}',
        '{"stream":"main"}',
        '{"capture":1}\n{"at_ms":1}',
        '{"capture":1}\n{"at_ms":1,"connection":1,"from":"us","bytes":70000,"kept":{}}',
        '{"capture":1}\n{"at_ms":"x","connection":1,"from":"us","event":"open"}',
        '{"capture":1}\n{"at_ms":1,"connection":1,"from":"us","bytes":9,"kept":{"0":"zz"}}',
    ],
)
def test_what_is_no_capture_is_said_to_be_none(text: str) -> None:
    with pytest.raises(MediaError):
        read_capture(text)


def test_every_line_is_one_object_in_ascii() -> None:
    writer, lines = written()
    writer.opened(0, "x")
    head = "RTSP/1.0 200 OK\r\nX-Tên: phường\r\n\r\n".encode()
    for item in Wire().receive(head):
        writer.item(0, item, is_ours=False)
    assert all(line.isascii() and line.endswith("\n") and json.loads(line) for line in lines)
