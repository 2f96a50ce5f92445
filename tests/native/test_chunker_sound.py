"""Sound in chunks: behind the pictures of its time, never in their way."""

from __future__ import annotations

import hashlib
import itertools

from chunker_rig import FRAME_NS, SETS, START_NS, Stream
from sound_maker import PCMA, g711
from vonggac._native import segment
from vonggac.media.chunk import Claim
from vonggac.media.sound import Sound, has_sound

TICKS = 1800
"""20 ms."""
NS = 20_000_000


class Heard(Stream):
    """A camera with a microphone, both always on time."""

    def __init__(self, sound: Sound | None = PCMA, *, blocks: int = 400) -> None:
        super().__init__(sound=sound, blocks=blocks)
        self.frames = g711(2000)
        self.spoken = 0

    def speak(self, count: int, *, late_ns: int = 0, lost: int = 0, clock_ns: int = 0) -> None:
        """Frames of 20 ms; `lost` of them before that do not arrive."""
        self.spoken += lost
        for _ in range(count):
            n = self.spoken
            self.spoken += 1
            arrival = START_NS + FRAME_NS + n * NS + late_ns
            more = {"camera_clock_ns": clock_ns + n * NS} if clock_ns else {}
            self.chunker.hear(self.frames[n], 5000 + n * 160, 160, arrival, **more)

    def second(self, *, late_ns: int = 0) -> None:
        """25 pictures, 50 frames, a tick."""
        for n in range(25):
            if n == 0:
                self.sync()
            else:
                self.picture()
            self.speak(2, late_ns=late_ns)
        self.tick()

    def heard(self) -> list[tuple[int, bytes]]:
        """Media time in ticks and bytes of every frame that stands in a chunk."""
        found = []
        for claim, chunk, payload in self.chunks():
            starts, sizes = sound_of(bytes(chunk.head))
            at = claim.video_bytes + 8
            for start, size in zip(starts, sizes, strict=True):
                found.append((claim.media_start_ticks + start, payload[at : at + size]))
                at += size
            assert at == len(payload) or not sizes
        return found


def sound_of(head: bytes) -> tuple[list[int], list[int]]:
    """Starts (ticks from the chunk's) and sizes, from the second traf; nothing where it is not."""
    first = head.index(b"traf")
    second = head.find(b"traf", first + 4)
    if second < 0:
        return [], []
    tfdt = head.index(b"tfdt", second)
    at = int.from_bytes(head[tfdt + 8 : tfdt + 16], signed=True)
    trun = head.index(b"trun", second)
    count = int.from_bytes(head[trun + 8 : trun + 12])
    starts, sizes = [], []
    for n in range(count):
        entry = head[trun + 16 + 8 * n : trun + 24 + 8 * n]
        starts.append(at)
        sizes.append(int.from_bytes(entry[4:]))
        at += int.from_bytes(entry[:4])
    return starts, sizes


def steps(heard: list[tuple[int, bytes]]) -> list[int]:
    times = [time for time, _ in heard]
    return [after - before for before, after in itertools.pairwise(times)]


def check(claims: list[Claim], payloads: list[bytes]) -> None:
    for claim, payload in zip(claims, payloads, strict=True):
        video, audio = payload[: claim.video_bytes], payload[claim.video_bytes :]
        assert claim.audio_bytes == len(audio)
        assert claim.video_sha256 == hashlib.sha256(video).digest()
        assert claim.audio_sha256 == hashlib.sha256(audio).digest()


def test_all_that_was_heard_stands_behind_the_pictures_of_its_second() -> None:
    camera = Heard()
    for _ in range(4):
        camera.second()
    camera.end()
    heard = camera.heard()
    assert [data for _, data in heard] == camera.frames[: len(heard)]
    assert len(heard) >= 195  # what came behind the last picture has no chunk
    assert set(steps(heard)) == {TICKS}
    check(camera.claims, [payload for _, _, payload in camera.chunks()])
    assert all(has_sound(bytes(chunk.segment_head)) for _, chunk, _ in camera.chunks())


def test_the_start_is_hashed_with_the_sound_and_agrees_with_the_head() -> None:
    camera = Heard()
    camera.second()
    for claim, chunk, payload in camera.chunks():
        starts, _ = sound_of(bytes(chunk.head))
        told = int.from_bytes(payload[claim.video_bytes :][:8], signed=True)
        assert told == starts[0]


def test_a_lost_packet_is_a_hole_and_shifts_nothing() -> None:
    camera = Heard()
    camera.second()
    camera.speak(3, lost=5)
    for _ in range(2):
        camera.second()
    camera.end()
    heard = camera.heard()
    assert sorted(set(steps(heard))) == [TICKS, 6 * TICKS]
    first = heard[0][0]
    assert all(time == first + TICKS * camera.frames.index(data) for time, data in heard)


def test_sound_that_comes_late_lies_where_it_was_heard() -> None:
    """300 ms: each chunk closes before the end of its sound has come."""
    camera = Heard()
    camera.speak(1)
    for _ in range(3):
        camera.second(late_ns=300_000_000)
    camera.end()
    heard = camera.heard()
    assert [data for _, data in heard] == camera.frames[: len(heard)]
    assert all(abs(step - TICKS) <= 10 for step in steps(heard))
    assert abs(heard[-1][0] - heard[0][0] - TICKS * (len(heard) - 1)) < 5000


