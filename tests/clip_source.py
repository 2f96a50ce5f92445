"""Cameras that each send one film exactly once, from its first NAL unit to its last, at any speed.

Packets come from tests/packetiser.py: nothing of the recorder decides what is sent.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packetiser import access_units, interleaved, nal_type, payloads, rtp, split_annex_b
from vonggac.media.chunk import Codec
from vonggac.rtsp.events import Send
from vonggac.rtsp.server import Ended, Mount, PlayAsked, ServerSession

TICKS_PER_SECOND = 90_000
FIRST_TIMESTAMP = 0xFFFF_8000
"""Timestamps and sequence numbers wrap soon after the start."""
FIRST_SEQUENCE = 65_500
_SETS = {Codec.H264: ((), (7,), (8,)), Codec.H265: ((32,), (33,), (34,))}


@dataclass(frozen=True, slots=True)
class Film:
    """What a camera sends: access units in decode order, and when each is presented."""

    codec: Codec
    units: tuple[tuple[bytes, ...], ...]
    ticks: tuple[int, ...]
    """Presentation times in 90 kHz, from 0."""
    frame_ticks: int
    speed: float = 1.0
    """How much faster than real time it is sent."""
    joined: bool = False
    """Small NAL units share packets (STAP-A, AP)."""
    pauses: Mapping[int, float] = field(default_factory=dict)
    """Seconds for which nothing is sent before a picture, by its number; what became due meanwhile
    comes at once."""

    @property
    def nals(self) -> list[bytes]:
        """All that is sent, in order."""
        return [nal for unit in self.units for nal in unit]

    def sets(self) -> tuple[tuple[bytes, ...], ...]:
        """VPS, SPS and PPS of the first access unit, as the session description tells them."""
        return tuple(
            tuple(nal for nal in self.units[0] if nal_type(self.codec, nal) in kinds)
            for kinds in _SETS[self.codec]
        )

    def packets(self) -> list[bytes]:
        """The bytes of each access unit as they stand on the connection (channel 0)."""
        numbers = itertools.count(FIRST_SEQUENCE)
        out = []
        for unit, ticks in zip(self.units, self.ticks, strict=True):
            parts = payloads(self.codec, unit, 1388, self.joined)
            framed = [
                interleaved(
                    0,
                    rtp(
                        part,
                        sequence=next(numbers),
                        timestamp=FIRST_TIMESTAMP + ticks,
                        marker=index == len(parts) - 1,
                    ),
                )
                for index, part in enumerate(parts)
            ]
            out.append(b"".join(framed))
        return out


def read_film(ffprobe: str, path: Path, codec: Codec, *, seconds: float, fps: int = 25) -> Film:
    """The film in an Annex B file, sent within `seconds` where it is longer.

    Presentation times are what ffprobe's decoder makes of the file: its order of output.
    """
    units = access_units(codec, split_annex_b(path.read_bytes()))
    command = [ffprobe, "-v", "error", "-select_streams", "v", "-show_entries", "frame=pkt_pos"]
    listed = subprocess.run([*command, "-of", "json", str(path)], check=True, capture_output=True)
    shown = [int(frame["pkt_pos"]) for frame in json.loads(listed.stdout)["frames"]]
    assert len(shown) == len(units), f"{path.name}: {len(units)} pictures, {len(shown)} shown"
    place = {position: number for number, position in enumerate(sorted(shown))}
    spacing = TICKS_PER_SECOND // fps
    ticks = [0] * len(units)
    for number, position in enumerate(shown):
        ticks[place[position]] = number * spacing
    return Film(
        codec,
        tuple(tuple(unit) for unit in units),
        tuple(tick - ticks[0] for tick in ticks),
        spacing,
        speed=max(1.0, len(units) / fps / seconds),
    )


class ClipSource:
    """Serves films at `/name` on 127.0.0.1. Who plays one a second time gets an empty stream."""

    def __init__(self, films: Mapping[str, Film]) -> None:
        self.connections = 0
        self.took_s: dict[str, float] = {}
        """From a film's first picture to its last, as they were really sent."""
        self.all_sent = threading.Event()
        self._films = dict(films)
        self._packets = {name: film.packets() for name, film in films.items()}
        self._started: set[str] = set()
        self._unsent = set(films)
        self._ids = itertools.count(1)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(60)

    def url(self, name: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()

    def _find(self, path: str) -> Mount | None:
        film = self._films.get(path.lstrip("/"))
        return None if film is None else Mount(path, film.codec, *film.sets())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        session = ServerSession(find=self._find, session_id=f"{next(self._ids):08x}")
        sending: set[asyncio.Task[None]] = set()
        try:
            while data := await reader.read(65536):
                session.receive(data)
                for event in iter(session.next_event, None):
                    if isinstance(event, Send):
                        writer.write(event.data)
                    elif isinstance(event, PlayAsked):
                        writer.write(session.play(FIRST_SEQUENCE, FIRST_TIMESTAMP))
                        sending.add(asyncio.create_task(self._send(event.path[1:], writer)))
                    elif isinstance(event, Ended):
                        return
        except (ConnectionError, asyncio.CancelledError):
            pass  # the recorder, or the test, has ended
        finally:
            for task in sending:
                task.cancel()
            writer.close()

    async def _send(self, name: str, writer: asyncio.StreamWriter) -> None:
        if name in self._started:
            return
        self._started.add(name)
        film = self._films[name]
        step_s = film.frame_ticks / TICKS_PER_SECOND / film.speed
        began_s = first_s = self._loop.time()
        for number, packets in enumerate(self._packets[name]):
            await asyncio.sleep(film.pauses.get(number, 0.0))
            await asyncio.sleep(began_s + number * step_s - self._loop.time())
            writer.write(packets)
            await writer.drain()
            first_s = self._loop.time() if number == 0 else first_s
        self.took_s[name] = self._loop.time() - first_s
        self._unsent.discard(name)
        if not self._unsent:
            self.all_sent.set()


@dataclass(frozen=True, slots=True)
class Clip:
    """What ffmpeg shall encode."""

    codec: Codec
    gop: int
    """Pictures from one sync picture to the next."""
    pictures: int = 200
    fps: int = 25
    b_frames: int = 0
    slices: int = 1
    """Of a picture."""
    open_gop: bool = False


def encode(ffmpeg: str, out: Path, clip: Clip) -> Path:
    """An Annex B file of the test picture, 320x180, with delimiters."""
    is_h264 = clip.codec is Codec.H264
    name = "x264" if is_h264 else "x265"
    params = f"repeat-headers=1:aud=1:keyint={clip.gop}:min-keyint={clip.gop}:scenecut=0"
    params += f":bframes={clip.b_frames}:b-adapt=0:slices={clip.slices}"
    params += f":open-gop={int(clip.open_gop)}"
    if not is_h264:
        params += ":log-level=error:pools=1"
    subprocess.run(
        [
            *(ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r={clip.fps}"),
            *("-frames:v", str(clip.pictures), "-pix_fmt", "yuv420p", "-threads", "2"),
            *("-c:v", f"lib{name}", "-preset", "ultrafast", "-bf", str(clip.b_frames)),
            *(f"-{name}-params", params, "-f", "h264" if is_h264 else "hevc", str(out)),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return out
