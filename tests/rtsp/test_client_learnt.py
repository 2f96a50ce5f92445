"""What a session learns, and how the next one begins with it."""

from __future__ import annotations

from rtsp_client_rig import ADMIN, DESCRIBED, OK, PLAYED, SET_UP, script
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.events import PlayReady
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.learnt import Keepalive, Learnt, SessionRule
from vonggac.rtsp.messages import Request, parse_message
from vonggac.rtsp.url import UrlForm, parse_camera_url

NOT_FOUND = "RTSP/1.0 404 Not Found\r\nCSeq: {n}\r\n\r\n"
DIGEST = 'RTSP/1.0 401 No\r\nCSeq: {n}\r\nWWW-Authenticate: Digest realm="r", nonce="n"\r\n\r\n'


def session(learnt: Learnt | None = None) -> ClientSession:
    url = parse_camera_url("rtsp://10.0.0.9/cam?channel=1")
    return ClientSession(url, Authenticator(ADMIN, "c0ffee"), learnt=learnt)


def test_the_form_of_the_address_that_worked_is_tried_first() -> None:
    first = session()
    requests, _ = script(first, OK + "\r\n", DESCRIBED, NOT_FOUND, SET_UP, PLAYED)
    tried = [one.uri for one in requests if one.method == "SETUP"]
    assert tried == [
        "rtsp://10.0.0.9/cam?channel=1/track1",
        "rtsp://10.0.0.9/cam/track1?channel=1",
    ]
    assert first.learnt.url_form is UrlForm.IN_PATH
    assert first.habits[Habit.CONTROL_JOIN] == 1

    requests, told = script(session(first.learnt), OK + "\r\n", DESCRIBED, SET_UP, PLAYED)
    assert requests[2].uri == tried[1]
    assert isinstance(told[0], PlayReady)


def test_a_form_that_no_longer_works_is_no_dead_end() -> None:
    later = session(Learnt(url_form=UrlForm.IN_PATH))
    _, told = script(later, OK + "\r\n", DESCRIBED, NOT_FOUND, SET_UP, PLAYED)
    assert isinstance(told[0], PlayReady)
    assert later.learnt.url_form is UrlForm.APPENDED


def test_after_a_454_the_latest_session_is_meant_and_remembered() -> None:
    first = session()
    lost = "RTSP/1.0 454 Session Not Found\r\nCSeq: {n}\r\nSession: 34\r\n\r\n"
    requests, told = script(first, OK + "\r\n", DESCRIBED, SET_UP, lost, PLAYED)
    assert [one.headers.get("Session") for one in requests[3:]] == ["12", "34"]
    assert isinstance(told[0], PlayReady)
    assert first.learnt.session_rule is SessionRule.LATEST
    assert first.habits[Habit.SESSION_CHANGED] >= 1


def test_a_second_454_in_a_row_is_a_refusal() -> None:
    lost = "RTSP/1.0 454 Session Not Found\r\nCSeq: {n}\r\nSession: 34\r\n\r\n"
    _, told = script(session(), OK + "\r\n", DESCRIBED, SET_UP, lost, lost, lost)
    assert not any(isinstance(one, PlayReady) for one in told)


def test_the_keepalive_that_was_learnt_is_used() -> None:
    public = "RTSP/1.0 200 OK\r\nCSeq: {n}\r\nPublic: OPTIONS, GET_PARAMETER\r\n\r\n"
    for learnt, method in (
        (None, "GET_PARAMETER"),
        (Keepalive.GET_PARAMETER, "GET_PARAMETER"),
        (Keepalive.OPTIONS, "OPTIONS"),
    ):
        playing = session(Learnt(keepalive=learnt))
        script(playing, public, DESCRIBED, SET_UP, PLAYED)
        request = parse_message(playing.keepalive())
        assert isinstance(request, Request) and request.method == method
    silent = session(Learnt(keepalive=Keepalive.RTCP))
    script(silent, public, DESCRIBED, SET_UP, PLAYED)
    assert silent.keepalive() == b""


def test_the_best_login_that_was_asked_for_is_learnt_and_never_less() -> None:
    first = session()
    script(first, OK + "\r\n", DIGEST, DESCRIBED, SET_UP, PLAYED)
    assert first.learnt.scheme is Scheme.DIGEST_MD5
    later = session(Learnt(scheme=Scheme.DIGEST_SHA256))
    script(later, OK + "\r\n", DIGEST, DESCRIBED, SET_UP, PLAYED)
    assert later.learnt.scheme is Scheme.DIGEST_SHA256


def test_a_camera_by_the_book_has_no_habit() -> None:
    body = "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=c\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n" + (
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        "a=fmtp:96 sprop-parameter-sets=Z0IAHqtAgA==,aM48gA==\r\na=control:track1\r\n"
    )
    described = (
        f"{OK}Content-Base: rtsp://10.0.0.9/cam/\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    plain = session()
    script(plain, OK + "\r\n", described, SET_UP, PLAYED)
    assert plain.habits == {}
