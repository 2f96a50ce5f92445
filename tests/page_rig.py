"""A box with its page: `vonggac run` on a free port, and what stands in its audit chain."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from box_rig import DEADLINE_S, Box, free_port

NAME = "Nguyễn Văn An"
PAGE_PASSWORD = "trời mưa thì ướt sân 7"
_CODE = re.compile(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b")
_START = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


class PagedBox(Box):
    """A box with audit, recorder and page (`vonggac run`) on a free port."""

    def __init__(self, home: Path, size: str = "768M") -> None:
        super().__init__(home, size)
        self.port = free_port()
        (home / "config.toml").write_text(f"[serve]\nport = {self.port}\n")

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, command: str = "run") -> None:
        super().start(command)
        self.until_page()

    def until_page(self) -> None:
        """Waits until the page answers."""
        assert self.process is not None
        until_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < until_s and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.origin + "/healthz", timeout=2):  # noqa: S310
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)  # nothing tells when it listens
        raise AssertionError(self.log.read_text())

    def setup_code(self) -> str:
        return setup_code(self.home)

    def audit_lines(self) -> list[dict[str, Any]]:
        """The whole chain."""
        return [
            json.loads(line)
            for path in sorted((self.home / "audit").glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]

    def until_line(self, deadline_s: float = DEADLINE_S, **wanted: object) -> dict[str, Any]:
        """Waits for a line of the chain with these fields; gives the last such."""
        until_s = time.monotonic() + deadline_s
        while True:
            lines = self.audit_lines()
            for line in reversed(lines):
                if all(line.get(key) == value for key, value in wanted.items()):
                    return line
            assert time.monotonic() < until_s, (wanted, lines[-8:])
            time.sleep(0.1)  # nothing tells of a line


def setup_code(home: Path) -> str:
    """What `vonggac setup-code` shows."""
    return shown_code(home, "setup-code")


def shown_code(home: Path, *words: str) -> str:
    """The code that a command shows, which it only does on a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", _START, "--home", str(home), *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = _read_all(ours)
        status = process.wait(DEADLINE_S)
    os.close(ours)
    found = _CODE.findall(said)
    assert status == 0 and len(found) == 1, said
    code: str = found[0]
    return code


def _read_all(fd: int) -> str:
    """Until the other side closes, at most DEADLINE_S."""
    said = b""
    until_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < until_s:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(fd, 4096)
        except OSError:  # EIO: the terminal has no other side any more
            break
        if not data:
            break
        said += data
    return said.decode()
