"""aio-rtsp-toolkit's server, installed once from PyPI into build/: interleaved packets and nothing
else.

It has a folder of its own, since its decoder library is no business of ours. Skips with a reason
where there is no way to the package.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

VERSION = "0.1.4"
ROOT = Path(__file__).resolve().parent.parent
_DEADLINE_S = 120.0
_SERVE = """
import asyncio, sys
from aio_rtsp_toolkit.server import RtspServer

async def serve(files, told):
    server = await RtspServer(files, host="127.0.0.1", port=0).start()
    with open(told, "w") as file:
        print(server._server.sockets[0].getsockname()[1], file=file)
    await server.serve_forever()

asyncio.run(serve(*sys.argv[1:]))
"""


def _package() -> Path:
    folder = ROOT / "build" / f"aio-rtsp-{VERSION}-{sys.version_info.major}{sys.version_info.minor}"
    try:
        folder.parent.mkdir(exist_ok=True)
        lock = os.open(folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        pytest.skip(f"aio-rtsp-toolkit cannot be installed in {folder}: {error.strerror}")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _install(folder)
        return folder
    finally:
        os.close(lock)


def _install(folder: Path) -> None:
    partial = folder.with_suffix(".partial")
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:", "--target", str(partial)]
    done = subprocess.run(
        [*command, f"aio-rtsp-toolkit[server]=={VERSION}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"aio-rtsp-toolkit is out of reach: {done.stderr.strip()[-200:]}")
    partial.rename(folder)


@contextlib.contextmanager
def aio_rtsp_server(files: Path) -> Iterator[int]:
    """Serves the media files of a folder; gives the port."""
    told = files / "port.txt"
    environment = {**os.environ, "PYTHONPATH": str(_package()), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(files), str(told)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            until_s = time.monotonic() + _DEADLINE_S
            while not (told.exists() and told.read_text().endswith("\n")):
                if process.poll() is not None:
                    assert process.stderr is not None
                    raise AssertionError(process.stderr.read())
                assert time.monotonic() < until_s, "the server does not start"
                time.sleep(0.05)  # nothing tells of a file
            yield int(told.read_text())
        finally:
            process.kill()
