"""A loop that hears as well as sees: what comes on the channels of the sound, and what does not."""

from __future__ import annotations

import pytest

from loop_rig import Camera, Keeper, Rig, gop, heard, interleave, later
from sound_maker import PCMA, g711, rtp
from vonggac.media.chunk import ChunkFlag
from vonggac.media.sound import has_sound
from vonggac.rtsp.sound import SoundReady
from vonggac_appliance.loop_stats import NEVER_MS

READY = SoundReady(PCMA, 8, 2, 3)


def packet(number: int, payload: bytes, payload_type: int = 8) -> bytes:
    return interleave(rtp(number, payload, payload_type), 2)


def talk(camera: Camera, frames: list[bytes], first: int = 0) -> None:
    data = b"".join(packet(first + n, frame) for n, frame in enumerate(frames))
    camera.socket.sendall(data)


def see(camera: Camera, keeper: Keeper) -> bool:
    """One more picture, in its time."""
    camera.send(later(1, len(camera.sent)))
    return bool(keeper.chunks)


def test_what_a_camera_says_stands_behind_its_pictures(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach(sound=READY)
    frames = g711(50)
    camera.send(gop(2))
    talk(camera, frames)
    # Pictures go on in real time, so that all of it has its chunk.
    rig.until(lambda: see(camera, keeper) and len(heard(keeper)) >= 8000)
    rig.detach()
    assert heard(keeper) == b"".join(frames)
    assert all(has_sound(bytes(received.chunk.segment_head)) for received in keeper.chunks)
    assert sum(received.claim.samples for received in keeper.chunks) == len(camera.sent)


def test_a_camera_without_sound_is_recorded_as_ever(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(5))
    talk(camera, g711(5))  # on channels that nobody asked for
    rig.detach()
    assert heard(keeper) == b""
    assert not any(has_sound(bytes(received.chunk.segment_head)) for received in keeper.chunks)


def test_what_is_wrong_with_sound_harms_no_picture(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach(sound=READY)
    camera.send(gop(3))
    camera.socket.sendall(
        b"".join(
            (
                packet(0, b"x" * 160, payload_type=77),
                interleave(b"\x80", 2),
                interleave(b"", 2),
                packet(1, b"x" * 9000),
                interleave(b"\x80\xcb" + bytes(6), 3),  # its BYE is not the pictures'
                interleave(b"\x80\xc8\xff\xff", 3),
            )
        )
    )
    camera.send(later(4))
    ended = rig.detach()
    assert ended.next_sequence > 0
    assert sum(received.claim.samples for received in keeper.chunks) == 7
    assert heard(keeper) == b""


def test_receiver_reports_are_written_for_the_sound_too(rig: Rig) -> None:
    rig.keeper()
    camera = rig.attach(sound=READY)
    camera.send(gop(2))
    talk(camera, g711(3))
    camera.socket.settimeout(60)
    seen: set[int] = set()
    data = b""
    while not {1, 3} <= seen:
        data += camera.socket.recv(4096)
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[2:4]):
            assert data[:1] == b"$"
            seen.add(data[1])
            data = data[4 + int.from_bytes(data[2:4]) :]
        camera.send(later(1))


@pytest.mark.parametrize(
    "ready",
    [SoundReady(PCMA, 8, 0, 1), SoundReady(PCMA, 8, 1, 2)],
    ids=["those of the pictures", "one of them"],
)
def test_channels_that_the_pictures_have_are_refused_and_pictures_are_recorded(
    rig: Rig, ready: SoundReady
) -> None:
    keeper = rig.keeper()
    camera = rig.attach(sound=ready)
    camera.send(gop(4))
    rig.detach()
    assert sum(received.claim.samples for received in keeper.chunks) == 4


def test_what_was_heard_is_counted_with_its_holes(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach(sound=READY)
    camera.send(gop(2))
    assert rig.stats().sound_age_ms == NEVER_MS
    frames = g711(20)
    data = b"".join(packet(n, frames[n]) for n in range(20) if n not in (5, 6, 12))
    camera.socket.sendall(data + packet(21, b"x" * 9000))
    rig.until(lambda: see(camera, keeper) and rig.stats().sound_packets == 18)
    stats = rig.stats()
    assert (stats.sound_frames, stats.sound_packets_lost, stats.sound_packets_odd) == (17, 4, 1)
    assert (stats.sound_holes, stats.sound_missing_ms) == (2, 60)
    assert stats.sound_age_ms < NEVER_MS
    rig.detach()


def test_metadata_that_nobody_asked_for_disturbs_neither_pictures_nor_sound(rig: Rig) -> None:
    """XML on a channel that was never set up, as cameras send it that ask nobody."""
    keeper = rig.keeper()
    camera = rig.attach(sound=READY)
    frames = g711(20)
    camera.send(gop(2))
    xml = b'<?xml version="1.0"?><tt:MetadataStream>$\x00\x01\x90' + b"<tt:Object/>" * 90
    for number, frame in enumerate(frames):
        meta = rtp(number, xml, payload_type=107)
        for channel in (4, 5, 6):
            camera.socket.sendall(interleave(meta, channel))
        talk(camera, [frame], number)
    rig.until(lambda: see(camera, keeper) and len(heard(keeper)) >= 20 * 160)
    assert rig.stats().channels_strange == 60
    rig.detach()
    assert heard(keeper) == b"".join(frames)
    assert not any(received.claim.flags & ChunkFlag.DAMAGED for received in keeper.chunks)
