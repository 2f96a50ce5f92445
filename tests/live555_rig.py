"""live555, built once from its source package on PyPI into build/: the stack most cameras carry.

The package's own build makes nothing of use, so its sources are compiled here. Skips with a reason
where there is no compiler or no way to the package.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

VERSION = "1.0.5"
ROOT = Path(__file__).resolve().parent.parent
_SOURCE = Path(__file__).with_name("e2e") / "live555cam.cpp"
_ROOMS = ("UsageEnvironment", "BasicUsageEnvironment", "groupsock", "liveMedia")
_UNUSED = (
    *("AC3AudioS", "ADTSAudio", "AMRAudioF", "AMRAudioRTPSink", "AVI", "DVVideoF", "EBML"),
    *("H263plusVideoS", "HLS", "JPEGVideoRTPSink", "MP3AudioM", "MP3F", "MP3S", "MP3T"),
    *("MPEG1or2D", "MPEG1or2F", "MPEG2I", "Matroska", "Ogg", "SIP", "WAV"),
)
"""Beginnings of files that no camera of ours is linked with: a fifth of the time."""
_FLAGS = ("-w", "-O0", "-DSOCKLEN_T=socklen_t", "-DNO_OPENSSL=1")
_DOWNLOAD = ("-q", "--no-deps", "--no-binary", ":all:", "--no-build-isolation")


def live555_camera() -> Path:
    """The program, built if it is not there."""
    for program in ("gcc", "g++", "ar"):
        if shutil.which(program) is None:
            pytest.skip(f"live555 cannot be built without {program}")
    folder = ROOT / "build" / "live555"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        pytest.skip(f"live555 cannot be built in {folder}: {error.strerror}")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        library = folder / f"live555-{VERSION}.a"
        if not library.exists():
            _build_library(folder, library)
        camera = folder / "live555cam"
        if not camera.exists() or camera.stat().st_mtime < _SOURCE.stat().st_mtime:
            _compile(folder / f"liblivemedia-{VERSION}", [_SOURCE, library], camera, "-lpthread")
        return camera
    finally:
        os.close(lock)


def _build_library(folder: Path, library: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", *_DOWNLOAD, f"liblivemedia=={VERSION}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the source of live555 is out of reach: {done.stderr.strip()[-200:]}")
    archive = folder / f"liblivemedia-{VERSION}.tar.gz"
    subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True)
    source = folder / f"liblivemedia-{VERSION}"
    objects = folder / "objects"
    objects.mkdir(exist_ok=True)
    rooms = [source / room for room in _ROOMS]
    files = [path for room in rooms for path in sorted((*room.glob("*.c"), *room.glob("*.cpp")))]
    files = [path for path in files if not path.name.startswith(_UNUSED)]
    made = [objects / f"{path.name}.o" for path in files]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pairs = zip(files, made, strict=True)
        list(pool.map(lambda pair: _compile(source, [pair[0]], pair[1], "-c"), pairs))
    partial = library.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", partial, *made], check=True)
    partial.rename(library)


def _compile(source: Path, inputs: Sequence[Path], output: Path, *more: str) -> None:
    compiler = ["gcc"] if inputs[0].suffix == ".c" else ["g++", "-std=c++20"]
    include = [f"-I{source / room / 'include'}" for room in _ROOMS]
    words = [*compiler, *_FLAGS, *include, *map(str, inputs), "-o", str(output), *more]
    subprocess.run(words, check=True)
