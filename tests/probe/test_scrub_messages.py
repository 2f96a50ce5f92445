"""Nothing of a message that leaves the box tells whose camera it is; its oddities stay."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.probe.scrub_messages import scrub_message
from vonggac.probe.stand_ins import StandIns
from vonggac.rtsp.messages import Response, parse_message

SECRET = "Phuong5-CongAn-77"


def scrubbed(text: str) -> str:
    names = StandIns()
    names.dial("10.20.30.40:8554")
    return scrub_message(text.encode("latin-1"), names)


def test_a_login_leaves_its_shape_and_nothing_else() -> None:
    signed = (
        "DESCRIBE rtsp://10.20.30.40:8554/cam1/main RTSP/1.0\r\nCSeq: 3\r\n"
        f'Authorization: Digest username="{SECRET}", realm="{SECRET}", nonce="98481030", '
        'uri="rtsp://10.20.30.40:8554/cam1/main", response="0123456789abcdef", qop=auth, '
        'nc=00000001, cnonce="c0ffee"\r\n\r\n'
    )
    assert scrubbed(signed) == (
        "DESCRIBE rtsp://camera/cam1/main RTSP/1.0\r\nCSeq: 3\r\n"
        'Authorization: Digest username="user", realm="realm-1", nonce="nonce-1", '
        'uri="rtsp://camera/cam1/main", response="0", qop=auth, '
        'nc=00000001, cnonce="cnonce-1"\r\n\r\n'
    )


def test_a_basic_login_is_gone_and_a_basic_challenge_stays_one() -> None:
    word = base64.b64encode(f"admin:{SECRET}".encode()).decode()
    assert word.rstrip("=") not in scrubbed(
        f"OPTIONS * RTSP/1.0\r\nAuthorization: Basic {word}\r\n\r\n"
    )
    answer = scrubbed(
        f'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="{SECRET}"\r\n\r\n'
    )
    assert 'WWW-Authenticate: Basic realm="realm-1"' in answer


def test_a_challenge_keeps_what_code_stumbles_over() -> None:
    text = scrubbed(
        "RTSP/1.0 401 Unauthorized\r\n"
        'WWW-Authenticate: Digest realm="Login to 3D01A2B3", nonce="98481030, opaque="", '
        'stale=FALSE, algorithm="SHA-256"\r\n\r\n'
    )
    assert 'nonce="nonce-1, opaque="", stale=FALSE, algorithm="SHA-256"' in text
    assert "3D01" not in text


def test_the_same_nonce_has_the_same_stand_in_and_another_has_another() -> None:
    names = StandIns()
    told = [
        scrub_message(
            f'RTSP/1.0 401 x\r\nWWW-Authenticate: Digest nonce="{n}"\r\n\r\n'.encode(), names
        )
        for n in ("aaaa", "bbbb", "aaaa")
    ]
    assert [text.partition('nonce="')[2].partition('"')[0] for text in told] == [
        "nonce-1",
        "nonce-2",
        "nonce-1",
    ]


@pytest.mark.parametrize(
    ("written", "stays"),
    [
        (
            "rtsp://10.20.30.40:8554/Streaming/Channels/101/",
            "rtsp://camera/Streaming/Channels/101/",
        ),
        (
            "rtsp://10.20.30.40/cam/realmonitor?channel=1&subtype=0",
            "rtsp://camera/cam/realmonitor?channel=1&subtype=0",
        ),
        ("rtsp://192.168.1.9:554/h264", "rtsp://host-2:554/h264"),
        ("rtsp://rtsp://10.20.30.40:8554/live", "rtsp://rtsp://camera/live"),
        ("rtsp://admin:p@ss/w?rd@10.20.30.40:8554/live", "rtsp://camera/live"),
        (
            "/user=admin&password=1234&channel=1&stream=0.sdp",
            "/user=secret-1&password=secret-2&channel=1&stream=name-1",
        ),
        ("rtsp://10.20.30.40:8554/phuong-5/cong/90521", "rtsp://camera/name-1/name-2/name-3"),
        ("/live.cgi?loginuse=admin&loginpas=1234", "/name-1?name-2=name-3&name-4=name-5"),
        ("/user=admin_password=1234/ch", "/user=secret-1=name-1/ch"),
        ("trackID=2", "trackID=2"),
        ("*", "*"),
    ],
)
def test_an_address_keeps_its_form(written: str, stays: str) -> None:
    names = StandIns()
    names.dial("10.20.30.40:8554")
    assert names.uri(written) == stays


def test_shape_and_lengths_stay_as_right_or_wrong_as_they_were() -> None:
    body = "v=0\no=- 1 1 IN IP4 10.20.30.40\ns=Cong an phuong 5\nm=video 0 RTP/AVP 96\n"
    head = "RTSP/1.0 200 OK\nCseq:  4 \ncontent-length: {}\nX-Serial: DS-2CD2032\n\n"
    right = scrubbed(head.format(len(body)) + body)
    answer = parse_message(right.encode("latin-1"))
    assert isinstance(answer, Response)
    assert answer.body.endswith(b"m=video 0 RTP/AVP 96\n")
    assert right.startswith("RTSP/1.0 200 OK\nCseq:  4 \ncontent-length: ")
    assert "X-Removed: removed" in right
    short = scrubbed(head.format(len(body) - 7) + body)
    assert int(short.split("content-length: ")[1].split("\n")[0]) == len(answer.body) - 7
    assert "10.20" not in right and "phuong" not in right


def test_transport_and_session_keep_their_blanks_and_their_numbers() -> None:
    text = scrubbed(
        "RTSP/1.0 200 OK\r\nSession:  F00BA4; timeout=120\r\n"
        "Transport: RTP/AVP/TCP;unicast;ssrc= d6d6627;source=10.20.30.40;interleaved=8-9\r\n"
        "RTP-Info: url=rtsp://10.20.30.40:8554/cam1/track1;seq=1;rtptime=-1;\r\n\r\n"
    )
    assert "Session:  session-1; timeout=120" in text
    assert "RTP/AVP/TCP;unicast;ssrc= d6d6627;source=camera;interleaved=8-9" in text
    assert "RTP-Info: url=rtsp://camera/cam1/track1;seq=1;rtptime=-1;" in text


PLACES = (
    "DESCRIBE rtsp://10.20.30.40/{} RTSP/1.0\r\n\r\n",
    "DESCRIBE rtsp://{}@10.20.30.40/live RTSP/1.0\r\n\r\n",
    "RTSP/1.0 200 {}\r\n\r\n",
    "RTSP/1.0 200 OK\r\nX-Name: {}\r\n\r\n",
    "RTSP/1.0 200 OK\r\nSession: {}\r\n\r\n",
    "RTSP/1.0 200 OK\r\n{}: 1\r\nPublic: PLAY, {}\r\nContent-Type: {}\r\n\r\n",
    'RTSP/1.0 401 x\r\nWWW-Authenticate: {} {}="1", algorithm={}, qop="{}"\r\n\r\n',
    "RTSP/1.0 200 OK\r\nTransport: {};{}=1;ssrc={};mode={}\r\nRTP-Info: {};seq={}\r\n\r\n",
    "RTSP/1.0 200 OK\r\n\r\nt={}\r\nb={}\r\nm={} 0 {} {}\r\na={}\r\na={}:1\r\na=rtpmap:96 {}\r\n",
    "RTSP/1.0 200 OK\r\n\r\nm=video 0 RTP/AVP 96\r\n{}={}\r\na=fmtp:{} {}=1;mode={}\r\n{}\r\n",
    "RTSP/1.0 302 Found\r\nLocation: rtsp://{}.example/live\r\n\r\n",
    'RTSP/1.0 401 x\r\nWWW-Authenticate: Digest realm="{}", nonce="{}", opaque={}\r\n\r\n',
    'OPTIONS * RTSP/1.0\r\nAuthorization: Digest username="{}", response="{}"\r\n\r\n',
    "RTSP/1.0 200 OK\r\nTransport: RTP/AVP;source={};unicast\r\n\r\n",
    "RTSP/1.0 302 Found\r\nLocation: rtsp://[fe80::1]{}/live\r\n\r\n",
    "RTSP/1.0 200 OK\r\n\r\no=- 1 1 IN IP4 10.0.0.9{}\r\nm=video 0 RTP/AVP 96\r\n",
    "RTSP/1.0 200 OK\r\n\r\n{}",
    "RTSP/1.0 200 OK\r\n\r\nv=0\r\ns={}\r\ni={}\r\nm=video 0 RTP/AVP 96\r\na=control:{}\r\n",
    "RTSP/1.0 200 OK\r\n\r\no={} 1 1 IN IP4 {}\r\nc=IN IP4 {}\r\nm=video 0 RTP/AVP 96\r\n",
    "RTSP/1.0 200 OK\r\n\r\nm=video 0 RTP/AVP 96\r\na=fmtp:96 serial={};x\r\na=name:{}\r\nu={}\r\n",
)


@given(
    place=st.sampled_from(PLACES),
    secret=st.from_regex(r"[G-Z][a-z]{6,12}[0-9]{2}", fullmatch=True),
)
def test_a_name_leaves_from_no_place(place: str, secret: str) -> None:
    assert secret.lower() not in scrubbed(place.replace("{}", secret)).lower()


@pytest.mark.parametrize("name", ["Nhà ông Đỗ Văn Hữu", "王小明家", "Дом 5а"])
def test_of_a_name_in_any_script_no_byte_stays(name: str) -> None:
    body = f"v=0\r\ns={name}\r\nm=video 0 RTP/AVP 96\r\n"
    names = StandIns()
    assert scrub_message(f"RTSP/1.0 200 OK\r\n\r\n{body}".encode(), names).isascii()


def test_of_two_addresses_in_a_line_none_stays() -> None:
    text = scrubbed("RTSP/1.0 200 OK\r\n\r\nm=video 0\r\nc=IN IP4 10.9.0.3,10.9.0.4\r\n")
    assert "10.9" not in text
    text = scrubbed("RTSP/1.0 200 OK\r\n\r\nm=video 0\r\nc=IN IP4 239.9.0.3/127\r\n")
    assert "c=IN IP4 192.0.2.1/127\r\n" in text


@pytest.mark.parametrize("number", ["10.9.8.7", "0912345678", "00:40:08:12:34:56"])
def test_a_long_number_leaves_where_numbers_stay(number: str) -> None:
    head = "RTSP/1.0 200 OK\r\nCSeq: 4\r\nRange: npt={0}-\r\nCache-Control: {0}\r\n\r\n"
    body = "s=Stream of {0}\r\nt={0} 0\r\nm=video 0\r\nb=AS:{0}\r\na=quality:{0}\r\n"
    text = scrubbed((head + body).format(number))
    assert number not in text
    assert "CSeq: 4" in text and "\r\nt=" in text


@given(st.binary(max_size=300))
def test_whatever_a_message_is_it_can_be_scrubbed_twice(data: bytes) -> None:
    once = scrub_message(b"RTSP/1.0 200 OK\r\n" + data, StandIns())
    twice = scrub_message(once.encode("latin-1"), StandIns())
    assert once.startswith("RTSP/1.0 200 OK\r\n") and twice.startswith("RTSP/1.0 200 OK\r\n")