def test_pictures_do_not_wait_for_sound_that_never_comes() -> None:
    """rtsp.md row 87."""
    silent, without = Heard(), Heard(None)
    for camera in (silent, without):
        for n in range(50):
            camera.sync() if n % 25 == 0 else camera.picture()
        camera.end()
    assert [p for _, _, p in silent.chunks()] == [p for _, _, p in without.chunks()]
    assert silent.claims == without.claims


def test_what_was_heard_long_before_the_pictures_is_dropped() -> None:
    camera = Heard()
    camera.speak(200)  # four seconds without a picture
    camera.pictures = 100
    camera.sync()
    camera.tick()
    assert camera.chunker.sounds()[1] >= 150
    assert all(time >= -90_000 for time, _ in camera.heard())


def test_sound_whose_clock_is_slow_keeps_to_the_pictures() -> None:
    """rtsp.md row 82: 0.2 % slow, for two minutes: 240 ms by its own clock."""
    camera = Heard()
    frames = g711(1)
    for n in range(120 * 50):
        if n % 2 == 0:
            camera.sync() if n % 50 == 0 else camera.picture()
        if n % 50 == 49:
            camera.tick()
        stamp = n * 160 - n * 160 * 2 // 1000
        camera.chunker.hear(frames[0], stamp, 160, START_NS + FRAME_NS + n * NS)
    camera.end()
    heard = camera.heard()
    assert len(heard) >= 5990
    behind = heard[-1][0] - (len(heard) - 1) * TICKS
    assert abs(behind) < 9000  # 100 ms; by its own clock it would be 21,600


def test_both_clocks_of_the_camera_are_believed_over_arrival() -> None:
    """By its sender reports sound was taken 200 ms before it came."""
    camera = Heard()
    clock = 1_000_000_000_000
    for n in range(25):
        nals = ((1, b"\x41picture"),)
        camera.pictures += 1
        at = START_NS + camera.pictures * FRAME_NS
        kind = 1 if n == 0 else 0
        camera.headers += camera.chunker.push(
            [*SETS, (5, b"\x65sync")] if n == 0 else nals,
            n * 3600 + 1000,
            kind,
            at,
            camera_clock_ns=clock + n * FRAME_NS,
        )
        if n > 0:
            camera.speak(2, late_ns=200_000_000, clock_ns=clock)
    camera.tick()
    heard = camera.heard()
    assert abs(heard[0][0]) < 200  # with the first picture, not 200 ms behind it


def test_a_run_that_begins_again_forgets_what_was_heard_in_the_old_time() -> None:
    camera = Heard()
    camera.second()
    camera.speak(10)
    closed, is_new = camera.chunker.begin_again(6, 14)
    camera.headers += closed
    assert is_new
    before = len(camera.heard())
    camera.sync()
    camera.tick()
    assert len(camera.heard()) == before


def test_sound_stays_with_its_pictures_where_wall_time_is_set_anew_within_a_run() -> None:
    """A clock set by more than a day: such a distance is no distance in the file."""
    camera = Heard()
    second, set_at, by = 1_000_000_000, 3_640_000_000, 180_000 * 1_000_000_000
    pictures = [(n * second // 10, 0, n) for n in range(150)]
    ticks = [(n * second + second // 20 + 1, 1, n) for n in range(15)]
    sounds = [(2_365_000_000 + (n + 1) * 5 * NS, 2, n) for n in range(115)]
    for time, kind, n in sorted(pictures + ticks + sounds):
        now = START_NS + time + (by if time >= set_at else 0)
        if kind == 0:
            nals = [*SETS, (5, b"\x65sync")] if n % 10 == 0 else [(1, b"\x41picture")]
            camera.headers += camera.chunker.push(nals, n * 9000, int(n % 10 == 0), now)
        elif kind == 1:
            camera.tick()
        else:
            camera.chunker.hear(bytes(800), n * 800, 800, now - 5 * NS)
    camera.end()
    times = [time for time, _ in camera.heard()]
    assert len(times) > 100
    assert times == sorted(times)
    assert times[-1] < camera.claims[-1].media_start_ticks + 180_000


def test_without_room_pictures_come_first() -> None:
    """An arena that is full to its last block: sound goes, pictures stay."""
    roomy, full = Heard(), Heard(blocks=6)
    for camera in (roomy, full):
        camera.sync()
        camera.picture([(1, b"\x41" + bytes(60_000))])
        camera.speak(400)
        camera.tick()
    assert [c.video_sha256 for c in full.claims] == [c.video_sha256 for c in roomy.claims]


def test_a_head_with_sound_names_another_entry() -> None:
    with_sound, without = Heard(), Heard(None)
    for camera in (with_sound, without):
        camera.sync()
        camera.tick()
    heads = [bytes(camera.chunks()[0][1].segment_head) for camera in (with_sound, without)]
    assert [has_sound(head) for head in heads] == [True, False]
    assert segment.sha256(heads[0]) != segment.sha256(heads[1])
