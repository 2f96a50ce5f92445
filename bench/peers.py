"""What the recorder is measured against: ffmpeg, one a stream, and the floor (floor.c)."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from procs import cost

HERE = Path(__file__).resolve().parent


def ffmpeg_cpu(urls: list[str], room: Path, warm_s: float, seconds: float) -> float:
    """CPU seconds a second of `ffmpeg -c copy -f segment`, all of them together."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise RuntimeError("this bench needs ffmpeg")
    processes = []
    try:
        for number, url in enumerate(urls):
            folder = room / f"ffmpeg{number}"
            folder.mkdir()
            command = [program, "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp"]
            command += ["-i", url, "-c", "copy", "-f", "segment", "-segment_time", "60"]
            processes.append(subprocess.Popen([*command, str(folder / "%04d.mp4")]))
            time.sleep(0.3)  # each decodes for a while at its start; all at once, they fall behind
        time.sleep(warm_s)
        pids = [p.pid for p in processes]
        before, began = cost(pids), time.monotonic()
        time.sleep(seconds)
        after = cost(pids)
        ended = [process.returncode for process in processes if process.poll() is not None]
        if ended:
            raise RuntimeError(f"{len(ended)} of {len(urls)} ffmpegs ended: {ended}")
        return (after.cpu_s - before.cpu_s) / (time.monotonic() - began)
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
        for number in range(len(urls)):
            shutil.rmtree(room / f"ffmpeg{number}", ignore_errors=True)


def floor_cpu(port: int, count: int, room: Path, seconds: int) -> float:
    """CPU seconds a second of the floor; its first second is in it."""
    binary = HERE / "build" / "floor"
    binary.parent.mkdir(exist_ok=True)
    flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, "-o", binary, HERE / "floor.c", "-lcrypto"], check=True)
    sockets = [_play(port, f"floor{number}") for number in range(count)]
    folder = room / f"floor-{port}"
    folder.mkdir()
    try:
        fds = [s.fileno() for s in sockets]
        command = [str(binary), str(folder), str(seconds), *map(str, fds)]
        done = subprocess.run(command, pass_fds=fds, capture_output=True, text=True, check=True)
    finally:
        for s in sockets:
            s.close()
        shutil.rmtree(folder)
    return float(json.loads(done.stdout)["cpu_s"]) / seconds


def _play(port: int, name: str) -> socket.socket:
    """A connection on which the bench source sends RTP on channel 0."""
    connection = socket.create_connection(("127.0.0.1", port))
    url = f"rtsp://127.0.0.1:{port}/{name}"
    sdp = _ask(connection, f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    control = re.findall(r"a=control:(\S+)", sdp)[-1]
    track = control if control.startswith("rtsp:") else f"{url}/{control}"
    transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
    answer = _ask(connection, f"SETUP {track} RTSP/1.0\r\nCSeq: 2\r\n{transport}\r\n")
    found = re.search(r"(?im)^session:\s*([^;\s]+)", answer)
    assert found is not None, answer
    connection.sendall(f"PLAY {url} RTSP/1.0\r\nCSeq: 3\r\nSession: {found[1]}\r\n\r\n".encode())
    _read_head(connection)
    return connection


def _ask(connection: socket.socket, request: str) -> str:
    connection.sendall(request.encode())
    head = _read_head(connection)
    length = re.search(r"(?im)^content-length:\s*(\d+)", head)
    body = connection.recv(int(length[1]), socket.MSG_WAITALL) if length else b""
    return head + body.decode()


def _read_head(connection: socket.socket) -> str:
    """Up to the blank line and no byte further: what follows is RTP."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise RuntimeError("the source hung up")
        head += byte
    return head.decode()
