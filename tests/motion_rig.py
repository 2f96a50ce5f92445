"""`motion run` as a process beside a recorder, and what people ask of it."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from audit_rig import vonggac
from vonggac.errors import Unavailable
from vonggac_appliance.messages_motion import MotionStatusReply
from vonggac_appliance.motion_client import MotionClient

DEADLINE_S = 120.0
_START = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


class Motion:
    """The process of a home; started and killed as often as wanted."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "motion.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START, "--home", str(self.home), "motion", "run"],
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        until_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < until_s and self.process.poll() is None:
            with contextlib.suppress(Unavailable):
                self.status()
                return
            time.sleep(0.05)  # nothing tells when a socket will appear
        raise AssertionError(self.log.read_text())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it and gives its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None

    def status(self) -> MotionStatusReply:
        with MotionClient(self.home) as client:
            return client.status()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Waits; the index says nothing by itself."""
        until_s = time.monotonic() + DEADLINE_S
        while not is_so():
            assert time.monotonic() < until_s, (self.status(), self.log.read_text())
            time.sleep(0.2)

    def search(self, capsys: Any, *words: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Hits, and the last line, of `motion search … --json` over the last hour."""
        capsys.readouterr()
        ask = ("motion", "search", *words, "--from", "-1h", "--to", "now", "--json")
        assert vonggac(self.home, *ask, "--purpose", "vụ 17") == 0, capsys.readouterr().err
        *hits, done = map(json.loads, capsys.readouterr().out.splitlines())
        return hits, done


@contextlib.contextmanager
def motion_run(home: Path) -> Iterator[Motion]:
    """It runs when the block begins."""
    motion = Motion(home)
    motion.start()
    try:
        yield motion
    except BaseException:
        print(motion.log.read_text())
        raise
    finally:
        if motion.process is not None:
            assert motion.stop() == 0, motion.log.read_text()
