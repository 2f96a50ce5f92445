"""Somebody at the page without a browser: signs in, opens looks, and talks over its WebSocket."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from simple_websocket import Client, ConnectionClosed

from box_rig import DEADLINE_S
from page_rig import NAME, PAGE_PASSWORD, PagedBox


@dataclass(frozen=True, slots=True)
class Binary:
    """A binary message as the page reads it."""

    kind: int
    tile: int
    flags: int
    number: int
    wall_us: int
    data: bytes


def parsed(raw: bytes) -> Binary:
    return Binary(*struct.unpack_from(">BBHIq", raw), raw[16:])


class Visitor:
    """A session."""

    def __init__(self, box: PagedBox) -> None:
        """Makes the first person, or signs him in again."""
        self.box = box
        self.cookie = ""
        if self.ask("GET", "/setup")[0] == 303:  # there is somebody
            form = {"name": NAME, "password": PAGE_PASSWORD}
            status, body = self.post_form("/sign-in", **form)
        else:
            form = {"code": box.setup_code(), "name": NAME}
            form |= {"password": PAGE_PASSWORD, "again": PAGE_PASSWORD}
            status, body = self.post_form("/setup", **form)
        assert status == 303, body
        assert self.cookie

    def ask(
        self, method: str, path: str, body: bytes = b"", kind: str = ""
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.box.port, timeout=DEADLINE_S)
        headers = {"Sec-Fetch-Site": "same-origin", "Cookie": self.cookie}
        if kind:
            headers["Content-Type"] = kind
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def post_form(self, path: str, **fields: str) -> tuple[int, bytes]:
        kind = "application/x-www-form-urlencoded"
        status, body, headers = self.ask("POST", path, urlencode(fields).encode(), kind)
        for cookie in headers.get_all("Set-Cookie") or []:
            if cookie.startswith("vonggac="):
                self.cookie = cookie.partition(";")[0]
        return status, body

    def look(self, camera: bytes, kind: str = "live", **more: object) -> str:
        purpose = {"code": "cứu nạn", "text": "thử"}
        asked = {"camera": camera.hex(), "kind": kind, "purpose": purpose, **more}
        body = json.dumps(asked).encode()
        status, raw, _ = self.ask("POST", "/api/v1/looks", body, "application/json")
        assert status == 201, raw
        look: str = json.loads(raw)["look"]
        return look

    def sign_out(self) -> None:
        self.post_form("/sign-out")

    def socket(self) -> PageClient:
        # This client names no port in Host; a browser does (`handshake`).
        headers = {"Cookie": self.cookie, "Origin": "http://127.0.0.1"}
        url = self.box.origin.replace("http", "ws") + "/api/v1/socket"
        return PageClient(Client(url, headers=headers, receive_bytes=1 << 16))

    def handshake(self, **headers: str) -> bytes:
        """A handshake by hand."""
        key = base64.b64encode(os.urandom(16)).decode()
        given = {
            "Host": f"127.0.0.1:{self.box.port}",
            "Origin": self.box.origin,
            "Cookie": self.cookie,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Extensions": "permessage-deflate",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = ["GET /api/v1/socket HTTP/1.1", *(f"{k}: {v}" for k, v in given.items() if v)]
        return "\r\n".join([*lines, "", ""]).encode()


class PageClient:
    """The page's side of the socket."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.texts: list[dict[str, Any]] = []
        self.binaries: list[Binary] = []
        self.delays_s: list[float] = []
        self.closed: tuple[int, str] | None = None

    def say(self, **message: object) -> None:
        self.client.send(json.dumps(message))

    def step(self, wait_s: float = 0.5) -> bool:
        """Takes in one message; False when none came or the socket is closed."""
        try:
            raw = self.client.receive(timeout=wait_s)
        except ConnectionClosed as end:
            self.closed = (int(end.reason), end.message or "")
            return False
        if raw is None:
            return False
        if isinstance(raw, str):
            self.texts.append(json.loads(raw))
        else:
            self.binaries.append(parsed(raw))
            self.delays_s.append(time.time() - self.binaries[-1].wall_us / 1e6)
        return True

    def until(self, is_so: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
        until_s = time.monotonic() + deadline_s
        while not is_so():
            assert time.monotonic() < until_s, (self.texts[-5:], len(self.binaries), self.closed)
            self.step()

    def until_text(self, **wanted: object) -> dict[str, Any]:
        """The first message with these fields that has come or comes."""

        def found() -> list[dict[str, Any]]:
            return [t for t in self.texts if all(t.get(k) == v for k, v in wanted.items())]

        self.until(lambda: bool(found()))
        return found()[0]

    def media(self, tile: int) -> list[Binary]:
        return [b for b in self.binaries if b.tile == tile and b.kind == 2]

    def close(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            self.client.close()
