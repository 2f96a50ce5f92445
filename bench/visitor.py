"""A visitor of the page without a browser: signs in, opens looks, watches, asks.

    python bench/visitor.py ORIGIN COOKIE SECONDS CAMERA[:STREAM]...    watches and counts

As a module: `Visitor`, one HTTP connection with a session.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from simple_websocket import Client, ConnectionClosed

NAME = "Nguyễn Văn An"
PASSWORD = "trời mưa thì ướt sân 7"  # noqa: S105, of a box that lives for a bench
_KEPT_S = 10.0
"""A connection that was idle for longer is not used again."""
_LEFT_OUT = 2
"""Flag of a message: units before it were left out, for the line was too slow."""
PURPOSE = {"code": "khác", "text": "đo tốc độ"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> dict[str, object]:
        """The body, an object."""
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


class Visitor:
    """One kept connection and its session."""

    def __init__(self, origin: str, cookie: str = "") -> None:
        parts = urlsplit(origin)
        assert parts.hostname is not None
        self.origin = origin
        self.cookie = cookie
        self._asked_s = 0.0
        self.http: http.client.HTTPConnection
        if parts.scheme == "https":
            self.http = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=60, context=trusting()
            )
        else:
            self.http = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request and its whole answer."""
        sent = {"Sec-Fetch-Site": "same-origin", "Origin": self.origin, "Cookie": self.cookie}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if time.monotonic() - self._asked_s > _KEPT_S:
            self.http.close()  # by now the page has; the next request opens it anew
        self._asked_s = time.monotonic()
        self.http.request(method, path, body, sent)
        response = self.http.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        for line in response.headers.get_all("Set-Cookie", []):
            if line.split("=", 1)[0] in ("vonggac", "__Host-vonggac"):
                self.cookie = line.split(";", 1)[0]
        return answer

    def post_form(self, path: str, **fields: str) -> Answer:
        """As a form of the page sends it."""
        kind = "application/x-www-form-urlencoded"
        return self.ask("POST", path, urlencode(fields).encode(), Content_Type=kind)

    def post(self, path: str, body: object) -> Answer:
        """As the page's script sends it."""
        data = json.dumps(body).encode()
        return self.ask("POST", path, data, Content_Type="application/json")

    def set_up(self, code: str) -> None:
        """The first person, signed in."""
        answer = self.post_form("/setup", code=code, name=NAME, password=PASSWORD, again=PASSWORD)
        if not self.cookie:
            raise RuntimeError(f"no session: {answer.status} {answer.body[:500]!r}")

    def look(self, camera: str, kind: str, from_ms: int = 0, to_ms: int = 0) -> str:
        """A look's id; `camera` is its id in hex."""
        ask: dict[str, object] = {"camera": camera, "kind": kind, "purpose": PURPOSE}
        if kind == "stored":
            ask |= {"from": from_ms, "to": to_ms}
        answer = self.post("/api/v1/looks", ask)
        if answer.status != 201:
            raise RuntimeError(f"no look: {answer.status} {answer.body[:500]!r}")
        return str(answer.json()["look"])

    def close(self) -> None:
        """Ends the connection."""
        self.http.close()


def trusting() -> ssl.SSLContext:
    """Any certificate: it is ours, of this minute, on loopback."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def watch(origin: str, cookie: str, seconds: float, streams: Sequence[str]) -> dict[str, float]:
    """Watches `CAMERA:STREAM`s over one socket; gives messages and bytes of media, and
    how often units were left out."""
    visitor = Visitor(origin, cookie)
    looks = [
        (visitor.look(s.split(":")[0], "live"), s.partition(":")[2] or "main") for s in streams
    ]
    address = origin.replace("http", "ws", 1) + "/api/v1/socket"
    context = trusting() if address.startswith("wss") else None
    # This client names no port in Host, so its Origin has none either.
    headers = {"Origin": origin.rpartition(":")[0], "Cookie": cookie}
    socket = Client(address, headers=headers, ssl_context=context, receive_bytes=1 << 16)
    socket.send(json.dumps({"hold": [look for look, _ in looks]}))
    for tile, (look, stream) in enumerate(looks, 1):
        socket.send(json.dumps({"watch": look, "tile": tile, "stream": stream}))
    print("watching", flush=True)
    counts: dict[str, float] = {"media": 0, "bytes": 0, "left_out": 0, "tiles": 0}
    tiles: set[int] = set()
    until_s = time.monotonic() + seconds
    try:
        while (left_s := until_s - time.monotonic()) > 0:
            message = socket.receive(timeout=left_s)
            if isinstance(message, bytes):
                counts["media"] += message[0] == 2
                counts["bytes"] += len(message)
                counts["left_out"] += bool(int.from_bytes(message[2:4], "big") & _LEFT_OUT)
                tiles.add(message[1])
    except ConnectionClosed:
        counts["closed"] = 1
    else:
        socket.close()
    return counts | {"tiles": len(tiles)}


if __name__ == "__main__":
    _, origin, cookie, seconds, *streams = sys.argv
    print(json.dumps(watch(origin, cookie, float(seconds), streams)))
