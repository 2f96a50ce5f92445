"""Where sound is blamed for pictures that did not come, and what follows from it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from vonggac.media.chunk import Codec
from vonggac.media.sound import Sound, SoundCodec
from vonggac.registry.camera import Camera, Stream
from vonggac.rtsp.events import PlayReady
from vonggac.rtsp.sound import SoundReady
from vonggac_appliance.camera_happenings import Happening, Lost, Recorded
from vonggac_appliance.camera_memory import Memory
from vonggac_appliance.camera_pushed import PushedConnection
from vonggac_appliance.camera_recording import Recording
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.loop_wire import Event, LoopEvent
from vonggac_appliance.loops import LoopHandle

STREAM = Stream(b"s" * 16, "main", "")
SOUND = SoundReady(Sound(SoundCodec.PCMA, 1, 8000, 8000), 8, 2, 3)
PLAY = PlayReady(Codec.H264, 96, 90_000, 0, 1, (), (), (), 60, "", None, "", sound=SOUND)
VIDEO = Event(STREAM.id, LoopEvent.FIRST_VIDEO, 0, "")
CLOSED = Event(STREAM.id, LoopEvent.CLOSED, 0, "")


class Connection(PushedConnection):
    """One that tells its camera's memory, as a connection does that we made."""

    comes_as_datagrams = False

    @property
    def is_udp(self) -> bool:
        return self.comes_as_datagrams

    def sound_failed(self) -> None:
        self._memory.sound_failed()


class Datagrams(Connection):
    """One whose camera sends datagrams, of which none arrives."""

    comes_as_datagrams = True

    def no_datagrams(self) -> None:
        self._memory.learnt = replace(self._memory.learnt, transport="tcp")


async def recorded(
    play: PlayReady, happenings: list[Happening], kind: type[Connection] = Connection
) -> Memory:
    """A recording to which all this happens, the last of it its end."""
    memory = Memory(with_sound=True)
    opening = SimpleNamespace(predecessor=0, reason=0, gap_start_ns=0)
    progress = SimpleNamespace(run=0, is_inband=False, begin=lambda run, now_ns: opening)
    stream = SimpleNamespace(
        camera=Camera(b"c" * 16, "nha12", (STREAM,), 0),
        stream=STREAM,
        progress=progress,
        stall_ms=5000,
        name="nha12/main",
        next_run=lambda: 1,
        run_begins=lambda play: None,
        stats=None,
        first_video=lambda: None,
    )
    loop = SimpleNamespace(
        is_up=False, attach=lambda *all_of_it: True, forget=lambda stream_id: None
    )
    theirs, ours = socket.socketpair()
    with theirs:
        recording = Recording(
            cast("Recorded", stream),
            kind(ours, play, "s1", memory, lambda: None),
            cast("LoopHandle", loop),
            cast("Keeper", SimpleNamespace(slot=0)),
        )
        for happening in happenings:
            recording.put(happening)
        await recording.hold()
    return memory


@pytest.mark.parametrize(
    ("play", "happenings", "is_blamed"),
    [
        (PLAY, [CLOSED], True),
        (PLAY, [VIDEO, CLOSED], False),
        (PLAY, [VIDEO, Lost(is_guilty=True)], True),
        (replace(PLAY, sound=None), [CLOSED], False),
    ],
    ids=["no picture", "pictures", "a loop that crashed", "no sound"],
)
def test_sound_is_not_asked_for_again_where_pictures_did_not_come_beside_it(
    play: PlayReady, happenings: list[Happening], is_blamed: bool
) -> None:
    memory = asyncio.run(recorded(play, happenings))
    assert memory.asks_for_sound is not is_blamed


def test_where_no_datagram_comes_at_all_tcp_is_tried_with_sound_before_it_is_blamed() -> None:
    stalled = Event(STREAM.id, LoopEvent.STALLED, 0, "")
    memory = asyncio.run(recorded(PLAY, [stalled], Datagrams))
    assert memory.learnt.transport == "tcp"
    assert memory.asks_for_sound
    assert not asyncio.run(recorded(PLAY, [CLOSED])).asks_for_sound
