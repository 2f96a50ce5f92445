"""A recorder for benches: a home, a disk, and `vonggac record` as it is installed."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from camera_source import Source
from procs import Cost, cost, tree

from vonggac.errors import Unavailable
from vonggac.registry.catalog import Catalog
from vonggac_appliance import bus_control, control
from vonggac_appliance.cli import main as vonggac

COMMAND = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


class Box:
    """Formats a disk of `size` under `room` (or at `disk`) and knows how to run the recorder."""

    def __init__(
        self, room: Path, size: str, disk: Path | None = None, segment_size: str = "32M"
    ) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="vonggac-bench-", dir=room))
        self.disk = disk or self.home / "disk"
        self.disk.mkdir(exist_ok=True)
        self.log = self.home / "record.log"
        self._process: subprocess.Popen[bytes] | None = None
        sizes = ("--size", size, "--segment-size", segment_size)
        self.command("disk", "format", str(self.disk), *sizes)

    def command(self, *arguments: str) -> str:
        """A command of `vonggac`; gives what it prints."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = vonggac(["--home", str(self.home), *arguments])
        if status != 0:
            raise RuntimeError(f"vonggac {' '.join(arguments)}: {err.getvalue()}")
        return out.getvalue()

    def add(self, name: str, url: str, sub_url: str | None = None) -> None:
        """Enrols a camera."""
        sub = () if sub_url is None else ("--sub-url", sub_url)
        self.command("camera", "add", name, "--url", url, *sub, "--owner-kind", "state")

    def add_cameras(self, source: Source, count: int) -> None:
        """Enrols cameras of one stream each."""
        for number in range(count):
            self.add(f"cam{number}", source.url(f"cam{number}"))

    def add_pairs(self, source: Source, count: int) -> dict[bytes, str]:
        """Enrols cameras of two streams each; gives `code/stream` of each stream's id."""
        # All of them at once: how starts are spread is not what is measured.
        (self.home / "config.toml").write_text("[cameras]\nstarts_per_second = 64\n")
        for number in range(count):
            name = f"cam{number}"
            self.add(name, source.url(f"{name}/main"), source.url(f"{name}/sub"))
        with Catalog(self.home, is_readonly=True) as catalog:
            return {s.id: f"{c.code}/{s.name}" for c in catalog.cameras() for s in c.streams}

    def start(self) -> None:
        """Starts the recorder; returns once it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "--home", str(self.home), "record"],
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        self._until(lambda status: True, 60)

    def until_recording(self, seconds: float, deadline_s: float = 120) -> float:
        """Waits until all streams have `seconds` durable; gives how long that took."""
        began = time.monotonic()
        self._until(
            lambda status: all(
                s.state == "recording" and s.recorded_ns >= seconds * 1e9
                for c in status.cameras
                for s in c.streams
            ),
            deadline_s,
        )
        return time.monotonic() - began

    def until_all(self, *states: str, deadline_s: float = 60) -> float:
        """Waits until every stream is in one of `states`; gives how long that took."""
        began = time.monotonic()
        self._until(
            lambda status: all(s.state in states for c in status.cameras for s in c.streams),
            deadline_s,
        )
        return time.monotonic() - began

    def _until(self, is_so: Callable[[bus_control.StatusReply], bool], deadline_s: float) -> None:
        until = time.monotonic() + deadline_s
        while time.monotonic() < until and self.pid:
            with contextlib.suppress(Unavailable):
                if is_so(self.status()):
                    return
            time.sleep(0.2)
        raise RuntimeError(f"the recorder did not get there in {deadline_s} s: see {self.log}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid if self._process.poll() is None else 0

    def status(self) -> bus_control.StatusReply:
        """As the recorder sees its streams."""
        return control.status(self.home, 5.0)

    def cost(self) -> Cost:
        """Of the recorder and all its children."""
        return cost(tree(self.pid))

    def allocated(self) -> dict[int, int]:
        """Bytes that each process allocated, by its number: the recorder's own first."""
        return {pid: cost([pid]).anonymous_bytes for pid in tree(self.pid)}

    def kill(self) -> None:
        """Kills the recorder's own process; its descendants end by themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ends the recorder in order."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        if error is not None and self.log.exists():
            sys.stderr.write(self.log.read_text()[-4000:])
        for entry in self.disk.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else os.unlink(entry)
        shutil.rmtree(self.home)
