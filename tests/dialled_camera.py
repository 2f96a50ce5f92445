"""One camera on loopback that says who it is, and a recorder's way of calling it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.resources
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction

from quirk_camera import PASSWORD, USER, Asked, Quirk, Reply, Visit
from quirk_server import QuirkServer
from vonggac.media.chunk import Codec
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_clip import Clip, load_clip
from vonggac_appliance.camera_dial import open_connection
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.config import parse

__all__ = ["LOGIN", "WRONG", "Named", "Serving", "clip", "serving"]

_DEADLINE_S = 60.0
CONFIG = parse("", "config.toml").cameras
LOGIN = Credentials(USER, PASSWORD)
WRONG = Credentials(USER, "sai-mat-khau")


class Named(Quirk):
    """Asks for a login in a realm of its own, which may change; may send its viewers away."""

    name = "camera"
    moves_to = ""

    def __init__(self, clip: Clip, realm: str) -> None:
        super().__init__(clip)
        self.calls_itself(realm)
        self.server = ""
        self.title = "camera"
        self.refusals = 0
        """Of signed requests."""
        self.left = threading.Semaphore(0)
        """Once for each viewer that gave its session back."""

    def calls_itself(self, realm: str) -> None:
        self.challenges = (f'Digest realm="{realm}", nonce="{{nonce}}"',)

    def sdp(self) -> str:
        return super().sdp().replace("s=camera", f"s={self.title}")

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "TEARDOWN":
            self.left.release()
        if self.server:
            reply.headers["Server"] = self.server
        if reply.status == 401 and "authorization" in asked.headers:
            self.refusals += 1
            visit.nonce = f"{self.refusals:08}"
            fields = [one.replace("{nonce}", visit.nonce) for one in self.challenges]
            reply.headers["WWW-Authenticate"] = fields[0]
        if self.moves_to and asked.method == "DESCRIBE" and reply.status == 200:
            reply = Reply(302, "Moved", {**reply.headers, "Location": self.moves_to})
            del reply.headers["Content-Length"]
        return reply

    @property
    def logins(self) -> int:
        """How many requests said one."""
        asked = [one for visit in self.visits for one in visit.asked]
        return sum("authorization" in one.headers for one in asked)


class Serving:
    """A camera at an address, and what calling it came to."""

    def __init__(self, quirk: Named, server: QuirkServer) -> None:
        self.quirk = quirk
        self.server = server

    @property
    def url(self) -> str:
        return self.server.url(self.quirk)

    def call(
        self,
        memory: Memory,
        *,
        login: Credentials | None = LOGIN,
        url: str = "",
        transport: str = "tcp",
        authority: str = "",
    ) -> SessionFailed | None:
        """Until it plays, then leaves it; gives what kept it from playing."""

        async def run() -> SessionFailed | None:
            try:
                made = await open_connection(
                    url or self.url, login, CONFIG, memory, transport, authority
                )
            except SessionFailed as failure:
                return failure
            made.teardown_directly()
            made.close()
            return None

        return asyncio.run(run())

    def until_left(self) -> None:
        """The camera has heard the last request of a viewer that went."""
        assert self.quirk.left.acquire(timeout=_DEADLINE_S)

    def call_together(
        self, memories: Sequence[Memory], login: Credentials
    ) -> list[SessionFailed | None]:
        """All at once, as channels of a recorder do."""

        async def one(memory: Memory) -> SessionFailed | None:
            try:
                made = await open_connection(self.url, login, CONFIG, memory)
            except SessionFailed as failure:
                return failure
            made.teardown_directly()
            made.close()
            return None

        async def run() -> list[SessionFailed | None]:
            return list(await asyncio.gather(*(one(memory) for memory in memories)))

        return asyncio.run(run())

    def transports(self) -> list[str]:
        """What was asked for at each SETUP."""
        asked = [one for visit in self.quirk.visits for one in visit.asked]
        found = [one.headers["transport"] for one in asked if one.method == "SETUP"]
        return ["udp" if "client_port" in one else "tcp" for one in found]


def clip() -> Clip:
    """Some seconds of a street."""
    path = importlib.resources.files("vonggac_appliance") / "demo" / "street-sub.h264"
    return load_clip(path.read_bytes(), Codec.H264, Fraction(25, 2))


@contextlib.contextmanager
def serving(quirk: Named, host: str = "127.0.0.1") -> Iterator[Serving]:
    """It at a port of its own."""
    server = QuirkServer([quirk], host)
    try:
        yield Serving(quirk, server)
    finally:
        server.stop()
