"""The motion grid in C against numpy, bit for bit, by the loops for this processor and for any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import motion_oracle
from vonggac._native.motion import Motion, has_fast_loops, means
from vonggac.errors import MediaError

SIZES = [(640, 360), (641, 361), (352, 288), (1920, 1080), (704, 576), (130, 73), (127, 71),
         (64, 36), (1, 1), (3, 500), (500, 3), (1021, 767)]  # fmt: skip
SECOND_NS = 1_000_000_000


def picture(seed: int, width: int, height: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = np.add.outer(np.arange(height), np.arange(width)) * 3 // 4
    return ((smooth + rng.integers(0, 90, (height, width))) % 256).astype(np.uint8)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_means_are_those_of_numpy(width: int, height: int, plain: bool) -> None:
    luma = picture(width, width, height)
    expected = motion_oracle.means(luma).astype(np.uint8).tobytes()
    assert means(luma.reshape(-1), width, width, height, plain=plain) == expected
    for more in (1, 7, 32):
        wide = np.full((height, width + more), 255, np.uint8)
        wide[:, :width] = luma
        plane = wide.reshape(-1)[: (width + more) * (height - 1) + width]
        assert means(plane, width + more, width, height, plain=plain) == expected


@pytest.mark.parametrize("bits", [9, 10, 12, 16])
def test_of_deeper_samples_the_upper_eight_bits_count(bits: int) -> None:
    rng = np.random.default_rng(bits)
    deep = rng.integers(0, 1 << bits, (75, 131), dtype=np.uint16)
    expected = motion_oracle.means(deep >> (bits - 8)).astype(np.uint8).tobytes()
    plane = deep.astype("<u2").reshape(-1).view(np.uint8)
    assert means(plane, 262, 131, 75, bits) == expected


@pytest.mark.parametrize(
    ("size", "stride", "width", "height", "bits", "kind"),
    [
        (0, 10, 10, 10, 8, "short"),
        (99, 10, 10, 10, 8, "short"),
        (100, 10, 10, 10, 10, "value"),
        (100, 9, 10, 10, 8, "value"),
        (100, 10, 0, 10, 8, "value"),
        (100, 10, 10, 0, 8, "value"),
        (100, 10, 10, 10, 7, "value"),
        (100, 10, 10, 10, 17, "value"),
        (100, 9000, 9000, 1, 8, "limit"),
    ],
)
def test_a_plane_that_cannot_be_is_refused(
    size: int, stride: int, width: int, height: int, bits: int, kind: str
) -> None:
    with pytest.raises(MediaError) as told:
        means(bytes(size), stride, width, height, bits)
    assert told.value.kind == kind
    motion = Motion()
    with pytest.raises(MediaError):
        motion.push(bytes(size), stride, width, height, 0, bits)
    assert motion.latest() is None and motion.finish() is None


@pytest.mark.parametrize("time_ns", [-1, 1 << 62])
def test_a_time_that_cannot_be_is_refused(time_ns: int) -> None:
    with pytest.raises(MediaError, match="1970"):
        Motion().push(bytes(4), 2, 2, 2, time_ns)


def compared(steps_ns: list[int], size: tuple[int, int], noise: int, parts: set[int]) -> int:
    """Pushes noise with a square that moves, by both loops and the oracle; how many slots told."""
    width, height = size
    rng = np.random.default_rng(len(steps_ns))
    ground = picture(9, width, height).astype(np.int64) // 2
    both, oracle = (Motion(), Motion(plain=True)), motion_oracle.Oracle()
    time_ns, told = 1_700_000_000 * SECOND_NS, 0
    for at, step_ns in enumerate(steps_ns):
        time_ns += step_ns
        luma = ground + rng.integers(-noise, noise + 1, ground.shape)
        luma[at % height : at % height + 20, 2 * at % width : 2 * at % width + 20] += 40
        luma = luma.clip(0, 255).astype(np.uint8)
        expected = oracle.push(luma, time_ns)
        for motion in both:
            assert motion.push(luma.reshape(-1), width, width, height, time_ns) == expected
        told += len(expected)
        if at in parts:
            oracle.part()
            for motion in both:
                motion.part()
    rest = oracle.finish()
    for motion in both:
        assert [motion.finish()] == (rest or [None]) and motion.finish() is None
    return told + len(rest)


@pytest.mark.parametrize("noise", [0, 3, 25, 80])
@pytest.mark.parametrize("step_ms", [40, 67, 100, 143, 1000, 2000, 9900, 10100])
def test_slots_are_those_of_numpy(step_ms: int, noise: int) -> None:
    count = max(8, min(110, 12_000 // step_ms))
    told = compared([step_ms * 1_000_000] * count, (160, 90), noise, set())
    assert told == 0 if step_ms > 10_000 else told >= (count - 1) * step_ms // 1000 - 1


STEPS_NS = st.lists(
    st.sampled_from([0, 20, 59, 60, 61, 100, 139, 140, 200, 999, 2500, 9999, 10_001, 600_000,
                     -20, -999, -1001, -7000]).map(lambda ms: ms * 1_000_000),
    min_size=1,
    max_size=40,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(steps_ns=STEPS_NS, noise=st.sampled_from([0, 6, 60]), parts=st.sets(st.integers(0, 39)))
def test_slots_are_those_of_numpy_whatever_the_clock_does(
    steps_ns: list[int], noise: int, parts: set[int]
) -> None:
    compared(steps_ns, (131, 74), noise, parts)


def test_another_size_begins_anew() -> None:
    motion, oracle = Motion(), motion_oracle.Oracle()
    for at, (width, height) in enumerate([(64, 36)] * 5 + [(80, 60)] * 5 + [(64, 36)] * 5):
        luma = picture(at, width, height)
        time_ns = 5 * SECOND_NS + at * 150_000_000
        expected = oracle.push(luma, time_ns)
        assert motion.push(luma.reshape(-1), width, width, height, time_ns) == expected


def test_this_processor_has_its_own_loops_where_it_says_so() -> None:
    with open("/proc/cpuinfo") as told:
        assert has_fast_loops() == (" avx2" in told.read())
