"""The dialogue of a camera that calls, up to RECORD, and while it sends."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.media.chunk import Codec
from vonggac.media.sound import SoundCodec
from vonggac.rtsp.events import Send
from vonggac.rtsp.messages import Request, Response, parse_message
from vonggac.rtsp.publish import (
    DIALOGUE_MAX_BYTES,
    KeyShown,
    Over,
    PublishEvent,
    PublishSession,
    RecordAsked,
)
from vonggac.rtsp.publish_answers import answer_midstream

URI = "rtsps://box:8322/nha12"
LOGIN = "Authorization: Basic " + base64.b64encode(b"nha12:k3y").decode()
# As ffmpeg 5.1 writes it, sound included.
SDP = b"""v=0
o=- 0 0 IN IP4 127.0.0.1
s=No Name
c=IN IP4 192.0.2.1
t=0 0
a=tool:libavformat 59.27.100
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LADNoFB+hAAAADAEAAAAUDxQqo,aM48gA==
a=control:streamid=0
m=audio 0 RTP/AVP 97
b=AS:64
a=rtpmap:97 MPEG4-GENERIC/48000/1
a=control:streamid=1
"""
TCP = "Transport: RTP/AVP/TCP;unicast;interleaved={};mode=record"


def said(method: str, *fields: str, uri: str = URI, body: bytes = b"", cseq: int = 1) -> bytes:
    length = (f"Content-Length: {len(body)}",) if body else ()
    lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {cseq}", *fields, *length]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def events(session: PublishSession) -> list[PublishEvent]:
    found = []
    while (event := session.next_event()) is not None:
        found.append(event)
    return found


def answer_of(event: PublishEvent) -> Response:
    assert isinstance(event, Send), event
    message = parse_message(event.data)
    assert isinstance(message, Response)
    return message


def status(session: PublishSession, request: bytes) -> int:
    session.receive(request)
    return answer_of(events(session)[0]).status


def announced(sdp: bytes = SDP) -> PublishSession:
    session = PublishSession("s1")
    session.receive(said("ANNOUNCE", LOGIN, body=sdp))
    (shown,) = events(session)
    assert isinstance(shown, KeyShown)
    session.judged(200)
    assert answer_of(events(session)[0]).status == 200
    return session


def test_a_publisher_is_led_to_record_and_then_its_bytes_are_not_ours() -> None:
    session = PublishSession("s1")
    assert status(session, said("OPTIONS")) == 200
    # ffmpeg asks without a login first.
    session.receive(said("ANNOUNCE", body=SDP))
    challenge = answer_of(events(session)[0])
    assert challenge.status == 401
    assert challenge.headers.get("WWW-Authenticate") == 'Basic realm="Vong Gac"'

    session.receive(said("ANNOUNCE", LOGIN, body=SDP, cseq=3))
    assert events(session) == [KeyShown("/nha12", "nha12", "k3y")]
    session.judged(200)
    events(session)
    video = said("SETUP", TCP.format("0-1"), uri=f"{URI}/streamid=0")
    session.receive(video)
    setup = answer_of(events(session)[0])
    assert setup.headers.get("Transport") == "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record"
    assert (setup.headers.get("Session") or "").startswith("s1;timeout=")
    assert status(session, said("SETUP", TCP.format("2-3"), uri=f"{URI}/streamid=1")) == 200
    session.receive(said("RECORD", "Session: s1") + b"$\x00\x00\x01x")
    (asked,) = events(session)
    assert isinstance(asked, RecordAsked)
    play = asked.play
    assert (play.codec, play.payload_type, play.rtp_channel) == (Codec.H264, 96, 0)
    assert play.sps and play.pps
    assert [track.encoding for track in play.audio] == ["MPEG4-GENERIC"]

    session.recorded(200)
    assert answer_of(events(session)[0]).status == 200
    assert session.take_unread() == b"$\x00\x00\x01x"


def test_a_key_is_shown_to_nobody_by_accident() -> None:
    assert "k3y" not in repr(KeyShown("/nha12", "nha12", "k3y"))


def test_nothing_of_a_description_is_read_before_the_key_is_right() -> None:
    session = PublishSession("s1")
    session.receive(said("ANNOUNCE", LOGIN, body=b"\xff" * 100))
    assert [type(one) for one in events(session)] == [KeyShown]
    session.judged(401)
    refusal, over = events(session)
    assert answer_of(refusal).status == 401
    assert over == Over("refused with 401")
    session.receive(said("ANNOUNCE", LOGIN, body=SDP))
    assert events(session) == []  # one wrong key a connection


@pytest.mark.parametrize(
    ("sdp", "wanted"),
    [
        pytest.param(b"hello", 400, id="none at all"),
        pytest.param(b"m=video 0 RTP/AVP 31\r\na=rtpmap:31 H261/90000", 415, id="H.261"),
        pytest.param(b"m=audio 0 RTP/AVP 0\r\n", 415, id="sound alone"),
        pytest.param(SDP + b"a=x:" + b"y" * 20_000, 413, id="too long"),
        pytest.param(b"m=video 0 RTP/AVP " + b"96 " * 4000, 413, id="4,000 payload types"),
        pytest.param(SDP + b"a=rtpmap:96 H264/90000\n" * 700, 413, id="700 maps"),
        pytest.param(b"m=video 0 RTP/AVP 96\n" * 9, 413, id="nine media"),
        pytest.param(b"m=video 0 RTP/AVP " + b"96\x1c" * 4000, 413, id="parted by other signs"),
        pytest.param(b"\xc2\xa0m=video 0 RTP/AVP 96\n" * 9, 413, id="behind other blanks"),
        pytest.param(b"\xef\xbb\xbf" * 2 + b"m=video 0 R " + b"96 " * 99, 413, id="behind marks"),
    ],
)
def test_a_description_is_a_cameras_or_is_refused(sdp: bytes, wanted: int) -> None:
    session = PublishSession("s1")
    session.receive(said("ANNOUNCE", LOGIN, body=sdp))
    events(session)
    session.judged(200)
    refusal, over = events(session)
    assert answer_of(refusal).status == wanted
    assert isinstance(over, Over)


@pytest.mark.parametrize(
    ("transport", "wanted"),
    [
        ("RTP/AVP;unicast;client_port=5000-5001;mode=record", 461),
        ("RTP/AVP/UDP;multicast;mode=record", 461),
        ("", 461),
        # rtspclientsink offers several at once.
        ("RTP/AVP/UDP;unicast;mode=record,RTP/AVP/TCP;unicast;interleaved=4-5;mode=record", 200),
        ("RTP/AVP/TCP;unicast;mode=record", 200),
    ],
)
def test_packets_come_on_this_connection_or_not_at_all(transport: str, wanted: int) -> None:
    assert status(announced(), said("SETUP", f"Transport: {transport}")) == wanted


def test_sound_that_was_set_up_and_that_a_file_can_carry_is_told() -> None:
    sdp = SDP[: SDP.index(b"m=audio")] + b"m=audio 0 RTP/AVP 8\na=control:streamid=1\n"
    for has_set_up in (True, False):
        session = announced(sdp)
        assert status(session, said("SETUP", TCP.format("0-1"), uri=f"{URI}/streamid=0")) == 200
        if has_set_up:
            assert status(session, said("SETUP", TCP.format("2-3"), uri=f"{URI}/streamid=1")) == 200
        session.receive(said("RECORD"))
        (asked,) = events(session)
        assert isinstance(asked, RecordAsked)
        sound = asked.play.sound
        assert (sound is not None) is has_set_up
        if sound is not None:
            assert (sound.sound.codec, sound.payload_type) == (SoundCodec.PCMA, 8)
            assert (sound.rtp_channel, sound.rtcp_channel) == (2, 3)


def test_no_two_tracks_share_a_channel() -> None:
    session = announced()
    assert status(session, said("SETUP", TCP.format("0-1"), uri=f"{URI}/streamid=1")) == 200
    session.receive(said("SETUP", TCP.format("1-2"), uri=f"{URI}/streamid=0"))
    given = answer_of(events(session)[0]).headers.get("Transport") or ""
    assert "interleaved=2-3" in given


def test_what_comes_in_the_wrong_order_or_asks_for_pictures_is_refused() -> None:
    session = PublishSession("s1")
    assert status(session, said("SETUP", TCP.format("0-1"))) == 455
    assert status(session, said("RECORD")) == 455
    assert status(session, said("DESCRIBE")) == 405
    assert status(session, said("PLAY")) == 405
    assert status(session, said("BREW")) == 501
    session = announced()
    assert status(session, said("RECORD")) == 455
    assert status(session, said("SETUP", TCP.format("0-1"), uri=f"{URI}/streamid=1")) == 200
    assert status(session, said("RECORD")) == 455  # sound alone


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"OPTIONS * RTSP/1.0\r\n" + b"A: b\r\n" * 20_000, id="endless header"),
        pytest.param(b"\x16\x03\x01\x02\x00", id="TLS inside of TLS"),
        pytest.param(said("OPTIONS") * 40, id="forty requests"),
        pytest.param(b"$\x00\xff\xff" + b"x" * DIALOGUE_MAX_BYTES, id="packets before RECORD"),
        pytest.param(b"ANNOUNCE / RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n", id="endless body"),
    ],
)
def test_what_is_no_publishers_way_of_speaking_ends_the_connection(words: bytes) -> None:
    session = PublishSession("s1")
    session.receive(words)
    last = events(session)[-1]
    assert isinstance(last, Over)
    assert last.is_malformed


@pytest.mark.parametrize("value", ["Digest a=b", "Basic", "Basic !!", "Basic " + "A" * 9000, "x"])
def test_what_is_no_key_is_asked_for_one(value: str) -> None:
    session = PublishSession("s1")
    assert status(session, said("ANNOUNCE", f"Authorization: {value}", body=SDP)) == 401
    session.receive(said("ANNOUNCE", LOGIN, body=SDP))
    assert isinstance(events(session)[0], KeyShown)


def test_a_publisher_is_answered_while_it_sends() -> None:
    def answered(method: str) -> int:
        message = parse_message(answer_midstream(Request(method, URI).encode(), "s1"))
        assert isinstance(message, Response)
        return message.status

    assert answered("GET_PARAMETER") == answered("OPTIONS") == answered("TEARDOWN") == 200
    assert answered("ANNOUNCE") == 455
    assert answered("PAUSE") == 501
    assert answer_midstream(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", "s1") == b""
    assert answer_midstream(b"\x00", "s1") == b""


_PIECES = st.sampled_from(
    [
        said("OPTIONS"),
        said("ANNOUNCE", body=SDP),
        said("ANNOUNCE", LOGIN, body=SDP),
        said("ANNOUNCE", LOGIN, body=SDP[:-9]),
        said("SETUP", TCP.format("0-1"), uri=f"{URI}/streamid=0"),
        said("SETUP", TCP.format("0-1"), uri=f"{URI}/streamid=1"),
        said("RECORD"),
        said("TEARDOWN"),
        said("GET_PARAMETER"),
        b"$\x00\x00\x02ab",
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"\r\n",
    ]
)


@given(
    st.lists(_PIECES | st.binary(max_size=40), max_size=12),
    st.integers(1, 400),
    st.sampled_from([200, 401, 403, 453, 503]),
)
def test_whatever_is_said_and_however_it_is_cut_it_comes_to_an_end_or_to_record(
    pieces: list[bytes], step: int, judgement: int
) -> None:
    session, words, is_over = PublishSession("s1"), b"".join(pieces), False
    for at in range(0, len(words), step):
        session.receive(words[at : at + step])
        while (event := session.next_event()) is not None:
            assert not is_over  # nothing after the end
            if isinstance(event, KeyShown):
                session.judged(judgement)
            elif isinstance(event, RecordAsked):
                assert judgement == 200
                assert event.play.rtp_channel != event.play.rtcp_channel
                session.recorded(200)
            elif isinstance(event, Over):
                is_over = True
            else:
                assert event.data.startswith(b"RTSP/1.0 ")
