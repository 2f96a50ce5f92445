"""What a person gets who types a wrong address, a wrong name, or the port of something else."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit_rig import vonggac
from certificates import make_certificate

SECRET = "Bi-mat-91"
Capture = pytest.CaptureFixture[str]


def said(capsys: Capture) -> str:
    """Both streams; a person's mistake is no reason for a traceback, and no login is repeated."""
    out = capsys.readouterr()
    assert "Traceback" not in out.out + out.err
    assert SECRET not in out.out + out.err
    return out.out + out.err


ADDRESSES = {
    "": "rtsp://",
    " ": "rtsp://",
    "camera": "rtsp://",
    "rtsp:/10.0.0.9/x": "rtsp://",
    f"http://u:{SECRET}@10.0.0.9/": "rtsp://",
    "rtspu://10.0.0.9/x": "rtsp://",
    "rtsp://": "names no host",
    "rtsp:///x": "names no host",
    "rtsp://:554/x": "names no host",
    f"rtsp://u:{SECRET}@/x": "names no host",
    "rtsp://[]/x": "names no host",
    "rtsp://10.0.0.9:0/x": "port that is not 1 to 65535",
    "rtsp://10.0.0.9:65536/x": "port that is not 1 to 65535",
    "rtsp://10.0.0.9:5 4/x": "port that is not 1 to 65535",
    f"rtsp://u:{SECRET}@10.0.0.9:abc/x": "port that is not 1 to 65535",
    "rtsp://[::1/x": "unclosed [",
    "rtsp://[::g]/x": "no IP address",
    "rtsp://10.0.0.9.1/x": "no IP address",
    "rtsp://999.1.1.1/x": "no IP address",
    "rtsp://192.168.1.020/x": "leading zeros",
    "rtsp://127.1/x": "no IP address",
    "rtsp://2130706433/x": "no IP address",
    "rtsp://[fe80::1%25eth0]/x": "IPv6 zone",
    "rtsp://cámera.local/x": "xn--",
    "rtsp://a..b/x": "host name that is none",
    f"rtsp://{'a' * 300}/x": "host name that is none",
    "rtsp://10.0.0.8,10.0.0.9/x": "no IP address",
    "rtsp://*/x": "host name that is none",
    "rtsp://10.0.0.9\\x": "host name that is none",
    "rtsp://camera 1/x": "host name that is none",
    f"rtsp://10.0.0.9/u:{SECRET}@x": "%40",
    f"rtsp://10.0.0.9/?user=u&password={SECRET}": "password in its path",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none_is_refused_with_what_is_wrong(
    home: Path, capsys: Capture, address: str
) -> None:
    assert vonggac(home, "camera", "probe", address) == 2
    assert ADDRESSES[address] in said(capsys)


WAYS = (
    ("add", "cam1", "--url"),
    ("add", "cam1", "--url", "rtsp://10.0.0.9/x", "--sub-url"),
    ("probe", "rtsp://10.0.0.9/x", "--sub-url"),
)


@pytest.mark.parametrize("words", WAYS)
def test_it_is_refused_wherever_it_stands_and_no_camera_is_added(
    home: Path, capsys: Capture, words: tuple[str, ...]
) -> None:
    for address in ("rtsp://192.168.1.020/x", f"rtsp://u:{SECRET}@10.0.0.9:abc/x"):
        assert vonggac(home, "camera", *words, address) == 2
        assert ADDRESSES[address] in said(capsys)
    assert not (home / "catalog").exists()


GOOD = {
    "rtsp://10.0.0.9:/x": "rtsp://10.0.0.9:/x",
    "  RTSP://10.0.0.9/x  ": "rtsp://10.0.0.9/x",
    "rtsp://rtsp://10.0.0.9/x": "rtsp://10.0.0.9/x",
    "rtsp://[fd00::9]:8554/x": "rtsp://[fd00::9]:8554/x",
    "rtsp://fd00::9/x": "rtsp://[fd00::9]/x",
    "rtsps://10.0.0.9/x": "rtsps://10.0.0.9/x",
    "rtsp://cam_1.phuong-5.lan./x?a=1&b=%2F": "rtsp://cam_1.phuong-5.lan./x?a=1&b=%2F",
    "rtsp://10.0.0.9/đường 3": "rtsp://10.0.0.9/%C4%91%C6%B0%E1%BB%9Dng%203",
}


@pytest.mark.parametrize("address", GOOD)
def test_an_address_that_can_be_meant_is_taken(home: Path, capsys: Capture, address: str) -> None:
    assert vonggac(home, "camera", "add", "cam1", "--url", address, "--json") == 0
    (stream,) = json.loads(capsys.readouterr().out)["streams"]
    assert stream["url"] == GOOD[address]


NAMES = ["", "-x", "../../etc", "ngã ba", "cam\n1", "\0", "x" * 600]


@pytest.mark.parametrize("name", NAMES)
def test_a_camera_of_no_such_name_is_said_not_to_be_there(
    home: Path, capsys: Capture, name: str
) -> None:
    assert vonggac(home, "camera", "add", "cam1", "--url", "rtsp://10.0.0.9/x") == 0
    capsys.readouterr()
    assert vonggac(home, "camera", "add", "--url", "rtsp://10.0.0.9/x", "--", name) == 2
    assert "is no camera id" in said(capsys)
    for verb in ("capture", "confirm-device", "show", "forget-learnt", "remove"):
        assert vonggac(home, "camera", verb, "--", name) == 1
        assert "there is no camera" in said(capsys)


# --- Somebody else's port ---


class Service:
    """Says something else than RTSP: at once, as its answer, or inside of TLS."""

    def __init__(
        self, greeting: bytes = b"", answer: bytes = b"", tls: ssl.SSLContext | None = None
    ) -> None:
        self._greeting, self._answer, self._tls = greeting, answer, tls
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.heard = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            sock, _ = self._door.accept()
            with contextlib.suppress(OSError), sock:
                if sock.getpeername()[1] == self._ender:
                    return
                self._talk(sock)

    _ender = 0

    def _talk(self, sock: socket.socket) -> None:
        if self._tls is not None:
            sock = self._tls.wrap_socket(sock, server_side=True)
        sock.sendall(self._greeting)
        if self._answer:
            self.heard += sock.recv(4096)
            sock.sendall(self._answer)
            sock.shutdown(socket.SHUT_WR)
        if self._answer or self._greeting:
            while sock.recv(4096):
                pass

    def stop(self) -> None:
        with socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            self._ender = last.getsockname()[1]
            last.connect(("127.0.0.1", self.port))
            self._thread.join()
        self._door.close()


@pytest.fixture
def service() -> Iterator[Callable[..., Service]]:
    made: list[Service] = []

    def make(*what: bytes, **more: ssl.SSLContext) -> Service:
        made.append(Service(*what, **more))
        return made[-1]

    yield make
    for one in made:
        one.stop()


PLAIN = b"RTSP/1.0 400 Bad Request\r\nCSeq: 1\r\n\r\n"
STRANGERS = {
    "HTTP": (b"", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 900000\r\n\r\n<html>", "HTTP"),
    "HTTP without an end": (b"", b"HTTP/1.0 400 Bad ('RTSP/1.0')\r\nA: b\r\n", "HTTP"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2p1\r\n", b"", "SSH"),
    "mail": (b"220 mail ready\r\n", b"", "not RTSP"),
    "TLS": (b"", b"\x15\x03\x01\x00\x02\x02\x46", "rtsps://"),
    "line noise": (b"\xff\xfd\x01\xff\xfd\x1f", b"", "not RTSP"),
    "nobody": (b"", b"", "rtsps://"),
}


def probed(home: Path, capsys: Capture, url: str) -> str:
    assert vonggac(home, "camera", "probe", url, "--seconds", "2") == 1
    text = said(capsys)
    assert re.search(r"\nadvice\n- the main stream: ", text)
    return text


@pytest.mark.parametrize("name", STRANGERS)
def test_who_does_not_speak_rtsp_is_told_by_what_it_says(
    home: Path, capsys: Capture, service: Callable[..., Service], name: str
) -> None:
    greeting, answer, words = STRANGERS[name]
    port = service(greeting, answer).port
    text = probed(home, capsys, f"rtsp://127.0.0.1:{port}/x")
    assert words in text and str(port) in text


def test_plain_words_to_a_port_of_tls_and_tls_to_a_plain_one_say_so(
    home: Path, capsys: Capture, service: Callable[..., Service], tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(tmp_path / "certificate"))
    protected = service(PLAIN, tls=context).port
    assert "rtsps://" in probed(home, capsys, f"rtsp://127.0.0.1:{protected}/x")
    plain = service(b"", PLAIN)
    text = probed(home, capsys, f"rtsps://127.0.0.1:{plain.port}/x")
    assert "does not speak TLS: begin the address with rtsp://" in text
    assert plain.heard[:1] == b"\x16"  # a handshake, and no word of RTSP
    ends = service().port
    assert "RTSP over TLS" in probed(home, capsys, f"rtsps://127.0.0.1:{ends}/x")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "[::ffff:127.0.0.1]"])
def test_a_closed_port_is_a_camera_that_is_off(home: Path, capsys: Capture, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    assert "nothing answers there" in probed(home, capsys, f"rtsp://{host}:{port}/x")


def test_a_name_that_nobody_knows_is_said(home: Path, capsys: Capture) -> None:
    text = probed(home, capsys, "rtsp://camera.invalid/x")
    assert "the name camera.invalid does not resolve" in text


# --- Captures ---


def test_a_capture_of_nobody_writes_nothing_and_says_why(
    home: Path, tmp_path: Path, capsys: Capture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    assert vonggac(home, "camera", "add", "cam1", "--url", f"rtsp://127.0.0.1:{port}/x") == 0
    capsys.readouterr()
    path = tmp_path / "cam1.capture"
    assert vonggac(home, "camera", "capture", "cam1", "-o", str(path), "--seconds", "2") == 1
    assert "nothing passed to capture: camera off: cannot connect" in said(capsys)
    assert not path.exists()


def test_a_capture_that_could_not_be_written_asks_no_camera(
    home: Path, tmp_path: Path, capsys: Capture, service: Callable[..., Service]
) -> None:
    camera = service(b"", PLAIN)
    assert vonggac(home, "camera", "add", "cam1", "--url", f"rtsp://127.0.0.1:{camera.port}/x") == 0
    for path in (tmp_path / "none" / "file", home / "catalog"):
        assert vonggac(home, "camera", "capture", "cam1", "-o", str(path)) == 2
    assert vonggac(home, "camera", "capture", "cam1", "--stream", "sub") == 2
    assert vonggac(home, "camera", "capture", "cam1", "--seconds", "1") == 2
    said(capsys)
    assert camera.heard == b""


def test_a_login_file_that_is_none_is_one_sentence(
    home: Path, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "login"
    for content in (b"", SECRET.encode(), b"\xff\xfe:x", b"\n\n\n"):
        path.write_bytes(content)
        words = ("--credentials-file", str(path))
        assert vonggac(home, "camera", "probe", "rtsp://127.0.0.1:9/x", *words) in (2, 78)
        assert "credentials" in said(capsys)
