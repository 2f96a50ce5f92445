"""`vonggac demo`: simulated cameras on loopback, recorded for real; the page, and a live table.

It uses the commands a person would type; nothing here reaches around them.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from vonggac.errors import Refused, StorageError, Unavailable
from vonggac_appliance import accounts, config, control, demo_table, sockets
from vonggac_appliance.bus_control import StatusReply
from vonggac_appliance.messages_audit import audit_path

_CAMERAS = 4
_USER = "demo"
_OUTAGE = "cam4:40:8"
"""The one on a home Wi-Fi drops out for 8 s after every 40 s."""
_MIB = 1 << 20
_SIZES_MIB = (1024, 512)
"""Of the ring, an hour of these cameras; the largest that leaves as much room again free."""
_COMMAND = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"
_START_S = 60.0
_END_S = 40.0

_Line = dict[str, list[dict[str, str]]]
"""A `timeline --json`, as far as it is lists."""


def main(
    home: Path | None = None, seconds: float | None = None, *, cameras_only: bool = False
) -> int:
    """Runs the demo until Ctrl-C, or for `seconds`. Without a home it makes one in $TMPDIR."""
    with contextlib.ExitStack() as stack:
        if home is None:
            home = Path(tempfile.mkdtemp(prefix="vonggac-demo-"))
        home = home.absolute()
        (home / "log").mkdir(parents=True, exist_ok=True)
        stop = _Stop(seconds)
        urls, credentials = stack.enter_context(_cameras(home))
        for camera, streams in urls.items():
            print(f"{camera}: {streams['main']}  {streams['sub']}")
        if cameras_only:
            print(f"user and password stand in {credentials}", flush=True)
            stop.begin()
            while not stop.is_due():
                time.sleep(0.2)
            return 0
        disk = _set_up(home, urls, credentials)
        door = _page(home)
        with _running(home, door):
            print(f"recording into {disk}; Ctrl-C ends", flush=True)
            _invite(home, door)
            stop.begin()
            _watch(home, stop)
        return _sum_up(home, disk, list(urls))


class _Stop:
    """Ctrl-C, SIGTERM, or the time that was asked for."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._until_s: float | None = None
        self._is_asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def begin(self) -> None:
        """The time that was asked for runs from here."""
        if self._seconds is not None:
            self._until_s = time.monotonic() + self._seconds

    def is_due(self) -> bool:
        """Whether to end."""
        return self._is_asked or (self._until_s is not None and time.monotonic() >= self._until_s)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._is_asked = True


