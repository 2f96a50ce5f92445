"""Spellings, orders and liberties between the first request and PLAY that no report named yet.

Each is a whole dialogue with a scripted camera. What a row of docs/design/rtsp-interop.md has once,
stands here in its other forms.
"""

from __future__ import annotations

import re

import pytest

from rtsp_client_rig import OK, SDP, client, events, script, sent
from vonggac.media.chunk import Codec
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.events import Failure, PlayReady, Send
from vonggac.rtsp.states import State
from vonggac.rtsp.url import Credentials, parse_camera_url

OPTIONS = OK + "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
SET_UP = OK + "Session: 12\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
PLAYED = OK + "Session: 12\r\n\r\n"


def described(sdp: str = SDP.decode(), *fields: str) -> str:
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"{OK}{lines}Content-Length: {len(sdp)}\r\n\r\n{sdp}"


def played(told: list[object]) -> PlayReady:
    (ready,) = told
    assert isinstance(ready, PlayReady), ready
    return ready


def folded(text: str) -> str:
    return re.sub(r"\r\n(\w[\w-]*): ?", r"\r\n\1:\r\n\t", text)


SPELT = {
    "bare line feeds": lambda text: text.replace("\r\n", "\n"),
    "folded values": folded,
    "upper case": lambda text: re.sub(r"\r\n[\w-]+:", lambda m: m[0].upper(), text),
    "lower case": lambda text: re.sub(r"\r\n[\w-]+:", lambda m: m[0].lower(), text),
    "a blank before the colon": lambda text: re.sub(r"(\r\n[\w-]+):", r"\1 :", text),
    "no blank behind the colon": lambda text: re.sub(r"(\r\n[\w-]+): ", r"\1:", text),
    "another version": lambda text: text.replace("RTSP/1.0", "rtsp/2.0"),
    "blanks in the status line": lambda text: text.replace("1.0 200 OK", "1.0  200\t "),
    "a line that is no field": lambda text: text.replace("\r\n", "\r\nno field at all\r\n", 1),
    "bytes outside of ASCII": lambda text: text.replace(
        "\r\n", "\r\nServer: c\xe1mera \xff\r\n", 1
    ),
    "interim answers": lambda text: "RTSP/1.0 100 Continue\r\nCSeq: {n}\r\n\r\n" + text,
    "an old answer in between": lambda text: "RTSP/1.0 200 OK\r\nCSeq: 0\r\n\r\n" + text,
    "the number in quotes": lambda text: text.replace("CSeq: {n}", 'CSeq: "{n}"'),
    "the number with zeros": lambda text: text.replace("CSeq: {n}", "CSeq: 000{n}"),
    "the number twice": lambda text: text.replace("CSeq: {n}", "CSeq: {n}\r\nCSeq: 99"),
}


@pytest.mark.parametrize("name", SPELT)
def test_answers_are_understood_however_they_are_spelt(name: str) -> None:
    """`described` is spoiled in its head alone: a body is counted in bytes."""
    spoil = SPELT[name]
    head, _, body = described().partition("\r\n\r\n")
    answers = [OPTIONS, f"{head}\r\n\r\n", SET_UP, PLAYED]
    spoilt = [spoil(one) for one in answers]
    spoilt[1] += body
    session = client()
    requests, told = script(session, *spoilt)
    ready = played(told)
    assert [one.method for one in requests] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert (ready.rtp_channel, ready.session_timeout_s) == (0, 60)


def test_answers_that_come_a_byte_at_a_time_are_the_same() -> None:
    session = client()
    requests = sent([Send(session.start())])
    for answer in (OPTIONS, described(), SET_UP, PLAYED):
        number = requests[-1].headers.get("CSeq") or ""
        told: list[object] = []
        for byte in answer.replace("{n}", number).encode():
            session.receive(bytes((byte,)))
            told += events(session)
        requests += sent(told)
    assert isinstance(told[0], PlayReady)


