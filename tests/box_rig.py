"""A box of its own: simulated cameras, a home, a disk and a real recorder in a process."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import zmq

from audit_rig import vonggac
from vonggac.errors import Unavailable
from vonggac.media.chunk import gap_word
from vonggac.registry.catalog import Catalog
from vonggac.rtsp.url import Credentials
from vonggac.store.check import check
from vonggac.store.timeline import Timeline
from vonggac_appliance import bus_control, bus_events, control, footage
from vonggac_appliance.camera_server import CameraServer
from vonggac_appliance.demo_cameras import demo_streams, login_policy
from vonggac_appliance.sockets import ipc_path

PASSWORD = "Mat-khau#91:mat@x"
DEADLINE_S = 120.0
ASK_S = 20.0
"""For anything that is waited for: two cores may be shared by much else. It is only reached where
something will never happen."""
_START = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


class Cameras:
    """Simulated cameras in a thread, which count the connections they get."""

    def __init__(self, count: int = 2, port: int = 0, login: str = "digest") -> None:
        self.connections = 0
        policy = login_policy(login, Credentials("admin", PASSWORD))
        counting = self

        class Counting(CameraServer):
            def _accept(self) -> None:
                counting.connections += 1
                super()._accept()

        self.server = Counting(demo_streams(count), port=port, login=policy)
        self.port = self.server.port
        self.names = [f"cam{number + 1}" for number in range(count)]
        self._thread = threading.Thread(target=self.server.run)
        self._thread.start()

    def url(self, camera: str, stream: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{camera}/{stream}"

    def stop(self) -> None:
        self.server.stop()
        self._thread.join()


class Box:
    """A home with a disk; `record` runs between `start` and `stop`."""

    def __init__(self, home: Path, size: str = "768M") -> None:
        self.home = home
        self.disk = home / "disk"
        self.log = home / "record.log"
        self.login = home / "login"
        home.mkdir(mode=0o750, exist_ok=True)
        self.disk.mkdir()
        self.login.write_text(f"admin:{PASSWORD}\n")
        self.process: subprocess.Popen[bytes] | None = None
        self.run_here("disk", "format", str(self.disk), "--size", size, "--segment-size", "16M")

    def discard(self) -> None:
        """Gives the disk's room back: pytest keeps what three runs have left."""
        if self.process is not None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.disk, ignore_errors=True)

    def run(self, *arguments: str, status: int = 0) -> str:
        """A command as a person types it; gives what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", _START, "--home", str(self.home), *arguments],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    def run_here(self, *arguments: str, status: int = 0) -> str:
        """As `run`, in this process: a Python of its own for each is half of a test's costs."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = vonggac(self.home, *arguments)
        if "already open in this process" in err.getvalue():
            return self.run(*arguments, status=status)  # the test has the catalog open itself
        assert found == status, err.getvalue()
        return out.getvalue() if status == 0 else err.getvalue()

    def add(self, cameras: Cameras, name: str, *more: str, kind: str = "state") -> None:
        """Enrols a camera with both streams."""
        streams = ("--url", cameras.url(name, "main"), "--sub-url", cameras.url(name, "sub"))
        login = ("--credentials-file", str(self.login))
        self.run_here("camera", "add", name, *streams, *login, "--owner-kind", kind, *more)

    def start(self, command: str = "record") -> None:
        """Starts the recorder and waits until it answers."""
        words = [command]
        if command == "run" and "[serve]" not in self._config():
            words += ["--port", "0"]  # other boxes run beside this one
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START, "--home", str(self.home), *words],
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        self.until_answered()

    def _config(self) -> str:
        path = self.home / "config.toml"
        return path.read_text() if path.exists() else ""

    def until_answered(self) -> None:
        """Waits until the recorder answers."""
        assert self.process is not None
        until_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < until_s and self.process.poll() is None:
            with contextlib.suppress(Unavailable):
                control.status(self.home, 2.0)
                return
            time.sleep(0.05)  # nothing tells when a socket will appear
        raise AssertionError(self.log.read_text())

    def until_logged(self, words: str) -> None:
        """Waits for a message."""
        until_s = time.monotonic() + DEADLINE_S
        while words not in self.log.read_text():
            assert time.monotonic() < until_s, self.log.read_text()
            time.sleep(0.05)  # nothing tells of a line

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends the recorder and gives its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None

    @contextlib.contextmanager
    def running(self, command: str = "record") -> Iterator[Box]:
        """The recorder for a block; its log is shown when the block fails."""
        self.start(command)
        try:
            yield self
        except BaseException:
            print(self.log.read_text())
            raise
        finally:
            if self.process is not None:
                assert self.stop() == 0, self.log.read_text()
        report = check(self.disk)
        assert report.is_ok, report.problems

    def timeline(self, camera: str, stream: str, from_ns: int = 0) -> Timeline:
        """What is recorded of a stream since `from_ns`."""
        with Catalog(self.home, is_readonly=True) as catalog:
            row = catalog.camera(camera)
            disks = [(Path(disk.path), disk.uuid) for disk in catalog.disks()]
        assert row is not None
        found = row.stream(stream)
        assert found is not None
        return footage.timeline_of(self.home, disks, found.id, from_ns, time.time_ns())

    def holes(self, camera: str, stream: str) -> list[tuple[str, float]]:
        """Reasons and seconds of the gaps between the first and the last picture."""
        line = self.timeline(camera, stream)
        first, last = line.ranges[0].from_ns, line.ranges[-1].to_ns
        return [
            (gap_word(gap.reason), (gap.to_ns - gap.from_ns) / 1e9)
            for gap in line.gaps
            if gap.from_ns >= first and gap.to_ns <= last
        ]

    def status(self) -> bus_control.StatusReply:
        """Asked again after a while: a recorder that was just killed may have taken the question
        with it."""
        until_s = time.monotonic() + DEADLINE_S
        while True:
            asked_s = time.monotonic()
            try:
                return control.status(self.home, ASK_S)
            except Unavailable:
                now_s = time.monotonic()
                if now_s - asked_s < ASK_S or now_s > until_s:
                    raise

    def streams(self) -> dict[tuple[str, str], bus_control.StreamStatus]:
        """By camera and stream."""
        return {(c.id, s.name): s for c in self.status().cameras for s in c.streams}

    def runs(self) -> dict[tuple[str, str], int]:
        """By camera and stream: the run that is recorded now."""
        return {key: stream.run for key, stream in self.streams().items()}

    def until(
        self, is_so: Callable[[bus_control.StatusReply], bool], deadline_s: float = DEADLINE_S
    ) -> bus_control.StatusReply:
        """Waits, looking again at every event of the recorder (a tick at least)."""
        until_s = time.monotonic() + deadline_s
        with (
            zmq.Context() as context,
            context.socket(zmq.SUB) as subscriber,
            ipc_path(bus_events.events_endpoint(self.home, "record")) as address,
        ):
            subscriber.subscribe(b"")
            subscriber.connect(address)
            while time.monotonic() < until_s:
                now = self.status()
                if is_so(now):
                    return now
                if subscriber.poll(300):
                    subscriber.recv_multipart()
        raise AssertionError(f"not within {deadline_s:g} s: {self.status().cameras}")

    def until_durable(self, seconds: float = 0.0) -> bus_control.StatusReply:
        """Waits until every stream records and has `seconds` durable in its present run."""
        return self.until(
            lambda now: (
                bool(now.cameras)
                and all(
                    len(c.streams) == 2
                    and all(
                        s.state == "recording" and s.recorded_ns >= seconds * 1e9 and s.samples
                        for s in c.streams
                    )
                    for c in now.cameras
                )
            )
        )

    def children(self) -> list[int]:
        """Loops and keepers: what the zygote forked."""
        assert self.process is not None
        (forker,) = child_pids(self.process.pid)
        return child_pids(forker)

    def keeper_pid(self) -> int:
        loops = {pid for _, pid in self.status().loops}
        (pid,) = [pid for pid in self.children() if pid not in loops]
        return pid


