"""Splitting an RTSP connection (RFC 2326 10.12) and finding the way back after garbage."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetiser import interleaved, rtp
from vonggac._native import parse
from vonggac._native.assembler import CODEC_H264, CODEC_H265, SYNC_IDR, Assembler
from vonggac.errors import MediaError

PACKET, MESSAGE, GARBAGE = parse.RTSP_PACKET, parse.RTSP_MESSAGE, parse.RTSP_GARBAGE
Item = tuple[int, int, bytes]

OK = b"RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n"
SDP = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n"
OPTIONS = b"OPTIONS rtsp://10.0.0.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
A = rtp(b"first", sequence=1, timestamp=1)
B = rtp(b"second" * 20, sequence=2, timestamp=1)


def split(received: bytes, step_bytes: int = 1 << 30, channels: range = range(2)) -> list[Item]:
    """The items of what arrives in pieces; ends where the splitter wants more."""
    splitter = parse.RtspSplitter(channels)
    items: list[Item] = []
    waiting = b""
    for at in range(0, len(received), step_bytes):
        waiting += received[at : at + step_bytes]
        while (item := splitter.next(waiting)) is not None:
            assert 0 < item.consumed_bytes <= len(waiting)
            items.append((item.kind, item.channel, item.content))
            waiting = waiting[item.consumed_bytes :]
    return items


CASES = [
    pytest.param(interleaved(0, A), [(PACKET, 0, A)], id="packet"),
    pytest.param(interleaved(1, b""), [(PACKET, 1, b"")], id="empty packet"),
    pytest.param(interleaved(0, bytes(65535)), [(PACKET, 0, bytes(65535))], id="longest packet"),
    pytest.param(OK, [(MESSAGE, -1, OK)], id="response"),
    pytest.param(OPTIONS, [(MESSAGE, -1, OPTIONS)], id="request of the camera"),
    pytest.param(SDP, [(MESSAGE, -1, SDP)], id="body"),
    pytest.param(
        SDP.replace(b"Content-Length: 5", b"content-length :\t5 "),
        [(MESSAGE, -1, SDP.replace(b"Content-Length: 5", b"content-length :\t5 "))],
        id="header names in any case",
    ),
    pytest.param(
        OK.replace(b"\r", b""), [(MESSAGE, -1, OK.replace(b"\r", b""))], id="line feeds alone"
    ),
    pytest.param(
        b"\r\n" + interleaved(0, A) + b"\r\n\r\n" + OK + b"\n" + interleaved(1, B),
        [(PACKET, 0, A), (MESSAGE, -1, OK), (PACKET, 1, B)],
        id="empty lines between",
    ),
    pytest.param(
        interleaved(0, A) + SDP + interleaved(0, B) + OPTIONS + interleaved(1, A),
        [
            (PACKET, 0, A),
            (MESSAGE, -1, SDP),
            (PACKET, 0, B),
            (MESSAGE, -1, OPTIONS),
            (PACKET, 1, A),
        ],
        id="mixed",
    ),
]


@pytest.mark.parametrize(("received", "items"), CASES)
def test_items_are_the_same_however_they_arrive(received: bytes, items: list[Item]) -> None:
    assert split(received) == items
    assert split(received, 1000) == items
    if len(received) < 1000:
        assert split(received, 1) == items
    # What follows is not touched.
    assert split(received + interleaved(0, A)) == [*items, (PACKET, 0, A)]
    assert split(received + b"$\0\0") == items


def test_a_packet_on_a_channel_never_set_up_is_an_item_if_something_follows_it() -> None:
    stray = interleaved(9, b"metadata")
    assert split(stray) == [(PACKET, 9, b"metadata")]
    assert split(stray + interleaved(0, A)) == [(PACKET, 9, b"metadata"), (PACKET, 0, A)]
    assert split(stray + OK) == [(PACKET, 9, b"metadata"), (MESSAGE, -1, OK)]
    wrong = stray + b"?" + interleaved(0, A)
    assert split(wrong) == [(GARBAGE, -1, stray + b"?"), (PACKET, 0, A)]


def test_garbage_is_given_once_and_the_next_packet_is_found() -> None:
    for lost in (b"\0", b"\x80\x60junk", b"$", b"RTSP", b"ABC DEF\0", bytes(range(256))):
        items = split(interleaved(0, A) + lost + interleaved(0, B) + interleaved(0, A))
        assert items[0] == (PACKET, 0, A)
        assert items[-2:] == [(PACKET, 0, B), (PACKET, 0, A)]
        assert b"".join(content for kind, _, content in items if kind == GARBAGE) == lost


def test_a_packet_that_was_sent_half_costs_no_other() -> None:
    half = interleaved(0, rtp(bytes(1000), sequence=7, timestamp=1))[:500]
    after = b"".join(interleaved(0, rtp(b"x" * 300, sequence=8 + i, timestamp=1)) for i in range(6))
    items = split(interleaved(0, A) + half + after)
    assert [kind for kind, _, _ in items] == [PACKET, GARBAGE, *[PACKET] * 6]
    assert items[1][2] == half


def test_a_dollar_in_garbage_is_not_a_packet() -> None:
    """What looks like one but leads nowhere is passed over, not waited for in vain."""
    fake = b"\0$\0\0\x40\x80" + bytes(80)
    items = split(fake + interleaved(0, A) + interleaved(1, B))
    assert items[-2:] == [(PACKET, 0, A), (PACKET, 1, B)]
    assert all(kind == GARBAGE for kind, _, _ in items[:-2])


def test_after_garbage_a_packet_has_to_be_rtp() -> None:
    fake = b"\0$\0\0\x08" + bytes(8)
    assert split(fake + interleaved(0, A)) == [(GARBAGE, -1, fake), (PACKET, 0, A)]


def fed_behind(garbage: bytes, packets: Sequence[bytes]) -> list[list[Item]]:
    """What each packet's arrival gives, one after the other, behind garbage."""
    splitter = parse.RtspSplitter(range(2))
    waiting = garbage
    given: list[list[Item]] = []
    for packet in [b"", *packets]:
        waiting += packet
        items: list[Item] = []
        while (item := splitter.next(waiting)) is not None:
            items.append((item.kind, item.channel, item.content))
            waiting = waiting[item.consumed_bytes :]
        given.append(items)
    return given[1:]


