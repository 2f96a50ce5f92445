"""Messages as cameras write them are read the same in whatever pieces they come."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from three_ways import three_ways
from vonggac.errors import MediaError
from vonggac.rtsp.messages import (
    BODY_MAX_BYTES,
    HEADER_MAX_BYTES,
    Headers,
    MessageReader,
    Packet,
    Request,
    Response,
    parse_message,
)

CASES: dict[str, tuple[bytes, Request | Response | Packet]] = {
    "a plain answer": (
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
        Response(200, "OK", Headers((("CSeq", "1"),))),
    ),
    "no reason phrase": (b"RTSP/1.0 200\r\n\r\n", Response(200)),
    "an empty reason phrase": (b"RTSP/1.0 404 \r\n\r\n", Response(404)),
    "bare line feeds": (
        b"RTSP/1.0 200 OK\nCSeq: 2\nContent-Length: 3\n\nabc",
        Response(200, "OK", Headers((("CSeq", "2"), ("Content-Length", "3"))), b"abc"),
    ),
    "mixed line ends": (
        b"RTSP/1.0 200 OK\r\nCSeq: 2\n\r\n",
        Response(200, "OK", Headers((("CSeq", "2"),))),
    ),
    "blanks around values (Longse)": (
        b"RTSP/1.0 401 Unauthorized\r\nCseq : 1 \r\n\r\n",
        Response(401, "Unauthorized", Headers((("Cseq", "1"),))),
    ),
    "a folded value": (
        b"RTSP/1.0 200 OK\r\nPublic: PLAY,\r\n SETUP\r\n\r\n",
        Response(200, "OK", Headers((("Public", "PLAY, SETUP"),))),
    ),
    "a line without a colon": (
        b"RTSP/1.0 200 OK\r\nnonsense\r\nCSeq: 4\r\n\r\n",
        Response(200, "OK", Headers((("CSeq", "4"),))),
    ),
    "a request": (
        b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n",
        Request("OPTIONS", "*", Headers((("CSeq", "9"),))),
    ),
    "an interleaved packet": (b"$\x02\x00\x03\r\n$", Packet(2, b"\r\n$")),
    "an empty packet": (b"$\xff\x00\x00", Packet(255, b"")),
    "a value that is not ASCII": (
        b"RTSP/1.0 200 OK\r\nServer: \xe6\x91\x84\r\n\r\n",
        Response(200, "OK", Headers((("Server", "\xe6\x91\x84"),))),
    ),
}


@pytest.mark.parametrize(("data", "item"), CASES.values(), ids=CASES)
def test_a_message_is_read_three_ways(data: bytes, item: object) -> None:
    assert three_ways(MessageReader, data) == item


@pytest.mark.parametrize("between", [b"\r\n", b"\n\n", b" \t\r\n"], ids=["crlf", "lf", "blanks"])
def test_blank_bytes_between_messages_are_skipped(between: bytes) -> None:
    reader = MessageReader()
    reader.receive(between + b"RTSP/1.0 200 OK\r\n\r\n" + between + b"$\x00\x00\x01x" + between)
    assert reader.next() == Response(200, "OK")
    assert reader.next() == Packet(0, b"x")
    assert reader.next() is None


MALFORMED = {
    "a start line of neither kind": (b"HELLO\r\n\r\n", "value", "RFC 2326 6.1 Request-Line"),
    "a status of two digits": (b"RTSP/1.0 20 OK\r\n\r\n", "value", "RFC 2326 7.1 Status-Line"),
    "a status in other digits": (
        "RTSP/1.0 2²0 OK\r\n\r\n".encode("latin-1"),
        "value",
        "RFC 2326 7.1 Status-Line",
    ),
    "binary": (b"\x80\x60\x00", "value", "RFC 2326 4 start-line"),
    "a negative length": (
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        "value",
        "RFC 2326 12.14 Content-Length",
    ),
    "a length that is none": (
        b"RTSP/1.0 200 OK\r\nContent-Length: many\r\n\r\n",
        "value",
        "RFC 2326 12.14 Content-Length",
    ),
    "a huge body": (
        b"RTSP/1.0 200 OK\r\nContent-Length: 65537\r\n\r\n",
        "limit",
        f"{BODY_MAX_BYTES} bytes of body",
    ),
    "an endless header": (
        b"RTSP/1.0 200 OK\r\nA: " + b"a" * HEADER_MAX_BYTES,
        "limit",
        f"{HEADER_MAX_BYTES} bytes of header",
    ),
}


@pytest.mark.parametrize(("data", "kind", "rule"), MALFORMED.values(), ids=MALFORMED)
def test_the_error_names_the_broken_clause(data: bytes, kind: str, rule: str) -> None:
    reader = MessageReader()
    reader.receive(data)
    with pytest.raises(MediaError) as error:
        reader.next()
    assert (error.value.kind, error.value.rule) == (kind, rule)


def _check_read(data: bytes) -> None:
    """Reads to the end: only items come out, or an error that points into the data."""
    reader = MessageReader()
    reader.receive(data)
    refusal = None
    try:
        while (item := reader.next()) is not None:
            assert isinstance(item, Request | Response | Packet)
    except MediaError as error:
        refusal = error
    if refusal is not None:
        assert refusal.kind in ("short", "value", "limit")
        assert 0 <= refusal.offset <= len(data)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_items_or_a_media_error(data: bytes) -> None:
    _check_read(b"RTSP/1.0 200 OK\r\n" + data)


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=20))
def test_pieces_make_no_difference(pieces: list[bytes]) -> None:
    def items(*parts: bytes) -> list[object]:
        reader, found = MessageReader(), []
        for part in parts:
            reader.receive(part)
            try:
                while (item := reader.next()) is not None:
                    found.append(item)
            except MediaError as error:
                return [*found, error.rule]
        return found

    assert items(*pieces) == items(b"".join(pieces))


def test_a_message_survives_the_round_trip() -> None:
    request = Request("SETUP", "rtsp://h/a%24?b=/c", Headers((("CSeq", "3"), ("X", "é"))), b"")
    assert parse_message(request.encode()) == request


@pytest.mark.parametrize("value", ["a\r\nEvil: 1", "a\nb"])
def test_a_value_cannot_start_another_line(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        Headers((("User-Agent", value),)).encode()


def test_one_message_is_neither_less_nor_more() -> None:
    with pytest.raises(MediaError, match="short"):
        parse_message(b"RTSP/1.0 200 OK\r\n")
    with pytest.raises(MediaError, match="one message"):
        parse_message(b"RTSP/1.0 200 OK\r\n\r\nRTSP/1.0 200 OK\r\n\r\n")


def test_the_login_does_not_show_in_a_request() -> None:
    request = Request("PLAY", "rtsp://h/", Headers((("Authorization", "Basic c2VjcmV0"),)))
    assert "c2VjcmV0" not in repr(request)


def test_a_reason_phrase_for_people_is_one_short_printable_line() -> None:
    shown = str(Response(400, "Bad\x1b[31m\r" + "x" * 300))
    assert shown.isprintable()
    assert len(shown) <= 100


# Raw server-to-client bytes of real servers: messages, and interleaved packets, to the last byte.
CAPTURES = {
    "captured_here/gst122_h264_aac_digest.rtsp": (7, 541),
    "captured_here/gst122_h264_stapa_aac_digest.rtsp": (7, 461),
    "captured_here/gst122_onvif_replay_0xabac.rtsp": (6, 1194),
    "captured_here/live555_2024_h264_aac_digest.rtsp": (7, 474),
    "captured_here/vlc3024_401_without_cseq.txt": (1, 0),
    "retina/bunny.rtsp": (0, 371),
}


@pytest.mark.parametrize(("name", "counts"), CAPTURES.items(), ids=CAPTURES)
def test_a_captured_connection_is_read_to_the_end(
    fixtures: Path, name: str, counts: tuple[int, int]
) -> None:
    path = fixtures / "rtsp/dev" / name
    if not path.exists():
        pytest.skip(f"no capture {name}")
    reader = MessageReader()
    reader.receive(path.read_bytes())
    messages = packets = 0
    while (item := reader.next()) is not None:
        packets += isinstance(item, Packet)
        messages += not isinstance(item, Packet)
    assert (messages, packets, reader.take_rest()) == (*counts, b"")


def test_every_recorded_answer_of_a_camera_is_one_message(fixtures: Path) -> None:
    paths = sorted((fixtures / "rtsp/dev/retina").glob("*.txt"))
    if not paths:
        pytest.skip("no captures of cameras")
    for path in paths:
        data = path.read_bytes()
        if data.startswith(b"RTSP/"):
            message = parse_message(data)
            assert isinstance(message, Response), path.name
            assert message.status in (200, 401), path.name


def test_fuzzers_findings_give_items_or_a_media_error(fixtures: Path) -> None:
    paths = sorted((fixtures / "rtsp/dev/gortsplib_fuzz").glob("base_*.bin"))
    if not paths:
        pytest.skip("no findings of fuzzers")
    for path in paths:
        for data in (path.read_bytes(), b"RTSP/1.0 200 OK\r\n" + path.read_bytes() + b"\r\n\r\n"):
            _check_read(data)