DIGEST = 'Digest realm="cam", nonce="n1"'
CHALLENGES = {
    "Basic first": ['Basic realm="cam"', DIGEST],
    "Digest first": [DIGEST, 'Basic realm="cam"'],
    "both in one field": [f'Basic realm="cam", {DIGEST}'],
    "both in one field, Digest first": [f'{DIGEST}, Basic realm="cam"'],
    "an unknown scheme first": ["Negotiate abc==, NTLM", DIGEST],
    "an unknown algorithm first": [f"{DIGEST}, algorithm=SHA3-1024", DIGEST],
    "an algorithm in lower case": [f"{DIGEST}, algorithm=md5"],
    "an algorithm in quotes": [f'{DIGEST}, algorithm="MD5"'],
    "no hyphen in the algorithm": [f"{DIGEST}, algorithm=SHA256"],
    "a session's algorithm": [f"{DIGEST}, algorithm=MD5-sess, qop=auth"],
    "two kinds of protection": [f'{DIGEST}, qop="auth,auth-int"'],
    "two kinds, the other first": [f'{DIGEST}, qop="auth-int, auth"'],
    "stale without quotes": [f"{DIGEST}, stale=FALSE"],
    "blanks about the equals signs": ['Digest realm = "cam" , nonce = "n1"'],
    "an odd scheme": ['DIGEST REALM="cam",NONCE="n1"'],
    "nothing behind the commas": [f"{DIGEST}, opaque="],
    "an opaque that is empty": [f'{DIGEST}, opaque=""'],
    "a domain": [f'{DIGEST}, domain="/ rtsp://10.0.0.9/x"'],
    "a comma in the realm": ['Digest realm="cam, the second", nonce="n1"'],
    "a quote in the realm": ['Digest realm="the \\"cam\\"", nonce="n1"'],
    "a realm in UTF-8": ['Digest realm="c\xc3\xa1m", nonce="n1"'],
    "no realm": ['Digest nonce="n1"'],
}


def unauthorized(fields: list[str]) -> str:
    lines = "".join(f"WWW-Authenticate: {field}\r\n" for field in fields)
    return f"RTSP/1.0 401 Unauthorized\r\nCSeq: {{n}}\r\n{lines}\r\n"


@pytest.mark.parametrize("name", CHALLENGES)
def test_a_challenge_is_answered_by_digest_however_it_is_written(name: str) -> None:
    session = client()
    answers = (OPTIONS, unauthorized(CHALLENGES[name]), described(), SET_UP, PLAYED)
    requests, told = script(session, *answers)
    played(told)
    for request in requests[2:]:
        assert (request.headers.get("Authorization") or "").startswith("Digest ")


@pytest.mark.parametrize("at", range(4))
def test_a_login_may_be_asked_for_at_any_request(at: int) -> None:
    """Cameras that ask at OPTIONS, at SETUP or at PLAY alone."""
    answers = [OPTIONS, described(), SET_UP, PLAYED]
    answers.insert(at, unauthorized([DIGEST]))
    if at == 0:  # OPTIONS is not repeated: nothing hangs on it
        del answers[1]
    requests, told = script(client(), *answers)
    played(told)
    signed = [one.headers.get("Authorization") is not None for one in requests]
    assert signed == [number > at for number in range(len(requests))]


@pytest.mark.parametrize("said", ["", "Connection: close\r\n"])
def test_a_camera_that_closes_with_the_challenge_of_options_is_worth_another_connection(
    said: str,
) -> None:
    session = client()
    challenge = unauthorized([DIGEST]).replace("\r\n\r\n", f"\r\n{said}\r\n")
    _, told = script(session, challenge)
    failure = told[0] if told else session.connection_lost("closed")
    assert isinstance(failure, Failure)
    assert failure.should_reconnect
    session.authenticator.has_reconnected = True
    again = ClientSession(parse_camera_url("rtsp://10.0.0.9/cam1/main"), session.authenticator)
    requests, told = script(again, OPTIONS, described(), SET_UP, PLAYED)
    assert all('nonce="n1"' in (one.headers.get("Authorization") or "") for one in requests)
    played(told)


def test_a_nonce_for_each_request_is_no_refusal() -> None:
    """Each answer but the last is a 401 with the next nonce, `stale` never said."""
    answers = [OPTIONS]
    for number, answer in enumerate((described(), SET_UP, PLAYED)):
        answers += [unauthorized([f'Digest realm="cam", nonce="n{number}"']), answer]
    session = client()
    _, told = script(session, *answers)
    played(told)
    assert not session.authenticator.is_refused


def maps(text: str) -> str:
    return SDP.decode().replace("H264/90000", text)


