"""Pulls ranges as fast as they come, over kept connections.

    python bench/puller.py ORIGIN COOKIE CONNECTIONS SECONDS < lines of "PATH FIRST LAST"

Prints one object: bytes, requests, seconds, and how many answers were not 206.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from visitor import Visitor

_BUFFER_BYTES = 1 << 18


class Puller(threading.Thread):
    """One connection."""

    def __init__(
        self, origin: str, cookie: str, asks: Sequence[tuple[str, int, int]], until_s: float
    ) -> None:
        super().__init__()
        self._visitor = Visitor(origin, cookie)
        self._asks = asks
        self._until_s = until_s
        self.bytes = self.requests = self.others = 0

    def run(self) -> None:
        http = self._visitor.http
        headers = {"Cookie": self._visitor.cookie, "Sec-Fetch-Site": "same-origin"}
        buffer = bytearray(_BUFFER_BYTES)
        for path, first, last in itertools.cycle(self._asks):
            if time.monotonic() >= self._until_s:
                break
            http.request("GET", path, headers=headers | {"Range": f"bytes={first}-{last}"})
            answer = http.getresponse()
            while count := answer.readinto(buffer):
                self.bytes += count
            self.requests += 1
            self.others += answer.status != 206
        self._visitor.close()


def main() -> None:
    """Prints what was pulled."""
    origin, cookie, connections, seconds = sys.argv[1:]
    asks = [(path, int(first), int(last)) for path, first, last in map(str.split, sys.stdin)]
    assert urlsplit(origin).scheme in ("http", "https") and asks
    began_s = time.monotonic()
    pullers = [
        Puller(origin, cookie, asks[n:] + asks[:n], began_s + float(seconds))
        for n in range(int(connections))
    ]
    for puller in pullers:
        puller.start()
    for puller in pullers:
        puller.join()
    totals = {key: sum(getattr(p, key) for p in pullers) for key in ("bytes", "requests", "others")}
    print(json.dumps(totals | {"seconds": time.monotonic() - began_s}))


if __name__ == "__main__":
    main()
