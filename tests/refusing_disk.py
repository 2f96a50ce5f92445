"""Disks that refuse: full ones, and such as may only be read."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def no_file_above(size_bytes: int) -> Iterator[None]:
    """No file of this process grows further: the kernel refuses, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def mounted(folder: Path, *words: str) -> Iterator[None]:
    """Something is mounted on a folder; needs root."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    try:
        subprocess.run(["mount", *words, folder], check=True, capture_output=True)
    except subprocess.CalledProcessError:
        pytest.skip("this machine lets nobody mount")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing below a folder may be written or removed."""
    with mounted(folder, "--bind", str(folder)):
        words = ["mount", "-o", "remount,bind,ro", folder]
        subprocess.run(words, check=True, capture_output=True)
        yield
