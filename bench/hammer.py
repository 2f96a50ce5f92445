"""Clients that ask for all that the page has, each as fast as it is answered.

    python bench/hammer.py ORIGIN COOKIE CLIENTS SECONDS CAMERA...

Prints one object: answers, those of 5xx, connections that broke, and the slowest answer in seconds.
"""

from __future__ import annotations

import http.client
import itertools
import json
import sys
import threading
import time
from collections import Counter

from visitor import Visitor


class Client(threading.Thread):
    """One of them, with a connection of its own."""

    def __init__(self, number: int, origin: str, cookie: str, cameras: list[str], until_s: float):
        super().__init__()
        self._number = number
        self._visitor = Visitor(origin, cookie)
        self._cameras = cameras
        self._until_s = until_s
        self.counts: Counter[str] = Counter()
        self.slowest_s = 0.0

    def run(self) -> None:
        paths = itertools.cycle(self._paths())
        for _ in range(self._number % 7):
            next(paths)
        while time.monotonic() < self._until_s:
            asked_s = time.monotonic()
            try:
                status = self._visitor.ask("GET", next(paths)).status
            except (OSError, http.client.HTTPException):
                self.counts["broken"] += 1
                self._visitor.close()
                continue
            self.slowest_s = max(self.slowest_s, time.monotonic() - asked_s)
            self.counts["answers"] += 1
            self.counts["5xx"] += status >= 500
        self._visitor.close()

    def _paths(self) -> list[str]:
        """Pages, questions, and every fragment of a look of its own."""
        camera = self._cameras[self._number % len(self._cameras)]
        now_ms = int(time.time() * 1000)
        look = self._visitor.look(camera, "stored", now_ms - 60_000, now_ms)
        base = f"/api/v1/looks/{look}/main/"
        day = f"from={now_ms - 86_400_000}&to={now_ms}&pixels=1366"
        return [
            "/cameras",
            f"/cameras/{camera}",
            "/status",
            "/api/v1/cameras",
            "/api/v1/status",
            f"/api/v1/cameras/{camera}/timeline?stream=main&{day}",
            f"{base}index.m3u8",
            f"{base}media.m3u8",
            f"{base}iframes.m3u8",
            f"{base}map.json",
            "/metrics",
            "/no-such-page",
        ]


def main() -> None:
    """Prints what came of it."""
    origin, cookie, count, seconds, *cameras = sys.argv[1:]
    until_s = time.monotonic() + float(seconds)
    clients = [Client(n, origin, cookie, cameras, until_s) for n in range(int(count))]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    total = sum((client.counts for client in clients), Counter[str]())
    slowest_s = max(client.slowest_s for client in clients)
    print(json.dumps({"answers": 0, "5xx": 0, "broken": 0} | total | {"slowest_s": slowest_s}))


if __name__ == "__main__":
    main()
