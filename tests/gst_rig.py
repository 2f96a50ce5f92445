"""gst-rtsp-server as cameras: e2e/gstcam.py in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence

import pytest


@contextlib.contextmanager
def gst_cameras(command: Sequence[str]) -> Iterator[int]:
    """Its port while it runs; skips where it cannot."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        if len(words) != 2:
            process.wait(60)
            pytest.skip("gst-rtsp-server does not start here (its plugins are missing?)")
        try:
            yield int(words[1])
        finally:
            process.terminate()
            process.wait(60)
