"""A camera that plays a capture again (docs/ref/capture.md), for `quirk_camera`.

The nth request of a connection gets the nth answer of the same connection as it was captured; what
followed PLAY comes at its own times, datagrams as datagrams. Stand-ins and ports are put back where
they have to lead somewhere.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from quirk_camera import Asked, Quirk, Reply, Visit
from vonggac.media.chunk import Codec
from vonggac.probe.capture import Captured, read_capture
from vonggac_appliance.camera_clip import Clip


class Script:
    """One connection of a capture: what the camera said to each request, and by itself."""

    def __init__(self, events: Sequence[Captured]) -> None:
        ours = [one for one in events if one.is_ours and one.kind == "message"]
        self.asked = [one for one in ours if not _is_answer(one)]
        self.answers: list[list[Captured]] = []
        """By request, up to the one that is answered by video."""
        self.later: list[list[bytes]] = []
        """Answers to requests behind it: none, where it gave none."""
        self.stream: list[Captured] = []
        plays = next((one for one in self.asked[::-1] if one.data.startswith(b"PLAY ")), None)
        has_played = False
        for one in events:
            if one.is_ours and one.kind == "message" and not _is_answer(one):
                if has_played:
                    self.later.append([])
                else:
                    self.answers.append([])
                has_played |= one is plays
            elif not one.is_ours and self.later and _is_answer(one):
                self.later[-1].append(one.data)
            elif not one.is_ours and has_played:
                self.stream.append(one)
            elif not one.is_ours and self.answers:
                self.answers[-1].append(one)
        self.played_ms = plays.at_ms if plays is not None else 0.0


def _is_answer(one: Captured) -> bool:
    return one.kind == "message" and one.data.lstrip().upper().startswith(b"RTSP/")


class Replay(Quirk):
    """A camera known by its capture alone."""

    def __init__(self, text: str, name: str = "") -> None:
        """`name`: its path, instead of the stand-in for the one that was captured."""
        super().__init__(Clip(Codec.H264, (), 3600, (), (), ()))
        self.facts, events = read_capture(text)
        connections = sorted({one.connection for one in events if one.connection})
        self.has_udp = any(one.kind == "datagram" for one in events)
        self.scripts = [
            Script([one for one in events if one.connection == number]) for number in connections
        ]
        uri = self.scripts[0].asked[0].data.split(b" ")[1].decode()
        path = uri.split("://", 1)[1].partition("/")[2]
        self.name = re.split(r"[/?]", path)[0]
        self.query = path[len(self.name) :]
        self.name = name or self.name

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        number = self.visits.index(visit)
        script = self.scripts[min(number, len(self.scripts) - 1)]
        authority = asked.uri.split("://", 1)[1].split("/", 1)[0]
        nth = len(visit.asked) - 1
        if nth < len(script.answers):
            is_last = nth == len(script.answers) - 1 and script.stream
            for one in script.answers[nth]:
                self._say(one, visit, authority)
            if is_last:
                task = asyncio.get_running_loop().create_task(self._play(script, visit, authority))
                visit._video = task  # whoever silences it silences this
        elif nth < len(script.answers) + len(script.later):
            for data in script.later[nth - len(script.answers)]:
                visit.send(_restored(data, authority, visit))
        else:  # the capture ends here
            return Reply(headers={"CSeq": asked.headers.get("cseq", "")})
        return None

    async def _play(self, script: Script, visit: Visit, authority: str) -> None:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        for one in script.stream:
            due_s = start_s + (one.at_ms - script.played_ms) / 1000
            if due_s > loop.time():
                await asyncio.sleep(due_s - loop.time())
            self._say(one, visit, authority)

    def _say(self, one: Captured, visit: Visit, authority: str) -> None:
        blanks = b"\r\n" * (one.blanks // 2)
        if one.kind == "close":
            visit.close()
        elif one.kind == "message":
            visit.send(blanks + _restored(one.data, authority, visit))
        elif one.kind == "packet":
            visit.send(blanks + _framed(one))
        elif one.kind == "datagram":
            visit.send_packets(_framed(one))
        elif one.kind == "garbage":
            visit.send(one.data)


def _framed(one: Captured) -> bytes:
    return b"$" + bytes((one.channel,)) + len(one.data).to_bytes(2, "big") + one.data


def _restored(data: bytes, authority: str, visit: Visit) -> bytes:
    """The stand-in of the camera's host leads to this server, and ports are those of now."""
    head, separator, body = data.partition(b"\r\n\r\n")
    restored = body.replace(b"://camera", b"://" + authority.encode())
    head = re.sub(
        rb"(?i)(content-length\s*:\s*)(\d+)",
        lambda found: found[1] + b"%d" % (int(found[2]) + len(restored) - len(body)),
        head.replace(b"://camera", b"://" + authority.encode()),
    )
    if visit.datagrams is not None:
        for name, ports in (
            (b"client_port", visit.datagrams.viewer),
            (b"server_port", visit.datagrams.ports),
        ):
            head = re.sub(rb"\b" + name + rb"=\d+-\d+", name + b"=%d-%d" % ports, head)
    return head + separator + restored
