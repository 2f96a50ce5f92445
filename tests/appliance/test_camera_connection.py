"""What is said to whom before a camera plays: addresses, redirects, log-ins."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest

from certificates import make_certificate
from vonggac.ingest.backoff import BUSY
from vonggac.media.chunk import GapReason
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.learnt import Learnt
from vonggac.rtsp.leftover import Held
from vonggac.rtsp.url import Credentials, UrlForm, parse_camera_url
from vonggac_appliance import camera_address, camera_dialogue
from vonggac_appliance.camera_address import resolve
from vonggac_appliance.camera_dial import open_connection
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.config import parse

LOGIN = Credentials("admin", "mat-khau-91")
SAID = base64.b64encode(b"admin:mat-khau-91")
CONFIG = parse("", "config.toml").cameras
DIGEST = 'WWW-Authenticate: Digest realm="r", nonce="abc"\r\n'
BASIC = 'WWW-Authenticate: Basic realm="r"\r\n'


class Camera:
    """Answers each connection's requests from a script: (status, header fields)."""

    def __init__(self, *lives: Sequence[tuple[str, str]]) -> None:
        self.heard = b""
        self._lives = list(lives)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = list(self._lives.pop(0))
        try:
            while answers:
                request = await reader.readuntil(b"\r\n\r\n")
                self.heard += request
                status, fields = answers.pop(0)
                cseq = request.split(b"CSeq: ")[1].split(b"\r\n")[0].decode()
                writer.write(f"RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{fields}\r\n".encode())
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def dialled(self, memory: Memory, times: int) -> list[SessionFailed]:
        failures = []
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            for _ in range(times):
                with pytest.raises(SessionFailed) as failed:
                    await open_connection(f"rtsp://127.0.0.1:{port}/a", LOGIN, CONFIG, memory)
                failures.append(failed.value)
        return failures


def test_a_camera_that_offered_digest_is_never_told_the_password() -> None:
    """Also when that session came to nothing, and in a later connection."""
    camera = Camera(
        [("200 OK", ""), ("401 Unauthorized", DIGEST), ("404 Not Found", "")],
        [("200 OK", ""), ("401 Unauthorized", BASIC), ("200 OK", "")],
    )
    memory = Memory()
    failures = asyncio.run(camera.dialled(memory, 2))
    assert memory.floor is Scheme.DIGEST_MD5
    assert failures[1].reason is GapReason.REFUSED
    assert "Basic" in failures[1].what
    assert "forget-learnt" in failures[1].what
    assert b"Authorization: Digest" in camera.heard
    assert SAID not in camera.heard
    assert b"Authorization: Basic" not in camera.heard


def test_a_camera_that_answers_otherwise_by_now_is_asked_without_old_hints() -> None:
    """An exchanged one: it drops whoever asks as the one before wanted to be asked."""
    camera = Camera(*([("200 OK", ""), ("500 Internal Server Error", "")] for _ in range(3)))
    memory = Memory(learnt=Learnt("udp", url_form=UrlForm.IN_PATH, scheme=Scheme.DIGEST_MD5))
    asyncio.run(camera.dialled(memory, 3))
    assert memory.learnt == Learnt(scheme=Scheme.DIGEST_MD5)


def test_a_camera_that_is_busy_costs_no_hint() -> None:
    camera = Camera(*([("200 OK", ""), ("503 Service Unavailable", "")] for _ in range(3)))
    memory = Memory(learnt=Learnt("udp"))
    asyncio.run(camera.dialled(memory, 3))
    assert memory.learnt == Learnt("udp")