SMALL = [rtp(b"small" * 30, sequence=i, timestamp=i) for i in range(6)]
"""Those of a camera that sends one a second: what waits for 64 KiB waits for minutes."""
FALSE = [
    pytest.param(b"$\0\xff\xff", id="a length of 64 KiB"),
    pytest.param(b"\0\0$\1\xea\x60\x80\xc8", id="a length in the midst of garbage"),
    pytest.param(b"$\x24\xff\xff", id="a length on a channel never set up"),
    pytest.param(b"$\0\x40\0\x80" * 50, id="length after length"),
    pytest.param(b"$", id="a dollar"),
    pytest.param(b"$\0", id="a dollar and a channel"),
    pytest.param(b"$\0\xff", id="half a length"),
    pytest.param(b"RTSP/1.0 200 OK\r\nContent-Length: 60000\r\n\r\n", id="a body"),
    pytest.param(b"GET_PARAMETER * RTSP/1.0\r\nX: ", id="half a header"),
    pytest.param(b"HELP", id="letters"),
    pytest.param(b"the camera writes its log here, too\n", id="text"),
    pytest.param(bytes(3000), id="zeros"),
    pytest.param(interleaved(0, rtp(bytes(1400), sequence=9, timestamp=1))[:700], id="half"),
]


@pytest.mark.parametrize("garbage", FALSE)
def test_no_false_length_holds_up_more_than_two_packets(garbage: bytes) -> None:
    given = fed_behind(garbage, [interleaved(0, packet) for packet in SMALL])
    contents = [content for items in given[:3] for kind, _, content in items if kind == PACKET]
    assert contents[-2:] == SMALL[1:3]
    for packet, items in zip(SMALL[3:], given[3:], strict=True):
        assert items == [(PACKET, 0, packet)]


