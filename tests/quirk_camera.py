"""A camera that breaks one rule: what it answers and sends, and the shape of what spoils it.

By itself it keeps to the book and sends a clip in real time. A `Quirk` stands for one path and
spoils answers, descriptions or packets of every connection to it; `quirks` has them, by row of
docs/design/rtsp-interop.md. Its parts are its own: nothing of `vonggac.rtsp` but the packetiser.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from quirk_udp import Datagrams, agreed
from udp_proxy import Manners
from vonggac.rtsp.packetise import Packetiser
from vonggac_appliance.camera_clip import Clip

USER, PASSWORD = "admin", "Mat-khau#91:mat@x"
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came. Names in lower case; `raw` is all of its head."""

    method: str
    uri: str
    headers: dict[str, str]
    raw: bytes


@dataclass(slots=True)
class Reply:
    """An answer that may still be spoiled. Fields stand in their order."""

    status: int = 200
    phrase: str = "OK"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    closes: bool = False
    """The connection, behind it."""

    def encode(self) -> bytes:
        lines = [f"RTSP/1.0 {self.status} {self.phrase}".rstrip()]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join((*lines, "", "")).encode("latin-1") + self.body


class Visit:
    """One connection to a camera."""

    def __init__(self, quirk: Quirk, writer: asyncio.StreamWriter) -> None:
        self.quirk = quirk
        self.session = secrets.token_hex(4)
        self.nonce = quirk.nonce or secrets.token_hex(8)
        self.renewed = ""
        """The nonce that a `stale` has just given."""
        self.channels = (0, 1)
        self.datagrams: Datagrams | None = None
        """Where SETUP agreed on them."""
        self.asked: list[Asked] = []
        self.answers = 0
        """To requests of ours."""
        self.reports = 0
        """RTCP packets of the viewer."""
        self._writer = writer
        self._video: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def send_packets(self, frames: bytes) -> None:
        """Interleaved packets, or what stands in them as datagrams."""
        if self.datagrams is None:
            self.send(frames)
        else:
            self.datagrams.send(frames)

    def set_up(self, transport: str) -> str:
        """Agrees to what SETUP asks for."""
        if not self.quirk.has_udp:
            return transport
        self.leave()
        host = self._writer.get_extra_info("sockname")[0]
        self.datagrams = agreed(transport, host, self.quirk.manners)
        if self.datagrams is None:
            return transport
        return f"{transport};server_port=%d-%d" % self.datagrams.ports

    def leave(self) -> None:
        """Its datagrams' ports are closed."""
        if self.datagrams is not None:
            self.datagrams.close()

    def close(self) -> None:
        """Ends the connection behind what was sent."""
        self.silence()
        self._writer.close()

    def later(self, seconds: float, data: bytes) -> None:
        """Sends something after a while."""
        asyncio.get_running_loop().call_later(seconds, self.send, data)

    def expire_after(self, seconds: float) -> None:
        """Closes it then, unless this is said again."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(seconds, self.close)

    def play(self) -> None:
        if self._video is None:
            self._video = asyncio.get_running_loop().create_task(self._send_video())

    def silence(self) -> None:
        """No more video; the connection stays."""
        if self._video is not None:
            self._video.cancel()

    async def _send_video(self) -> None:
        quirk, clip = self.quirk, self.quirk.clip
        packetiser = Packetiser(clip.codec, payload_type=quirk.payload_type, ssrc=0x1234)
        loop = asyncio.get_running_loop()
        start_s = loop.time() + quirk.first_video_s
        number = 0
        while not self._writer.is_closing():
            await asyncio.sleep(start_s + number * clip.frame_ns / 1e9 - loop.time())
            units = quirk.units(clip.units[number % len(clip.units)])
            packets = packetiser.access_unit(units, number * clip.frame_ticks)
            self.send_packets(quirk.frame(number, self.channels[0], packets))
            number += 1


class Quirk:
    """A camera by the book. Subclasses spoil it; one object serves all connections to its path."""

    row = 0
    """Of the table; 0: none is broken."""
    name = ""
    """Its path."""
    habit: str | None = None
    """What the recorder is to count; None where it cannot see it."""
    query = ""
    """Behind its path."""
    challenges: Sequence[str] = ()
    """WWW-Authenticate fields; `{nonce}` is the connection's. None: nobody logs in."""
    nonce = ""
    """Of all its connections; empty: each has its own."""
    payload_type = 96
    timeout_s = 60
    first_video_s = 0.0
    path_form = "track1"
    """What the control attribute says."""
    has_udp = False
    """Sends datagrams to whoever asks for them; else on the connection whatever is asked for."""
    manners = Manners()
    """Of the path that they take."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip
        self.visits: list[Visit] = []
        self.complaints: list[str] = []
        """What a viewer did that this camera does not bear."""

    def visited(self, writer: asyncio.StreamWriter) -> Visit:
        """One more connection, with its first request."""
        return Visit(self, writer)

    def sdp(self) -> str:
        sets = ",".join(
            base64.b64encode(unit).decode() for unit in (*self.clip.sps, *self.clip.pps)
        )
        number = self.payload_type
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
            f"a=control:*\r\nm=video 0 RTP/AVP {number}\r\na=rtpmap:{number} H264/90000\r\n"
            f"a=fmtp:{number} packetization-mode=1;sprop-parameter-sets={sets}\r\n"
            f"a=control:{self.path_form}\r\n"
        )

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        """The answer by the book, to be spoiled; None: none is given."""
        return reply

    def wire(self, data: bytes) -> bytes:
        """An answer's bytes."""
        return data

    def units(self, units: Sequence[bytes]) -> Sequence[bytes]:
        """The NAL units of an access unit."""
        return units

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        """An access unit's bytes on the connection."""
        return b"".join(
            b"$" + bytes((channel,)) + len(packet).to_bytes(2, "big") + packet for packet in packets
        )

    def stale(self, asked: Asked, visit: Visit) -> bool:
        """Whether the login is right, but its nonce too old."""
        return False


