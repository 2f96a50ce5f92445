"""gst-rtsp-server as cameras: e2e/gstcam.py in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.resources
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

DEMO = importlib.resources.files("vonggac_appliance") / "demo"
_PYTHON = "/usr/bin/python3"
"""Debian's own: gir1.2-gst-rtsp-server-1.0 is for no other."""
_SCRIPT = Path(__file__).with_name("e2e") / "gstcam.py"
_SERVER = (
    "import gi; gi.require_version('GstRtspServer', '1.0');"
    " from gi.repository import Gst, GstRtspServer; Gst.init(None)"
)


@contextlib.contextmanager
def gst_cameras(
    password: str, *words: str, user: str = "admin", elements: tuple[str, ...] = ()
) -> Iterator[int]:
    """Its port while it runs, Digest on; skips where it cannot.

    `words` are options and clips of gstcam.py; `elements`: what they need beside the server.
    """
    probe = f"{_SERVER}; assert all(map(Gst.ElementFactory.find, {elements!r}))"
    is_there = Path(_PYTHON).exists()
    if not is_there or subprocess.run([_PYTHON, "-c", probe], capture_output=True).returncode:
        missing = ", ".join(("gst-rtsp-server (Debian: gir1.2-gst-rtsp-server-1.0)", *elements))
        pytest.skip(f"not installed, or one of them: {missing}")
    command = [_PYTHON, str(_SCRIPT), "--user", user, "--password-file", "/dev/stdin", *words]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(password)
        process.stdin.close()
        said = process.stdout.readline().split()
        if len(said) != 2:
            process.wait(60)
            pytest.skip("gst-rtsp-server does not start here (its plugins are missing?)")
        try:
            yield int(said[1])
        finally:
            process.terminate()
            process.wait(60)