DESCRIPTIONS = {
    "as it should be": SDP.decode(),
    "no last line end": SDP.decode().rstrip(),
    "bare line feeds": SDP.decode().replace("\r\n", "\n"),
    "bare returns": SDP.decode().replace("\r\n", "\r"),
    "empty lines": SDP.decode().replace("\r\n", "\r\n\r\n"),
    "a byte order mark": "\xef\xbb\xbf" + SDP.decode(),
    "zeros at the end": SDP.decode() + "\0\0",
    "lower case": maps("h264/90000"),
    "no clock": maps("H264"),
    "an empty clock": maps("H264/"),
    "a clock that is none": maps("H264/0"),
    "a clock of milliseconds": maps("H264/1000"),
    "a clock of sound": maps("H264/8000/1"),
    "a clock beyond all": maps("H264/999999999"),
    "a blank behind the colon": SDP.decode().replace("rtpmap:96", "rtpmap: 96"),
    "blanks about the equals sign": SDP.decode().replace("a=", "a = ").replace("m=", "m ="),
    "a port": SDP.decode().replace("video 0", "video 49170/2"),
    "another profile": SDP.decode().replace("RTP/AVP", "RTP/AVPF"),
    "no profile's slash": SDP.decode().replace("RTP/AVP", "rtp/avp"),
    "a map by another number": SDP.decode().replace("rtpmap:96", "rtpmap:97"),
    "no map but parameter sets": re.sub(
        "rtpmap.*", "fmtp:96 sprop-parameter-sets=Z0IAHqtAgA==,aM48gA==", SDP.decode()
    ),
    "inactive": SDP.decode() + "a=inactive\r\n",
    "sound first": "m=audio 0 RTP/AVP 0\r\na=control:track0\r\n" + SDP.decode(),
    "a second video in JPEG": "m=video 0 RTP/AVP 26\r\na=control:track0\r\n" + SDP.decode(),
    "a video that is protected": "m=video 0 RTP/SAVP 99\r\n" + SDP.decode(),
    "hundreds of lines": "a=x:y\r\n" * 800 + SDP.decode(),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_description_gives_its_video_however_it_is_written(name: str) -> None:
    """The clock of H.264, H.265 and MJPEG is 90 kHz by their RFCs, whatever is declared."""
    requests, told = script(client(), OPTIONS, described(DESCRIPTIONS[name]), SET_UP, PLAYED)
    ready = played(told)
    assert (ready.codec, ready.payload_type, ready.clock_rate) == (Codec.H264, 96, 90_000)
    assert requests[2].uri == "rtsp://10.0.0.9/cam1/main/track1"


LENGTHLESS = f"{OK}Content-Type: application/sdp\r\n\r\nv=0\r\ns=camera\r\n{SDP.decode()}"


@pytest.mark.parametrize("cut", [0, 1, 40, 59, 70, 74, 93, 118])
def test_a_description_of_no_told_length_ends_where_its_lines_do(cut: int) -> None:
    """However it is cut on its way, but right behind a line that names its video."""
    session = client()
    requests, _ = script(session, OPTIONS)
    answer = LENGTHLESS.replace("{n}", requests[-1].headers.get("CSeq") or "").encode()
    asked: list[object] = []
    for piece in (answer[:cut], answer[cut:]):
        session.receive(piece)
        asked += events(session)
    (setup,) = sent(asked)
    assert (setup.method, setup.uri) == ("SETUP", "rtsp://10.0.0.9/cam1/main/track1")
    number = setup.headers.get("CSeq") or ""
    session.receive(SET_UP.replace("{n}", number).encode())
    (play,) = sent(events(session))
    session.receive(PLAYED.replace("{n}", play.headers.get("CSeq") or "").encode())
    assert isinstance(events(session)[0], PlayReady)


def test_lines_that_come_behind_a_description_of_no_told_length_are_passed_over() -> None:
    session = client()
    requests, _ = script(session, OPTIONS)
    answer = LENGTHLESS.replace("{n}", requests[-1].headers.get("CSeq") or "").encode()
    session.receive(answer)
    (setup,) = sent(events(session))
    for byte in b"a=late:1\r\nm=audio 0 RTP/AVP 0\r\n":
        session.receive(bytes((byte,)))
        assert events(session) == []
    session.receive(SET_UP.replace("{n}", setup.headers.get("CSeq") or "").encode())
    (play,) = sent(events(session))
    assert play.method == "PLAY"


def test_lines_without_an_end_are_refused() -> None:
    session = client()
    requests, _ = script(session, OPTIONS)
    head, _, _ = LENGTHLESS.partition("v=0")
    session.receive(head.replace("{n}", requests[-1].headers.get("CSeq") or "").encode())
    for _ in range(20):
        session.receive(b"a=x:y\r\n" * 150)
        if told := events(session):
            break
    assert isinstance(told[0], Failure)
    assert "without a length" in told[0].detail


BASES = {
    "with a query": ("rtsp://10.0.0.9/cam1/main?a=1&b=2", "track1"),
    "with a port": ("rtsp://10.0.0.9:554/cam1/main/", "track1"),
    "in capitals": ("RTSP://10.0.0.9/cam1/main/", "track1"),
    "in quotes": ('"rtsp://10.0.0.9/cam1/main/"', "track1"),
    "with a login": ("rtsp://admin:Bi-mat@10.0.0.9/cam1/main/", "track1"),
    "with an encoded login": ("rtsp://admin:Bi-mat%40x@10.0.0.9/cam1/main/", "track1"),
    "with a slash in its login": ("rtsp://admin:Bi-mat/x@10.0.0.9/cam1/main/", "track1"),
    "a control with a login": ("rtsp://10.0.0.9/cam1/", "rtsp://a:Bi-mat@10.0.0.9/cam1/track1"),
    "a control with a query": ("rtsp://10.0.0.9/cam1/", "track1?x=Bi"),
    "a control that is a query": ("rtsp://10.0.0.9/cam1", "?track=1"),
    "a control in capitals": ("rtsp://10.0.0.9/cam1/", "RTSP://10.0.0.9/cam1/track1"),
    "IPv6 without brackets": ("rtsp://::ffff:10.0.0.9/cam1/", "track1"),
    "blanks inside": ("rtsp://10.0.0.9/cam 1/", "track 1"),
    "line noise": ("rtsp://10.0.0.9/c\xe1m/\x01", "tr\x7fck"),
}


@pytest.mark.parametrize("name", BASES)
def test_a_base_and_a_control_of_any_kind_are_asked_for_and_no_login_is_said(name: str) -> None:
    base, control = BASES[name]
    sdp = SDP.decode().replace("track1", control)
    session = client()
    answer = described(sdp, f"Content-Base: {base}")
    requests, told = script(session, OPTIONS, answer, SET_UP, PLAYED)
    played(told)
    for request in requests:
        assert "Bi-mat" not in request.uri, "a login on a request line"
        assert re.fullmatch(r"[\x21-\x7e]+", request.uri)
    assert session.held is not None and "Bi-mat" not in repr(session.held)


TRANSPORTS = {
    "RTP/AVP/TCP;unicast;interleaved=2-3": (2, 3),
    "RTP/AVP/TCP;interleaved=1-0": (1, 0),
    "RTP/AVP/TCP;interleaved=0-2": (0, 2),
    "RTP/AVP/TCP;interleaved=254-255": (254, 255),
    "RTP/AVP/TCP;interleaved = 4 - 5": (4, 5),
    'RTP/AVP/TCP;interleaved="6-7"': (6, 7),
    "RTP/AVP/TCP;interleaved=0-0": (0, 1),
    "RTP/AVP/TCP;interleaved=": (0, 1),
    "RTP/AVP/TCP;interleaved=a-b": (0, 1),
    "RTP/AVP/TCP;interleaved=99999-3": (0, 1),
    "rtp/avp/tcp;UNICAST;INTERLEAVED=8-9": (8, 9),
    "RTP/AVP/TCP;unicast;interleaved=0-1,RTP/AVP;unicast;client_port=1-2": (0, 1),
    ";;;": (0, 1),
    "RTP/AVPF/TCP;unicast;interleaved=0-1;ssrc=0x1234;mode=PLAY;foo": (0, 1),
}


@pytest.mark.parametrize(("value", "channels"), TRANSPORTS.items())
def test_channels_are_read_out_of_any_answer(value: str, channels: tuple[int, int]) -> None:
    set_up = f"{OK}Session: 12\r\nTransport: {value}\r\n\r\n"
    _, told = script(client(), OPTIONS, described(), set_up, PLAYED)
    ready = played(told)
    assert (ready.rtp_channel, ready.rtcp_channel) == channels


SESSIONS = {
    "12": ("12", 60),
    "  12  ": ("12", 60),
    "12;timeout=0": ("12", 60),
    "12;timeout=-1": ("12", 60),
    "12;timeout=99999999999999": ("12", 999_999),
    "12;timeout=60.5": ("12", 60),
    "12 ; Timeout = 30 ; x": ("12", 30),
    '12;timeout="45"': ("12", 45),
    "12;timeout": ("12", 60),
    '"12"': ('"12"', 60),
    "12,34": ("12,34", 60),
    "A$-_.+/=:%20z": ("A$-_.+/=:%20z", 60),
    "{1-2}\xe9": ("{1-2}\xe9", 60),
    "9" * 500: ("9" * 500, 60),
}


@pytest.mark.parametrize(("value", "meant"), SESSIONS.items())
def test_a_session_of_any_name_is_said_back_as_it_came(value: str, meant: tuple[str, int]) -> None:
    set_up = SET_UP.replace("Session: 12", f"Session: {value}")
    session = client()
    requests, told = script(session, OPTIONS, described(), set_up, OK + "\r\n")
    ready = played(told)
    assert (requests[-1].headers.get("Session"), ready.session_timeout_s) == meant
    assert 1.0 <= ready.keepalive_interval_s <= 30.0


def refused(status: str) -> str:
    return f"RTSP/1.0 {status}\r\nCSeq: {{n}}\r\n\r\n"


@pytest.mark.parametrize("status", ["457 Invalid Range", "456 Header Field Not Valid", "400 Bad"])
def test_a_camera_that_refuses_a_range_is_played_without(status: str) -> None:
    answers = (OPTIONS, described(), SET_UP, refused(status), refused(status), PLAYED)
    requests, told = script(client(), *answers[:-2], PLAYED)
    played(told)
    assert requests[-1].headers.get("Range") is None
    assert requests[-2].headers.get("Range") == "npt=0.000-"


INFO = ("url=", ";;", "url=x;seq=99999999;rtptime=-1,", "url=rtsp://a/b;seq=;rtptime=1e9", "\xff")


@pytest.mark.parametrize("value", INFO)
def test_what_rtp_info_and_range_say_is_not_asked(value: str) -> None:
    answer = PLAYED.replace("\r\n\r\n", f"\r\nRTP-Info: {value}\r\nRange: npt=now-{value}\r\n\r\n")
    played(script(client(), OPTIONS, described(), SET_UP, answer)[1])


@pytest.mark.parametrize("method", ["OPTIONS", "SET_PARAMETER", "ANNOUNCE", "REDIRECT", "TEARDOWN"])
def test_a_question_before_play_holds_nothing_up(method: str) -> None:
    question = f"{method} * RTSP/1.0\r\nCSeq: 77\r\nSession: 12\r\n\r\n"
    answers = [question + one for one in (OPTIONS, described(), SET_UP, PLAYED)]
    requests, told = [], []
    session = client()
    asked = sent([Send(session.start())])
    for answer in answers:
        number = asked[-1].headers.get("CSeq") or ""
        session.receive(answer.replace("{n}", number).encode())
        found = events(session)
        replies = [one for one in found if isinstance(one, Send) and one.data[:5] == b"RTSP/"]
        assert len(replies) == 1 and b"CSeq: 77\r\n" in replies[0].data
        asked = sent([one for one in found if one not in replies])
        requests += asked
        told += [one for one in found if not isinstance(one, Send)]
    played(told)
    assert [one.method for one in requests] == ["DESCRIBE", "SETUP", "PLAY"]


def test_answers_to_earlier_requests_that_come_late_change_nothing() -> None:
    session = client()
    script(session, OPTIONS, described(), SET_UP, PLAYED)
    for number in (1, 2, 3, 4):
        for status in ("200 OK", "401 Unauthorized", "454 Session Not Found"):
            session.receive_message(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n\r\n".encode())
            assert events(session) == []
    assert session.state is State.PLAYING


def test_no_word_of_a_camera_brings_the_login_into_what_people_read() -> None:
    url = parse_camera_url("rtsp://10.0.0.9/cam")
    spoken = "rtsp://admin:Bi-mat@10.0.0.9/other"
    for status in ("302 Found", "404 Not Found", "403 Forbidden", "500 Error"):
        session = ClientSession(url, Authenticator(Credentials("admin", "Bi-mat"), "c0ffee"))
        answer = f"RTSP/1.0 {status}\r\nCSeq: {{n}}\r\nLocation: {spoken}\r\n\r\n"
        _, told = script(session, OPTIONS, answer)
        assert isinstance(told[0], Failure)
        assert "Bi-mat" not in told[0].detail + str(told[0].location)
