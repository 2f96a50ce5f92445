"""A browser with somebody before it: plays the stories that driver.mjs knows."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DRIVER = ROOT / "tests" / "web" / "browser" / "driver.mjs"
BROWSERS = {"chromium": "chromium", "firefox": "firefox-esr"}
_STORY_S = 120.0
_LAUNCH_S = 60.0


def missing_for(browser: str) -> list[str]:
    """What this machine lacks to play stories in `browser`."""
    missing = [name for name in ("node", BROWSERS[browser]) if shutil.which(name) is None]
    if not (ROOT / "web" / "node_modules" / "puppeteer-core").is_dir():
        missing.append("web/node_modules (npm ci in web/)")
    return missing


@dataclass(slots=True)
class Told:
    """How a story went."""

    result: dict[str, Any]
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, and violations of the content policy."""


class Person:
    """A browser. `plays` a story of stories/ and gives what came of it."""

    def __init__(self, browser: str, origin: str, *, dark: bool = False) -> None:
        options = json.dumps({"origin": origin, "dark": dark})
        command = ["node", str(DRIVER), browser, options]
        self.browser = browser
        self._room = tempfile.mkdtemp(prefix="vonggac-person-")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": self._room},
        )
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            self.pid: int = self._next(_LAUNCH_S)["pid"]
        except BaseException:
            self.leave()
            raise

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _next(self, deadline_s: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=deadline_s)
        except Empty:
            raise AssertionError(f"{self.browser} said nothing for {deadline_s:g} s") from None
        assert line, f"{self.browser} ended"
        told: dict[str, Any] = json.loads(line)
        return told

    def asks(self, story: str, **options: object) -> None:
        """Begins a story; `tells` waits for its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"story": story, **options}) + "\n")
        self._process.stdin.flush()

    def tells(self, deadline_s: float = _STORY_S) -> Told:
        """How the story went that was begun last."""
        told = self._next(deadline_s)
        if "error" in told:
            raise AssertionError("\n".join(f"{key}: {value}" for key, value in told.items()))
        return Told(told["result"], told["complaints"])

    def hears(self, word: str) -> None:
        """Waits until the story that plays has said that it got so far."""
        told = self._next(_STORY_S)
        assert told.get("now") == word, told

    def plays(self, story: str, **options: object) -> Told:
        """A story from its beginning to its end."""
        self.asks(story, **options)
        return self.tells()

    def leave(self) -> None:
        """Closes the browser."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            # In the middle of a story: nobody else would end the browser.
            for pid in descendants(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        shutil.rmtree(self._room, ignore_errors=True)


def descendants(pid: int) -> Sequence[int]:
    """A process and all that it started, the oldest first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended while we looked
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop(0))
        queue.extend(children.get(found[-1], ()))
    return found
