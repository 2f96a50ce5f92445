"""The whole box, looked at by HTTP: camera, recorder, audit writer, and the page under gunicorn."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from box_rig import DEADLINE_S, Cameras, child_pids
from page_rig import NAME, PAGE_PASSWORD, PagedBox
from vonggac.registry.catalog import Catalog

pytestmark = pytest.mark.slow


class Visitor:
    """Somebody at the page, with a cookie and no browser."""

    def __init__(self, box: PagedBox) -> None:
        self._origin = box.origin
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body, whatever the status."""
        sent = {"Origin": self._origin} | {k.replace("_", "-"): v for k, v in headers.items()}
        url = self._origin + path
        request = urllib.request.Request(url, body, sent, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=DEADLINE_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def set_up(self, code: str) -> None:
        form = {"code": code, "name": NAME, "password": PAGE_PASSWORD, "again": PAGE_PASSWORD}
        body = urllib.parse.urlencode(form).encode()
        status, _ = self.ask(
            "POST", "/setup", body, Content_Type="application/x-www-form-urlencoded"
        )
        assert status in (200, 303, 404)  # the page that it leads to may need what is not there

    def json(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        raw = None if body is None else json.dumps(body).encode()
        status, said = self.ask(method, path, raw, Content_Type="application/json")
        return status, json.loads(said) if said else None


@pytest.fixture
def box(home: Path) -> Iterator[PagedBox]:
    made = PagedBox(home)
    cameras = Cameras(1)
    try:
        made.add(cameras, "cam1")
        with made.running("run"):
            made.until_durable(6.0)
            yield made
    finally:
        cameras.stop()
        made.discard()


def look_body(box: PagedBox, from_ns: int, to_ns: int) -> dict[str, Any]:
    with Catalog(box.home, is_readonly=True) as catalog:
        camera = catalog.camera("cam1")
    assert camera is not None
    return {
        "camera": camera.id.hex(),
        "kind": "stored",
        "from": from_ns // 1_000_000,
        "to": to_ns // 1_000_000,
        "purpose": {"code": "hình sự", "text": "2026/17"},
    }


def footage_of(visitor: Visitor, base: str) -> tuple[str, list[bytes]]:
    """The list, and each timeline of it as a file."""
    status, text = visitor.ask("GET", f"{base}/media.m3u8")
    assert status == 200, text
    files: list[bytes] = []
    pattern = r'#EXT-X-MAP:URI="([^"]+)"|(?:#EXT-X-BYTERANGE:(\d+)@(\d+)\n)?^([SJ]-\S+)'
    for init, size, at, name in re.findall(pattern, text.decode(), re.MULTILINE):
        if init:
            files.append(visitor.ask("GET", f"{base}/{init}")[1])
            continue
        headers = {"Range": f"bytes={at}-{int(at) + int(size) - 1}"} if size else {}
        status, data = visitor.ask("GET", f"{base}/{name}", **headers)
        assert status == (206 if size else 200), (status, data[:200])
        assert not size or len(data) == int(size)
        files[-1] += data
    return text.decode(), files


def test_what_is_recorded_now_is_seen_and_its_end_is_written(
    box: PagedBox, tmp_path: Path, program: Callable[[str], str]
) -> None:
    visitor = Visitor(box)
    visitor.set_up(box.setup_code())
    now_ns = time.time_ns()
    body = look_body(box, now_ns - 60 * 10**9, now_ns + 600 * 10**9)
    status, refused = visitor.json("POST", "/api/v1/looks", body | {"purpose": None})
    assert (status, refused["error"]["field"]) == (422, "purpose")
    box.until_line(action="look", result="refused: a purpose comes before the picture")
    status, look = visitor.json("POST", "/api/v1/looks", body)
    assert status == 201 and look["streams"][0]["codec"].startswith("avc1.")
    line = box.until_line(action="look", result="allowed")
    text, files = footage_of(visitor, f"/api/v1/looks/{look['look']}/main")
    assert "TYPE:EVENT" in text and "ENDLIST" not in text
    (whole,) = files
    path = tmp_path / "seen.mp4"
    path.write_bytes(whole)
    seconds = sum(map(float, re.findall(r"#EXTINF:([\d.]+)", text)))
    command = [program("ffprobe"), "-v", "error", "-count_frames", "-show_entries",
               "stream=nb_read_frames", "-of", "csv=p=0", str(path)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert not done.stderr and int(done.stdout.strip().strip(",")) == pytest.approx(25 * seconds)
    began_s = time.monotonic()
    end = box.until_line(20.0, action="look end")
    assert time.monotonic() - began_s <= 15.0
    assert (end["about"], end["result"]) == (line["n"], "nobody is there")
    assert end["delivered_ms"] == pytest.approx(seconds * 1000, abs=100)


def test_a_look_outlives_a_keeper_and_misses_nothing(box: PagedBox) -> None:
    """Killed, it is started anew and gets what it had not acknowledged: the list only grows."""
    visitor = Visitor(box)
    visitor.set_up(box.setup_code())
    now_ns = time.time_ns()
    body = look_body(box, now_ns - 60 * 10**9, now_ns + 600 * 10**9)
    _, look = visitor.json("POST", "/api/v1/looks", body)
    base = f"/api/v1/looks/{look['look']}/main"
    before, _ = footage_of(visitor, base)
    kill_keeper(box)
    until_s = time.monotonic() + DEADLINE_S
    while True:
        status, said = visitor.ask("GET", f"{base}/media.m3u8")
        assert status in (200, 503), said
        if status == 200 and said.decode().count("#EXTINF") >= before.count("#EXTINF") + 4:
            break
        assert time.monotonic() < until_s, (status, said)
        time.sleep(0.3)  # nothing tells this visitor that there is more
    text, (whole,) = footage_of(visitor, base)
    assert text.startswith(before) and whole


def kill_keeper(box: PagedBox) -> None:
    """As a crash would: the recorder starts another one."""
    assert box.process is not None
    (recorder,) = [
        pid
        for pid in child_pids(box.process.pid)
        if Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").endswith(b"\0record")
    ]
    (forker,) = child_pids(recorder)
    loops = {pid for _, pid in box.status().loops}
    (keeper,) = [pid for pid in child_pids(forker) if pid not in loops]
    os.kill(keeper, signal.SIGKILL)
