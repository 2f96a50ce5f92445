"""What is said to whom before a camera plays: addresses, redirects, log-ins."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from collections.abc import Sequence

import pytest

from vonggac.media.chunk import GapReason
from vonggac.rtsp.auth import Scheme
from vonggac.rtsp.url import Credentials, parse_camera_url
from vonggac_appliance import camera_connection
from vonggac_appliance.camera_connection import Memory, SessionFailed, open_connection, resolve
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
    assert b"Authorization: Digest" in camera.heard
    assert SAID not in camera.heard
    assert b"Authorization: Basic" not in camera.heard


def test_a_redirect_is_not_followed_and_its_login_not_shown() -> None:
    moved = ("302 Moved", "Location: rtsp://eve:hers@192.168.7.7/x\r\n")
    camera = Camera([("200 OK", ""), ("401 Unauthorized", DIGEST), moved])
    (failure,) = asyncio.run(camera.dialled(Memory(), 1))
    assert failure.reason is GapReason.REFUSED
    assert "redirects are not followed" in failure.what
    assert "hers" not in failure.what


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

    monkeypatch.setattr(camera_connection, "_look_up", look_up)
    with pytest.raises(SessionFailed, match=r"8\.8\.8\.8 lies outside"):
        asyncio.run(resolve(parse_camera_url("rtsp://camera.phuong/"), CONFIG))


def test_a_number_that_the_resolver_takes_for_an_address_is_checked_too() -> None:
    # 0x08080808 is 8.8.8.8 for getaddrinfo, and a name for everybody else.
    with pytest.raises(SessionFailed, match=r"8\.8\.8\.8 lies outside"):
        asyncio.run(resolve(parse_camera_url("rtsp://0x08080808/"), CONFIG))