def is_signed(asked: Asked, visit: Visit) -> bool:
    """Whether the request's login is right (RFC 7616 3.4.1, RFC 7617), by a reading of our own."""
    value = asked.headers.get("authorization", "")
    if value.startswith("Basic "):
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return value[6:] == wanted and any("Basic" in one for one in visit.quirk.challenges)
    given = {name: bare or quoted for name, quoted, bare in _PARAMETER.findall(value)}
    algorithm = given.get("algorithm", "MD5").upper()
    if given.get("nonce") != visit.nonce or given.get("uri") != asked.uri:
        return False

    def digest(*parts: str) -> str:
        return hashlib.new(_HASHES[algorithm], ":".join(parts).encode()).hexdigest()

    secret = digest(given["username"], given["realm"], PASSWORD)
    what = digest(asked.method, asked.uri)
    middle = [given[name] for name in ("nc", "cnonce", "qop")] if "qop" in given else []
    return given.get("response") == digest(secret, visit.nonce, *middle, what)


_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^",\s]+))')


def answer(asked: Asked, visit: Visit) -> Reply | None:
    """By the book, then spoiled."""
    quirk = visit.quirk
    reply = Reply(headers={"CSeq": asked.headers.get("cseq", "")})
    if quirk.challenges and asked.method != "OPTIONS":
        is_stale = quirk.stale(asked, visit)
        if is_stale or not is_signed(asked, visit):
            if is_stale:
                visit.nonce = visit.renewed = secrets.token_hex(8)
            reply.status, reply.phrase = 401, "Unauthorized"
            more = ", stale=true" if is_stale else ""
            fields = [one.replace("{nonce}", visit.nonce) + more for one in quirk.challenges]
            reply.headers["WWW-Authenticate"] = "\r\nWWW-Authenticate: ".join(fields)
            return quirk.spoil(asked, reply, visit)
    if asked.method == "OPTIONS":
        reply.headers["Public"] = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
    elif asked.method == "DESCRIBE":
        reply.body = quirk.sdp().encode("latin-1")
        reply.headers["Content-Type"] = "application/sdp"
        reply.headers["Content-Base"] = asked.uri.rstrip("/") + "/"
        reply.headers["Content-Length"] = str(len(reply.body))
    elif asked.method == "SETUP":
        transport = asked.headers.get("transport", "")
        reply.headers["Transport"] = visit.set_up(transport)
        reply.headers["Session"] = f"{visit.session};timeout={quirk.timeout_s}"
    else:
        reply.headers["Session"] = visit.session
    return quirk.spoil(asked, reply, visit)