@pytest.mark.parametrize("seed", range(10))
def test_after_any_garbage_the_fourth_packet_is_given_as_it_comes(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(200):
        garbage = rng.choice((b"", b"$", b"$\0", b"$\1")) + rng.randbytes(rng.randrange(4096))
        given = fed_behind(garbage, [interleaved(0, packet) for packet in SMALL])
        for packet, items in zip(SMALL[3:], given[3:], strict=True):
            assert items == [(PACKET, 0, packet)], garbage


def test_a_long_packet_is_waited_for_though_two_stand_inside() -> None:
    """By chance so much may stand in 64 KiB of video."""
    inside = interleaved(0, A) + interleaved(0, B)
    packet = rtp(bytes(999) + inside + bytes(60_000), sequence=1, timestamp=1)
    assert split(interleaved(0, packet), 5000) == [(PACKET, 0, packet)]


def test_a_message_after_garbage_is_found() -> None:
    items = split(b"\0\0\0" + OK + interleaved(0, A))
    assert items == [(GARBAGE, -1, b"\0\0\0"), (MESSAGE, -1, OK), (PACKET, 0, A)]


def test_a_header_with_forbidden_bytes_is_garbage() -> None:
    broken = b"RTSP/1.0 200 OK\r\nCSeq: \0\r\n\r\n"
    assert split(broken + interleaved(0, A))[-1] == (PACKET, 0, A)
    assert split(broken + interleaved(0, A))[0][0] == GARBAGE


def test_a_header_without_end_is_garbage() -> None:
    endless = b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 4000
    items = split(endless + interleaved(0, A))
    assert items[0][0] == GARBAGE
    assert items[-1] == (PACKET, 0, A)


def test_a_body_longer_than_the_limit_ends_the_connection() -> None:
    with pytest.raises(MediaError) as caught:
        split(b"RTSP/1.0 200 OK\r\nContent-Length: 65537\r\n\r\n")
    assert (caught.value.kind, caught.value.rule) == ("limit", "VG_RTSP_BODY_MAX")
    with pytest.raises(MediaError, match="VG_RTSP_BODY_MAX"):
        split(b"RTSP/1.0 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n")


def test_a_negative_length_is_no_body() -> None:
    message = b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n"
    assert split(message + interleaved(0, A)) == [(MESSAGE, -1, message), (PACKET, 0, A)]


def test_too_much_garbage_ends_the_connection() -> None:
    with pytest.raises(MediaError) as caught:
        split(bytes(parse.RTSP_RESYNC_BYTES_MAX + 1), 1000)
    assert (caught.value.kind, caught.value.rule) == ("limit", "VG_RTSP_RESYNC_MAX")
    just = bytes(parse.RTSP_RESYNC_BYTES_MAX)
    assert split(just + interleaved(0, A), 1000)[-1] == (PACKET, 0, A)


def test_garbage_is_counted_anew_after_an_item() -> None:
    part = bytes(parse.RTSP_RESYNC_BYTES_MAX // 2 + 1) + interleaved(0, A) + interleaved(0, B)
    assert [kind for kind, _, _ in split(part * 3)] == [GARBAGE, PACKET, PACKET] * 3


def test_a_buffer_of_the_promised_size_is_enough() -> None:
    enough = parse.RTSP_HEADER_BYTES_MAX + parse.RTSP_BODY_BYTES_MAX + 4
    start = b"RTSP/1.0 200 OK\r\nContent-Length: 65536\r\nX: "
    for lead in (0, 4, 1023, 1024, 70000, enough):
        for head_bytes in (1000, parse.RTSP_HEADER_BYTES_MAX - 2000, parse.RTSP_HEADER_BYTES_MAX):
            head = start + b"y" * (head_bytes - len(start) - 4) + b"\r\n\r\n"
            received = b"\r\n" * (lead // 2) + head + bytes(parse.RTSP_BODY_BYTES_MAX)
            assert parse.RtspSplitter().next(received[:enough].ljust(enough, b"x")) is not None


@pytest.mark.parametrize("seed", range(20))
def test_spoiled_connections_come_back(seed: int) -> None:
    rng = random.Random(seed)
    packets = [
        rtp(rng.randbytes(rng.randrange(1400)), sequence=i, timestamp=i // 4) for i in range(400)
    ]
    sent = b""
    spoiled = 0
    for index, packet in enumerate(packets):
        framed = interleaved(index % 2, packet)
        if rng.random() < 0.02:
            framed = framed[: rng.randrange(len(framed))]
            spoiled += 1
        elif rng.random() < 0.02:
            framed += rng.randbytes(rng.randrange(1, 3000))
            spoiled += 1
        sent += framed
    got = [content for kind, _, content in split(sent, 8192) if kind == PACKET]
    whole = set(packets)
    # Each wound costs its own packet and at most the two beside it.
    assert sum(content in whole for content in got) >= len(packets) - 3 * spoiled
    assert sum(content not in whole for content in got) <= spoiled


CAPTURES = {
    "captured_here/gst122_h264_aac_digest.rtsp": (96, 7, 51, 0),
    "captured_here/gst122_h264_stapa_aac_digest.rtsp": (96, 7, 41, 0),
    "captured_here/live555_2024_h264_aac_digest.rtsp": (96, 7, 50, 1),
    "captured_here/gst122_onvif_replay_0xabac.rtsp": (96, 6, 130, 0),
    "retina/bunny.rtsp": (97, 0, 245, 0),
}
"""Payload type of the video, messages, access units, NAL units dropped (cut off at the end)."""


@pytest.mark.parametrize("name", CAPTURES)
def test_recorded_connections_give_whole_pictures(fixtures: Path, name: str) -> None:
    payload_type, messages, pictures, dropped = CAPTURES[name]
    received = (fixtures / "rtsp" / "dev" / name).read_bytes()
    items = split(received, 5000, range(4))
    assert all(kind != GARBAGE for kind, _, _ in items)
    assert sum(kind == MESSAGE for kind, _, _ in items) == messages
    assert split(received, 1 << 30, range(4)) == items

    assembler = Assembler(CODEC_H264, payload_type)
    units = []
    video = next(
        channel
        for kind, channel, content in items
        if kind == PACKET
        and len(content) > 12
        and parse.rtp_parse(content).payload_type == payload_type
    )
    for kind, channel, content in items:
        if kind != PACKET or channel != video:
            continue
        packet = parse.rtp_parse(content)
        while not assembler.push(packet):
            units.append(assembler.pull())
        while (unit := assembler.pull()) is not None:
            units.append(unit)
    assembler.flush()
    while (unit := assembler.pull()) is not None:
        units.append(unit)
    assert len(units) == pictures
    assert any(unit.kind == SYNC_IDR for unit in units)
    assert not any(unit.damaged for unit in units)
    counts = assembler.counts
    assert counts["packets_lost"] == 0
    assert counts["nals_dropped"] == counts["fu_odd"] == dropped


def test_inputs_that_broke_others_break_nothing(fixtures: Path) -> None:
    paths = sorted((fixtures / "rtsp/dev/gortsplib_fuzz").iterdir())
    assert paths
    for path in paths:
        content = path.read_bytes()
        split(content)
        split(content, 1)
        parse.rtcp_items(content)
        for codec in (CODEC_H264, CODEC_H265):
            assembler = Assembler(codec, 96, 4096)
            for sequence in range(3):
                packet = parse.rtp_parse(rtp(content, sequence=sequence, timestamp=sequence))
                with contextlib.suppress(MediaError):
                    while not assembler.push(packet):
                        assembler.pull()


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_split_or_waited_for(received: bytes, step_bytes: int) -> None:
    at = 0
    for kind, channel, content in split(received, step_bytes):
        assert kind in (PACKET, MESSAGE, GARBAGE)
        assert (channel in range(2)) == (kind == PACKET)
        found = received.find(content, at)
        assert found >= at  # in the order of arrival, and no byte twice
        at = found + len(content)


MOST_S = 5.0
"""Of the processor. What grew with the square of what came took twice as long and more."""
SHORTEST = interleaved(0, rtp(b"", sequence=1, timestamp=1))


@pytest.mark.parametrize(
    "unit",
    [SHORTEST + b" ", SHORTEST + b"\t", SHORTEST + b" \r\n\t", SHORTEST + b"x"],
    ids=["a blank", "a tab", "several", "junk"],
)
def test_a_whole_buffer_is_not_searched_for_every_item_in_it(unit: bytes) -> None:
    splitter = parse.RtspSplitter(range(2))
    data = bytearray((unit * (1 + (1 << 18) // len(unit)))[: 1 << 18])
    began_s = time.process_time()
    while (item := splitter.next(data)) is not None:
        del data[: item.consumed_bytes]
    assert time.process_time() - began_s < MOST_S


def test_a_message_behind_the_heads_of_others_is_found() -> None:
    heads = b"GET " * 6000 + b"\x01"
    for step_bytes in (1 << 30, 1000):
        items = split(heads + OK + b"GET no\x02" + SDP, step_bytes)
        assert [item for item in items if item[0] == MESSAGE] == [
            (MESSAGE, -1, OK),
            (MESSAGE, -1, SDP),
        ]
