"""A client's session without a network, a server of ours for it, and scripted answers."""

from __future__ import annotations

from vonggac.media.chunk import Codec
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.challenges import Challenge, Scheme
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.events import Send
from vonggac.rtsp.messages import Request, parse_message
from vonggac.rtsp.server import Mount, PlayAsked, ServerSession
from vonggac.rtsp.states import State
from vonggac.rtsp.url import Credentials, parse_camera_url

SPS, PPS = bytes.fromhex("6742001eab4080"), bytes.fromhex("68ce3c80")
MOUNT = Mount("/cam1/main", Codec.H264, (), (SPS,), (PPS,))
ADMIN = Credentials("admin", "p@ss:w0rd")
SDP = b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
EARLY = b"$\x00\x00\x03abc$\x01\x00\x01d"


def client(
    credentials: Credentials | None = ADMIN, *, floor: Scheme = Scheme.BASIC
) -> ClientSession:
    url = parse_camera_url("rtsp://10.0.0.9/cam1/main")
    return ClientSession(url, Authenticator(credentials, "c0ffee", floor=floor))


def events(session: ClientSession) -> list[object]:
    found: list[object] = []
    while (event := session.next_event()) is not None:
        found.append(event)
    return found


def sent(found: list[object]) -> list[Request]:
    requests = [parse_message(one.data) for one in found if isinstance(one, Send)]
    assert all(isinstance(one, Request) for one in requests)
    return [one for one in requests if isinstance(one, Request)]


def converse(session: ClientSession, server: ServerSession) -> list[object]:
    """Lets both talk until neither has anything to say; gives what the client said of it."""
    told: list[object] = []
    to_server = session.start()
    for _ in range(20):
        server.receive(to_server)
        to_client = b""
        while (event := server.next_event()) is not None:
            if isinstance(event, Send):
                to_client += event.data
            elif isinstance(event, PlayAsked):
                to_client += server.play(7, 1234) + EARLY
        if session.state is not State.PLAYING:
            session.receive(to_client)
        to_server = b""
        for found in events(session):
            if isinstance(found, Send):
                to_server += found.data
            else:
                told.append(found)
        if not to_server:
            return told
    raise AssertionError("they never stopped talking")


MD5 = Challenge(Scheme.DIGEST_MD5, "r", "n1")
SHA256 = Challenge(Scheme.DIGEST_SHA256, "r", "n1", algorithm="SHA-256", has_qop=True)
BASIC = Challenge(Scheme.BASIC, "r")
# A scripted camera: answers to OPTIONS, DESCRIBE, SETUP, PLAY in order. `{n}` is the CSeq.
OK = "RTSP/1.0 200 OK\r\nCSeq: {n}\r\n"
DESCRIBED = f"{OK}Content-Length: {len(SDP)}\r\n\r\n{SDP.decode()}"
SET_UP = f"{OK}Session: 12\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
PLAYED = f"{OK}Session: 12\r\n\r\n"


def script(session: ClientSession, *answers: str) -> tuple[list[Request], list[object]]:
    """Plays the answers one for each request; gives all requests, and what else was told."""
    requests = sent([Send(session.start())])
    told: list[object] = []
    for answer in answers:
        number = requests[-1].headers.get("CSeq") or ""
        session.receive(answer.replace("{n}", number).encode("latin-1"))
        found = events(session)
        requests += sent(found)
        told += [one for one in found if not isinstance(one, Send)]
    return requests, told
