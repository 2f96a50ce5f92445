"""Sound that comes as datagrams, beside pictures that do."""

from __future__ import annotations

import socket

import pytest

from loop_rig import Camera, Keeper, Rig, gop, heard, later
from loop_udp_rig import LOOPBACK, UdpCamera, mapped, reports_soon
from sound_maker import LATM, PCMA, g711, latm, rtp
from vonggac.media.chunk import ChunkFlag
from vonggac.media.sound import Sound
from vonggac.rtsp.sound import SoundReady
from vonggac_appliance import loop_wire
from vonggac_appliance.loop_stats import NEVER_MS
from vonggac_appliance.loop_wire import LoopEvent


class TalkingCamera(UdpCamera):
    """One that sends its sound to two more ports of the loop's."""

    def __init__(self, rig: Rig, sound: Sound = PCMA, **attach: object) -> None:
        self.voice, self.ears = (
            [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)] for _ in range(2)
        )
        for sock in (*self.voice, *self.ears):
            sock.bind((LOOPBACK, 0))
            sock.settimeout(20)
        rig.sockets += [*self.voice, *self.ears]
        super().__init__(rig, sound=SoundReady(sound, 8, 2, 3), **attach)  # type: ignore[arg-type]

    def attach(self, **attach: object) -> Camera:
        camera = super().attach(**attach)
        for number, sock in enumerate(self.ears):
            port = self.voice[number].getsockname()[1]
            message = loop_wire.udp(
                self.stream,
                is_rtcp=number == 1,
                camera=mapped(self.host),
                port=port,
                is_sound=True,
            )
            self.rig.tell(message, sock, close=False)
        return camera

    def say(self, data: bytes) -> None:
        self.voice[0].sendto(data, self.ears[0].getsockname())

    def see(self, keeper: Keeper) -> bool:
        """One more picture, in its time."""
        self.send(self.packets(later(1, len(self.camera.sent))))
        return bool(keeper.chunks)


def test_what_a_camera_says_in_datagrams_stands_behind_its_pictures(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = TalkingCamera(rig)
    frames = g711(50)
    camera.send(camera.packets(gop(2)))
    for number, frame in enumerate(frames):
        camera.say(rtp(number, frame))
    rig.until(lambda: camera.see(keeper) and len(heard(keeper)) >= 8000)
    rig.detach()
    assert heard(keeper) == b"".join(frames)
    assert not any(received.claim.flags & ChunkFlag.DAMAGED for received in keeper.chunks)


def test_overtaken_and_repeated_packets_of_sound_are_heard_once_and_in_order(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = TalkingCamera(rig)
    frames = g711(12)
    camera.send(camera.packets(gop(2)))
    for number in (0, 2, 1, 1, 3, 5, 4, 2, 7, 8, 6, 9, 11, 10, 11):
        camera.say(rtp(number, frames[number]))
    rig.until(lambda: camera.see(keeper) and len(heard(keeper)) >= 12 * 160)
    assert rig.stats().sound_holes == 0
    assert rig.stats().sound_packets_lost == 0
    rig.detach()
    assert heard(keeper) == b"".join(frames)


def test_lost_sound_leaves_a_hole_in_time_and_flags_no_picture(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = TalkingCamera(rig)
    frames = g711(30)
    arrive = [n for n in range(30) if n not in (7, 8, 20)]
    camera.send(camera.packets(gop(2)))
    for number in arrive:
        camera.say(rtp(number, frames[number]))
    rig.until(lambda: camera.see(keeper) and rig.stats().sound_frames == 27)
    stats = rig.stats()
    assert (stats.sound_packets_lost, stats.sound_holes, stats.sound_missing_ms) == (3, 2, 60)
    rig.until(lambda: camera.see(keeper) and len(heard(keeper)) >= 27 * 160)
    rig.detach()
    assert heard(keeper) == b"".join(frames[n] for n in arrive)
    assert not any(received.claim.flags & ChunkFlag.DAMAGED for received in keeper.chunks)


def test_strangers_and_other_sources_are_not_heard(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = TalkingCamera(rig)
    frames = g711(4)
    camera.send(camera.packets(gop(2)))
    for number, frame in enumerate(frames):
        camera.say(rtp(number, frame))
        other = rtp(100 + number, b"other" * 32)
        camera.say(other[:8] + bytes([9, 9, 9, number]) + other[12:])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.sendto(rtp(4, b"s" * 160), camera.ears[0].getsockname())
    camera.say(b"\x80")
    camera.say(b"")
    rig.until(lambda: camera.see(keeper) and len(heard(keeper)) >= 4 * 160)
    rig.detach()
    assert heard(keeper) == b"".join(frames)


def test_latm_is_heard_over_udp_as_it_was_said(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = TalkingCamera(rig, LATM)
    units = [bytes([n]) * (300 + n) for n in range(1, 9)]
    camera.send(camera.packets(gop(2)))
    for number, unit in enumerate(units):
        whole = rtp(number, latm(unit))
        camera.say(whole[:4] + (number * 1024).to_bytes(4) + whole[8:])
    size = sum(map(len, units))
    rig.until(lambda: camera.see(keeper) and len(heard(keeper)) >= size)
    rig.detach()
    assert heard(keeper) == b"".join(units)


def test_reports_about_the_sound_go_where_its_reports_come_from(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = TalkingCamera(rig, stream=reports_soon())
    camera.send(camera.packets(gop(2)))
    camera.say(rtp(0, g711(1)[0]))
    report = camera.voice[1].recv(4096)
    assert report[1] == 201
    assert report[8:12] == (0x50).to_bytes(4)
    rig.detach(camera.stream)
    assert keeper.chunks


def test_datagrams_of_sound_that_nobody_attached_end_nothing(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = UdpCamera(rig)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind((LOOPBACK, 0))
        for _ in range(2):
            message = loop_wire.udp(
                camera.stream, is_rtcp=False, camera=mapped(LOOPBACK), port=0, is_sound=True
            )
            rig.tell(message, ear, close=False)
    camera.send(camera.packets(gop(3)))
    rig.until(lambda: rig.stats().access_units >= 2)
    assert rig.stats().sound_age_ms == NEVER_MS
    rig.detach()
    assert keeper.chunks
    assert not rig.events(LoopEvent.BAD_STREAM)


@pytest.mark.parametrize("sound", [PCMA, LATM], ids=["A-law", "LATM"])
def test_a_camera_that_floods_with_junk_for_sound_loses_no_picture(rig: Rig, sound: Sound) -> None:
    keeper = rig.keeper()
    camera = TalkingCamera(rig, sound)
    camera.send(camera.packets(gop(3)))
    for number in range(200):
        camera.say(rtp(number * 7, bytes([number]) * (number * 40)))
    camera.send(camera.packets(later(4)))
    rig.until(lambda: rig.stats().access_units >= 6)
    rig.detach()
    assert sum(received.claim.samples for received in keeper.chunks) == 7
    assert not any(received.claim.flags & ChunkFlag.DAMAGED for received in keeper.chunks)