def test_bytes_that_are_no_answer_hold_no_dialogue_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets of a session that it still plays, and never a word."""
    monkeypatch.setattr(camera_dialogue, "DIALOGUE_TIMEOUT_S", 0.5)

    is_over = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"$\0\0\4old!")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        is_over.set()

    async def run() -> SessionFailed:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        async with server, asyncio.timeout(60):
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(SessionFailed) as failed:
                await open_connection(f"rtsp://127.0.0.1:{port}/a", LOGIN, CONFIG, Memory())
            await is_over.wait()
        return failed.value

    failure = asyncio.run(run())
    assert failure.reason is GapReason.NETWORK
    assert "no answer" in failure.what


def moved(location: str, status: str = "302 Moved") -> tuple[str, str]:
    return status, f"Location: {location}\r\n"


def test_a_redirect_out_of_the_camera_networks_is_not_followed_and_its_login_not_shown() -> None:
    camera = Camera([("200 OK", ""), moved("rtsp://eve:hers@8.8.8.8/x")])
    (failure,) = asyncio.run(camera.dialled(Memory(), 1))
    assert failure.reason is GapReason.REFUSED
    assert "8.8.8.8 lies outside" in failure.what
    assert "hers" not in failure.what


def test_a_redirect_within_the_camera_is_followed_with_the_login() -> None:
    camera = Camera(
        [("200 OK", ""), ("401 Unauthorized", DIGEST), moved("/other")],
        [("200 OK", ""), ("401 Unauthorized", DIGEST), ("404 Not Found", "")],
    )
    (failure,) = asyncio.run(camera.dialled(Memory(), 1))
    assert "404" in failure.what
    assert camera.heard.count(b"Authorization: Digest") == 2
    assert camera.heard.count(b"/other RTSP/1.0") == 3


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Moved", "305 Use Proxy"])
def test_another_host_is_asked_without_the_login(status: str) -> None:
    """Which it wants: nothing is said of it, by Digest neither."""

    async def run() -> tuple[list[SessionFailed], bytes]:
        other = Camera([("200 OK", ""), ("401 Unauthorized", DIGEST + BASIC)])
        server = await asyncio.start_server(other._serve, "127.0.0.2", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            to = moved(f"rtsp://127.0.0.2:{port}/there", status)
            camera = Camera([("200 OK", ""), ("401 Unauthorized", DIGEST), to])
            return await camera.dialled(Memory(), 1), other.heard

    (failure,), heard = asyncio.run(run())
    assert failure.reason is GapReason.WRONG_PASSWORD
    assert not failure.is_refused
    assert b"Authorization" not in heard
    asked = b"/a RTSP/1.0" if status.startswith("305") else b"/there RTSP/1.0"
    assert heard.count(asked) == 2


def test_who_was_entered_with_tls_is_not_asked_without(tmp_path: Path) -> None:
    """Without the login, too: pictures of a ward would cross the network for all to see."""

    async def run() -> tuple[str, bytes]:
        plain = Camera([("200 OK", ""), ("404 Not Found", "")])
        other = await asyncio.start_server(plain._serve, "127.0.0.1", 0)
        to = moved(f"rtsp://127.0.0.1:{other.sockets[0].getsockname()[1]}/there")
        camera = Camera([("200 OK", ""), to])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*make_certificate(tmp_path))
        server = await asyncio.start_server(camera._serve, "127.0.0.1", 0, ssl=context)
        async with other, server:
            address = f"rtsps://127.0.0.1:{server.sockets[0].getsockname()[1]}/a"
            with pytest.raises(SessionFailed) as failed:
                await open_connection(address, LOGIN, CONFIG, Memory())
        return failed.value.what, plain.heard

    what, heard = asyncio.run(run())
    assert "which TLS would not protect" in what
    assert heard == b""


def test_a_camera_that_refuses_to_end_an_old_session_is_not_taken_to_refuse_the_login() -> None:
    async def run() -> tuple[SessionFailed, Memory, bytes]:
        camera = Camera(
            [("401 Unauthorized", DIGEST), ("401 Unauthorized", DIGEST)],
            [("200 OK", ""), ("401 Unauthorized", DIGEST), ("404 Not Found", "")],
        )
        server = await asyncio.start_server(camera._serve, "127.0.0.1", 0)
        async with server:
            address = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/a"
            memory = Memory(leftover=[Held(address, address, "12345678")])
            with pytest.raises(SessionFailed) as failed:
                await open_connection(address, LOGIN, CONFIG, memory)
        return failed.value, memory, camera.heard

    failure, memory, heard = asyncio.run(run())
    assert heard.count(b"TEARDOWN") == 2
    assert "404" in failure.what
    assert (failure.is_refused, memory.lockout, memory.leftover) == (False, None, [])


def test_a_session_that_was_left_behind_a_redirect_is_given_back_there() -> None:
    async def run() -> tuple[str, Memory, bytes]:
        lives = (
            [("200 OK", ""), moved("/other")],
            [("200 OK", "")],
            [("200 OK", ""), ("404 No", "")],
        )
        camera = Camera(*lives)
        server = await asyncio.start_server(camera._serve, "127.0.0.1", 0)
        async with server:
            address = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            other = f"{address}other"
            memory = Memory(leftover=[Held(other, other, "12345678")])
            with pytest.raises(SessionFailed) as failed:
                await open_connection(f"{address}a", LOGIN, CONFIG, memory)
        return failed.value.what, memory, camera.heard

    what, memory, heard = asyncio.run(run())
    assert "404" in what
    assert (memory.leftover, heard.count(b"TEARDOWN")) == ([], 1)


def test_redirects_in_a_circle_end() -> None:
    camera = Camera(*([("200 OK", ""), moved(f"/{n}")] for n in range(9)))
    memory = Memory()
    (failure,) = asyncio.run(camera.dialled(memory, 1))
    assert memory.habits == {Habit.REDIRECT: 3}
    assert "one redirect too many" in failure.what
    assert camera.heard.count(b"OPTIONS") == 4


@pytest.mark.parametrize("status", ["453 Not Enough Bandwidth", "503 Service Unavailable"])
def test_a_camera_that_serves_no_more_is_told_apart(status: str) -> None:
    """It is left alone longer than one that is away."""
    camera = Camera([("200 OK", ""), (status, "")])
    memory = Memory()
    (failure,) = asyncio.run(camera.dialled(memory, 1))
    assert failure.is_busy
    assert memory.habits[Habit.BUSY] == 1
    assert failure.reason is GapReason.REFUSED
    assert BUSY.delay_s(1, 0.0) == 5.0
    assert BUSY.delay_s(9, 0.99) > 40.0


@pytest.mark.parametrize("location", ["", "Location: http://127.0.0.1/\r\n"])
def test_a_redirect_to_no_camera_is_a_refusal(location: str) -> None:
    camera = Camera([("200 OK", ""), ("302 Moved", location)])
    (failure,) = asyncio.run(camera.dialled(Memory(), 1))
    assert failure.reason is GapReason.REFUSED
    assert "302" in failure.what


def test_a_camera_that_knows_one_description_a_connection_is_asked_on_another() -> None:
    """The first one only brought the challenge (row 12)."""
    camera = Camera(
        [("200 OK", ""), ("401 Unauthorized", DIGEST), ("455 Method Not Valid", "")],
        [("200 OK", ""), ("404 Not Found", "")],
    )
    memory = Memory()
    (failure,) = asyncio.run(camera.dialled(memory, 1))
    assert memory.habits == {Habit.ONE_DESCRIPTION: 1}
    assert "404" in failure.what
    second = camera.heard.rpartition(b"OPTIONS")[2]
    assert second.count(b"DESCRIBE") == 1
    assert b"Authorization: Digest" in second.partition(b"DESCRIBE")[2]


@pytest.mark.parametrize("host", ["8.8.8.8", "[::ffff:8.8.8.8]", "[2001:4860:4860::8888]"])
def test_an_address_outside_the_networks_is_not_dialled(host: str) -> None:
    with pytest.raises(SessionFailed, match="outside the configured") as failed:
        asyncio.run(resolve(parse_camera_url(f"rtsp://{host}/"), CONFIG))
    assert failed.value.reason is GapReason.REFUSED


def test_a_name_with_one_address_outside_is_not_dialled_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def look_up(_: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        return [ipaddress.ip_address("192.168.1.9"), ipaddress.ip_address("8.8.8.8")]

    monkeypatch.setattr(camera_address, "_look_up", look_up)
    with pytest.raises(SessionFailed, match=r"8\.8\.8\.8 lies outside"):
        asyncio.run(resolve(parse_camera_url("rtsp://camera.phuong/"), CONFIG))


def test_a_number_that_the_resolver_takes_for_an_address_is_checked_too() -> None:
    # 0x08080808 is 8.8.8.8 for getaddrinfo, and a name for everybody else.
    with pytest.raises(SessionFailed, match=r"8\.8\.8\.8 lies outside"):
        asyncio.run(resolve(parse_camera_url("rtsp://0x08080808/"), CONFIG))


def test_a_camera_that_leaves_when_it_is_asked_for_sound_is_asked_for_pictures_alone() -> None:
    text = (
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
        "m=audio 0 RTP/AVP 8\r\na=control:track2\r\n"
    )
    described = ("200 OK", f"Content-Length: {len(text)}\r\n\r\n{text}")
    granted = ("200 OK", "Session: 7\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n")
    camera = Camera(
        [("200 OK", ""), described, granted],
        [("200 OK", ""), described, granted, ("500 No", "")],
    )
    memory = Memory(with_sound=True)
    first, second = asyncio.run(camera.dialled(memory, 2))
    assert "while SETUP was open" in first.what
    assert "PLAY: 500" in second.what
    asked = [line.split()[:2] for line in camera.heard.splitlines() if b"rtsp://" in line[:40]]
    tracks = [uri.rsplit(b"/", 1)[1] for method, uri in asked if method == b"SETUP"]
    assert tracks == [b"track1", b"track1"]  # that of the sound was never read
    assert not memory.asks_for_sound
