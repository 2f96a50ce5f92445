"""RTSP 1.0 (RFC 2326) without sockets, clocks or threads: messages, logging in, SDP, sessions."""

from vonggac.rtsp.auth import Authenticator, Scheme
from vonggac.rtsp.client import (
    CONNECT_TIMEOUT_S,
    FIRST_VIDEO_TIMEOUT_S,
    REPLY_TIMEOUT_S,
    TEARDOWN_TIMEOUT_S,
    ClientSession,
)
from vonggac.rtsp.events import (
    Event,
    Failure,
    KeepaliveAnswered,
    PlayReady,
    Send,
    TornDown,
    UdpAgreed,
)
from vonggac.rtsp.states import State
from vonggac.rtsp.url import CameraUrl, Credentials, parse_camera_url, without_login

__all__ = [
    "CONNECT_TIMEOUT_S",
    "FIRST_VIDEO_TIMEOUT_S",
    "REPLY_TIMEOUT_S",
    "TEARDOWN_TIMEOUT_S",
    "Authenticator",
    "CameraUrl",
    "ClientSession",
    "Credentials",
    "Event",
    "Failure",
    "KeepaliveAnswered",
    "PlayReady",
    "Scheme",
    "Send",
    "State",
    "TornDown",
    "UdpAgreed",
    "parse_camera_url",
    "without_login",
]
