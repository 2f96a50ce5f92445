"""Publishers: one of our own over TLS, a box whose door is open, and others' programs."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from box_rig import DEADLINE_S, Box, free_port
from certificates import make_certificate
from vonggac.rtsp.packetise import Packetiser, interleave
from vonggac.rtsp.server import Mount, describe
from vonggac_appliance.camera_clip import STREET, Clip, load_scene

_START = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


class PushBox(Box):
    """A box that cameras may call. `record` and `push run` run between `start` and `stop`."""

    def __init__(self, home: Path, size: str = "320M") -> None:
        super().__init__(home, size)
        chain, key = make_certificate(home / "tls", ("box.lan", "127.0.0.1"))
        self.port = free_port()
        (home / "config.toml").write_text(
            f'[push]\naddress = "127.0.0.1"\nport = {self.port}\n'
            f'certificate = "{chain}"\nkey = "{key}"\n'
        )
        self.door: subprocess.Popen[bytes] | None = None

    def add_push(self, code: str, *more: str, kind: str = "state") -> str:
        """Enrols a camera that calls; gives its key."""
        said = self.run_here("camera", "add", code, "--push", *more, "--owner-kind", kind)
        return key_in(said)

    def open_door(self) -> None:
        """Starts `push run`, and waits until the recorder hears of it."""
        with self.log.open("ab") as log:
            self.door = subprocess.Popen(
                [sys.executable, "-c", _START, "--home", str(self.home), "push", "run"],
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        self.until(lambda now: now.push is not None and now.push.is_open)

    def shut_door(self) -> int:
        """Ends it; gives its exit status."""
        assert self.door is not None
        self.door.terminate()
        status = self.door.wait(DEADLINE_S)
        self.door = None
        return status

    @contextlib.contextmanager
    def taking_calls(self) -> Iterator[PushBox]:
        """Both of them for a block."""
        with self.running():
            self.open_door()
            try:
                yield self
            finally:
                if self.door is not None:
                    assert self.shut_door() == 0

    def url(self, path: str, user: str, key: str) -> str:
        return f"rtsps://{user}:{key}@127.0.0.1:{self.port}/{path}"

    def until_recording(self, code: str, seconds: float = 1.0) -> None:
        """Waits until the main stream has that much durable in its present run."""

        def is_so(now: object) -> bool:
            stream = self.streams().get((code, "main"))
            return stream is not None and stream.state == "recording" and stream.samples > 0

        self.until(is_so)
        before = self.streams()[code, "main"].recorded_ns
        self.until(lambda now: self.streams()[code, "main"].recorded_ns >= before + seconds * 1e9)

    def until_said(self, code: str, words: str) -> None:
        """Waits until nothing is recorded, for the reason that is told in these words."""
        self.until(
            lambda now: any(
                c.id == code and c.state == "waiting" and words in c.what for c in now.cameras
            )
        )


def key_in(said: str) -> str:
    """The key in what a command printed."""
    found = re.search(r"^its key: (\S+)$", said, re.MULTILINE)
    assert found is not None, said
    return found[1]


def insecure() -> ssl.SSLContext:
    """A caller's TLS that looks at no certificate, as most publishers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Publisher:
    """A camera that calls: RTSP as it should be, real pictures, all under a test's hand."""

    def __init__(
        self,
        port: int,
        path: str,
        user: str,
        key: str,
        clip: Clip | None = None,
        home: str = "127.0.0.1",
    ) -> None:
        """`home`: the address it calls from."""
        self.clip = clip or load_scene(STREET)[1]
        self._uri = f"rtsps://127.0.0.1:{port}/{path}"
        self._login = base64.b64encode(f"{user}:{key}".encode()).decode()
        raw = socket.create_connection(("127.0.0.1", port), DEADLINE_S, (home, 0))
        self.sock = insecure().wrap_socket(raw)
        self._said = 0
        self._packetiser = Packetiser(self.clip.codec)
        self._unit = 0
        self._file = self.sock.makefile("rb")

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self.sock.close()

    def ask(self, method: str, *fields: str, track: str = "", body: bytes = b"") -> int:
        """Says something; gives the status of its answer, 0 where the connection ends instead."""
        self._said += 1
        lines = [
            f"{method} {self._uri}{track} RTSP/1.0",
            f"CSeq: {self._said}",
            f"Authorization: Basic {self._login}",
            *fields,
            *([f"Content-Length: {len(body)}"] if body else []),
        ]
        self.sock.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body)
        return self.answer()

    def answer(self) -> int:
        """The status of the next answer; packets before it are passed over."""
        try:
            while (first := self._file.read(1)) == b"$":
                size = int.from_bytes(self._file.read(3)[1:], "big")
                self._file.read(size)
            line = first + self._file.readline()
            while self._file.readline().strip():
                pass
        except OSError:
            return 0
        return int(line.split()[1]) if line.startswith(b"RTSP/") else 0

    def announce(self) -> int:
        clip = self.clip
        body = describe(Mount("/x", clip.codec, clip.vps, clip.sps, clip.pps))
        return self.ask("ANNOUNCE", "Content-Type: application/sdp", body=body)

    def set_up(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record") -> int:
        return self.ask("SETUP", f"Transport: {transport}", track="/trackID=0")

    def record(self) -> list[int]:
        """All up to RECORD; the statuses, up to the first that is no 200."""
        said = []
        for step in (self.announce, self.set_up, lambda: self.ask("RECORD")):
            said.append(step())
            if said[-1] != 200:
                break
        return said

    def send(self, seconds: float) -> None:
        """Pictures in their own time, from where it stood."""
        began_s, first = time.monotonic(), self._unit
        while (self._unit - first) * self.clip.frame_ns / 1e9 < seconds:
            self.sock.sendall(self.picture())
            done_s = (self._unit - first) * self.clip.frame_ns / 1e9
            time.sleep(max(0.0, began_s + done_s - time.monotonic()))

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Pictures all the while, from a thread: a test may take its time."""
        is_over = threading.Event()

        def send() -> None:
            with contextlib.suppress(OSError):  # cut off, which the test looks at
                while not is_over.is_set():
                    self.send(0.1)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def picture(self) -> bytes:
        """The next one's packets."""
        units = self.clip.units[self._unit % len(self.clip.units)]
        packets = self._packetiser.access_unit(units, self._unit * self.clip.frame_ticks)
        self._unit += 1
        return b"".join(interleave(0, packet) for packet in packets)