@contextlib.contextmanager
def _cameras(home: Path) -> Iterator[tuple[dict[str, dict[str, str]], Path]]:
    """Simulated cameras with Digest, and a file with their login."""
    password = secrets.token_urlsafe(12)
    password_file, credentials = home / "log" / "camera-password", home / "log" / "camera-login"
    for path, text in ((password_file, password), (credentials, f"{_USER}:{password}")):
        path.touch(mode=0o600)
        path.write_text(text + "\n")
    arguments = ["--cameras", str(_CAMERAS), "--user", _USER, "--drop", _OUTAGE]
    arguments += ["--password-file", str(password_file)]
    process = subprocess.Popen(  # noqa: S603, our own module
        [sys.executable, "-m", "vonggac_appliance.demo_cameras", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        process_group=0,
        text=True,
    )
    try:
        assert process.stdout is not None
        urls: dict[str, dict[str, str]] = {}
        for _ in range(2 * _CAMERAS):
            words = process.stdout.readline().split()
            if len(words) != 3:
                raise Unavailable("the simulated cameras did not start")
            urls.setdefault(words[0], {})[words[1]] = words[2]
        yield urls, credentials
    finally:
        process.terminate()
        process.communicate()


def _vonggac(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603, our own program
        [sys.executable, "-c", _COMMAND, "--home", str(home), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _must(result: subprocess.CompletedProcess[str]) -> str:
    if result.returncode:
        raise Unavailable(result.stderr.strip() or f"a command exited with {result.returncode}")
    return result.stdout


def _set_up(home: Path, urls: dict[str, dict[str, str]], credentials: Path) -> Path:
    disk = home / "disk"
    if not (disk / "vonggac-disk.json").exists():
        disk.mkdir(exist_ok=True)
        _must(_vonggac(home, "disk", "format", str(disk), "--size", f"{_size_mib(home)}M"))
    listed = json.loads(_must(_vonggac(home, "camera", "list", "--json")))
    for camera in listed["cameras"]:
        if camera["id"] in urls:  # of an earlier demo in this home: its port is another now
            _must(_vonggac(home, "camera", "remove", camera["id"]))
    for camera, streams in urls.items():
        address = ["--url", streams["main"], "--sub-url", streams["sub"]]
        # A shop's, not a household's: nobody here can sign the agreement that one needs.
        kind = "business" if camera == _OUTAGE.split(":")[0] else "state"
        login = ["--credentials-file", str(credentials)]
        _must(_vonggac(home, "camera", "add", camera, *address, *login, "--owner-kind", kind))
    return disk


def _gaps_between(line: _Line) -> list[str]:
    """Reasons of the gaps between the first picture and the last."""
    if not line["ranges"]:
        return ["nothing was recorded"]
    first, last = line["ranges"][0]["from"], line["ranges"][-1]["to"]
    # Times of one zone in one form: their order is that of their letters.
    inside = (gap for gap in line["gaps"] if first <= gap["from"] and gap["to"] <= last)
    return [gap["reason"] for gap in inside]


def _size_mib(home: Path) -> int:
    free_mib = shutil.disk_usage(home).free // _MIB
    for size in _SIZES_MIB:
        if free_mib >= 2 * size:
            return size
    raise StorageError(f"{home} has {free_mib} MiB free; the demo needs {2 * _SIZES_MIB[-1]}")


@dataclass(frozen=True, slots=True)
class _Page:
    """Where the page will be."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/"


def _page(home: Path) -> _Page:
    """At the configured port, or at a free one when somebody has that."""
    settings = config.load(home).serve
    family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.address, settings.port))
        except OSError:
            probe.bind((settings.address, 0))
        port = int(probe.getsockname()[1])
    host = f"[{settings.address}]" if family == socket.AF_INET6 else settings.address
    return _Page("https" if settings.certificate else "http", host, port)


def _invite(home: Path, page: _Page) -> None:
    """Where to look, and how to get in the first time."""
    print(f"the page: {page.url}")
    try:
        code = accounts.setup_code(home)
    except Refused:  # of an earlier demo in this home
        print("sign in with the name and password that you chose before", flush=True)
        return
    print(f"one-time code for the first person: {code} (valid for 15 minutes)")
    print(f"another code: vonggac --home {home} setup-code", flush=True)


@contextlib.contextmanager
def _running(home: Path, page: _Page) -> Iterator[None]:
    """`vonggac run` with its messages in a file."""
    with (home / "log" / "run.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603, our own program
            [sys.executable, "-c", _COMMAND, "--home", str(home), "run", "--port", str(page.port)],
            stdin=subprocess.DEVNULL,
            stderr=log,
            process_group=0,
        )
        try:
            _wait_until_it_answers(home, page, process)
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
            if process.poll() is None:
                process.kill()
                process.wait()


def _wait_until_it_answers(home: Path, page: _Page, process: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + _START_S
    while time.monotonic() < until_s and process.poll() is None:
        with contextlib.suppress(Unavailable, OSError):
            control.status(home, 1.0)
            sockets.connect(audit_path(home), 1.0).close()
            socket.create_connection((page.host.strip("[]"), page.port), 1.0).close()
            return
        time.sleep(0.1)
    log = home / "log" / "run.log"
    raise Unavailable(f"not all of the box did start; {log} says why")


def _watch(home: Path, stop: _Stop) -> None:
    """The table, once a second; plain lines every five where nobody looks at a terminal."""
    is_terminal = sys.stdout.isatty()
    before: StatusReply | None = None
    drawn = turn = 0
    while not stop.is_due():
        try:
            now = control.status(home, 2.0)
        except Unavailable as error:
            print(f"{error}", flush=True)
            drawn = 0
        else:
            if is_terminal:
                lines = demo_table.table(now, before)
                up = f"\x1b[{drawn}F\x1b[J" if drawn else ""
                print(up + "\n".join(lines), flush=True)
                drawn = len(lines)
            elif turn % 5 == 0:
                print(demo_table.plain(now, before), flush=True)
            before = now
        turn += 1
        wake_s = time.monotonic() + 1.0
        while time.monotonic() < wake_s and not stop.is_due():
            time.sleep(0.05)


def _sum_up(home: Path, disk: Path, cameras: list[str]) -> int:
    """What was recorded, where it lies, and whether the disk holds what it promises."""
    print()
    for camera in cameras:
        for stream in ("main", "sub"):
            arguments = ["--stream", stream, "--from", "-1d", "--to", "now", "--json"]
            line = json.loads(_must(_vonggac(home, "timeline", camera, *arguments)))
            frames = sum(part["frames"] for part in line["ranges"])
            mib = sum(part["bytes"] for part in line["ranges"]) / _MIB
            gaps = ", ".join(_gaps_between(line)) or "none"
            print(f"{camera} {stream}: {frames} frames, {mib:.1f} MiB, gaps: {gaps}")
    check = _vonggac(home, "disk", "check", str(disk), "--json")
    report = json.loads(check.stdout or _must(check))
    word = "ok" if report["ok"] else "NOT ok"
    print(f"disk check: {word}, {report['fragments']} fragments")
    for problem in report["problems"]:
        print(f"  {problem}")
    print(f"segments: {disk / 'segments'} (they play in VLC and ffmpeg)")
    print(f"messages: {home / 'log' / 'run.log'}")
    print(
        f"a cut:    vonggac --home {home} cut cam1 --from -1m --to now --purpose demo -o cam1.mp4"
    )
    return 0 if report["ok"] else 1