def child_pids(pid: int) -> list[int]:
    return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def states(now: bus_control.StatusReply) -> dict[str, str]:
    return {camera.id: camera.state for camera in now.cameras}


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that waits to be reaped has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_gone(pids: Sequence[int], deadline_s: float = DEADLINE_S) -> None:
    until_s = time.monotonic() + deadline_s
    while not all(is_gone(pid) for pid in pids):
        assert time.monotonic() < until_s, pids
        time.sleep(0.02)  # not our children: nothing can be waited for


def crash_page(recorder_pid: int, loop: int) -> int:
    """The page where a loop writes what it is parsing, as the recorder holds it."""
    folder = Path(f"/proc/{recorder_pid}/fd")
    for link in folder.iterdir():
        if os.readlink(link).startswith(f"/memfd:vonggac-crash-{loop} "):
            return os.open(link, os.O_RDWR | os.O_CLOEXEC)
    raise AssertionError("no crash page")


def _stop(pid: int) -> None:
    """SIGSTOP, and until it has taken effect."""
    assert pid > 0, "no loop runs now"
    os.kill(pid, signal.SIGSTOP)
    until_s = time.monotonic() + DEADLINE_S
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < until_s, pid
        time.sleep(0.001)  # nothing tells when another process has stopped


def kill_loop_while_parsing(box: Box, stream: bytes) -> None:
    """As if the loop had crashed in the middle of this stream's bytes."""
    assert box.process is not None
    ((number, pid),) = box.status().loops
    _stop(pid)
    page = crash_page(box.process.pid, number)
    os.pwrite(page, (1).to_bytes(8, sys.byteorder) + stream, 0)
    os.close(page)
    os.kill(pid, signal.SIGKILL)


def kill_loop_between_parses(box: Box) -> int:
    """Kills the only loop at a moment when no stream is to blame; gives the pid it had."""
    assert box.process is not None
    ((number, pid),) = box.status().loops
    page = crash_page(box.process.pid, number)
    try:
        _stop(pid)
        while os.pread(page, 8, 0) != bytes(8):
            os.kill(pid, signal.SIGCONT)
            _stop(pid)
    finally:
        os.close(page)
    os.kill(pid, signal.SIGKILL)
    return pid


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
