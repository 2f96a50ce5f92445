"""H.264 sequence parameter sets (7.3.2.1.1): what the file needs of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwriter import BitWriter
from packetiser import H264, nal_type, split_annex_b
from vonggac._native import parse
from vonggac.errors import MediaError

BASELINE, MAIN, HIGH, HIGH_10 = 66, 77, 100, 110


def written(
    profile: int = MAIN,
    *,
    constraints: int = 0,
    sps_id: int = 0,
    high: Callable[[BitWriter], object] | None = None,
    order_count: Callable[[BitWriter], object] = lambda w: w.ue(0, 0, 0),
    size_mbs: tuple[int, int] = (40, 30),
    frames_only: bool = True,
    crop: tuple[int, int, int, int] | None = None,
    vui: Callable[[BitWriter], object] | None = None,
) -> bytes:
    """A set whose `order_count` begins at log2_max_frame_num_minus4."""
    w = BitWriter().ue(sps_id)
    if high is not None:
        high(w)
    order_count(w)
    w.ue(1).u(1, 0).ue(size_mbs[0] - 1, size_mbs[1] - 1).u(1, int(frames_only))
    if not frames_only:
        w.u(1, 0)
    w.u(1, 1).u(1, int(crop is not None))
    if crop is not None:
        w.ue(*crop)
    w.u(1, int(vui is not None))
    if vui is not None:
        vui(w)
    return w.nal(bytes([0x67, profile, constraints, 31]))


def restriction(w: BitWriter, reorder: int) -> BitWriter:
    """VUI with everything absent but bitstream_restriction (E.1.1)."""
    return w.u(8, 0).u(1, 1).u(1, 1).ue(0, 0, 16, 16, reorder, 4)


def rich_vui(w: BitWriter) -> BitWriter:
    w.u(1, 1).u(8, 255).u(16, 4).u(16, 3)  # aspect ratio
    w.u(2, 3)  # overscan
    w.u(1, 1).u(3, 5).u(1, 1).u(1, 1).u(24, 0x010101)  # video signal and colour
    w.u(1, 1).ue(0, 0)  # chroma location
    w.u(1, 1).u(32, 1).u(32, 50).u(1, 1)  # timing
    for _ in range(2):  # NAL and VCL HRD
        w.u(1, 1).ue(1).u(4, 0).u(4, 0)
        w.ue(1000, 2000).u(1, 0).ue(3000, 4000).u(1, 1).u(20, 0)
    w.u(1, 0).u(1, 1)  # low_delay, pic_struct
    return w.u(1, 1).u(1, 1).ue(0, 0, 16, 16, 2, 4)


def high_fields(
    chroma: int = 1, lists: Callable[[BitWriter], object] | None = None
) -> Callable[[BitWriter], object]:
    def write(w: BitWriter) -> None:
        w.ue(chroma)
        if chroma == 3:
            w.u(1, 0)
        w.ue(0, 0).u(1, 0).u(1, int(lists is not None))
        if lists is not None:
            lists(w)

    return write


def all_lists(w: BitWriter) -> None:
    for index in range(8):
        w.u(1, 1).se(*[1 if i % 2 else -1 for i in range(16 if index < 6 else 64)])


def short_lists(w: BitWriter) -> None:
    """nextScale becomes 0 at once: the rest of the list repeats and is not sent."""
    for _ in range(8):
        w.u(1, 1).se(-8)


def cycle(w: BitWriter) -> BitWriter:
    return w.ue(0, 1).u(1, 0).se(-3, 5).ue(4).se(1, -1, 2, -2)


def test_an_sps_gives_size_and_profile() -> None:
    sps = parse.h264_sps(written(MAIN, constraints=0x40, sps_id=3))
    assert (sps.width, sps.height) == (640, 480)
    assert (sps.profile, sps.compatibility, sps.level, sps.id) == (MAIN, 0x40, 31, 3)
    assert (sps.chroma_format, sps.bit_depth_luma, sps.bit_depth_chroma) == (1, 8, 8)
    assert not sps.interlaced


@pytest.mark.parametrize(
    ("nal", "width", "height"),
    [
        pytest.param(written(size_mbs=(120, 68), crop=(0, 0, 0, 4)), 1920, 1080, id="1080"),
        pytest.param(written(crop=(1, 2, 3, 4)), 634, 466, id="all sides"),
        pytest.param(
            written(size_mbs=(45, 18), frames_only=False, crop=(0, 0, 0, 1)), 720, 572, id="fields"
        ),
        pytest.param(
            written(HIGH, high=high_fields(chroma=3), crop=(1, 0, 1, 0)), 639, 479, id="4:4:4"
        ),
        pytest.param(
            written(122, high=high_fields(chroma=2), crop=(1, 0, 1, 0)), 638, 479, id="4:2:2"
        ),
        pytest.param(
            written(HIGH, high=high_fields(chroma=0), crop=(1, 0, 1, 0)), 639, 479, id="monochrome"
        ),
        pytest.param(written(crop=(200, 120, 0, 0)), 640, 480, id="nothing left: no cropping"),
        pytest.param(written(HIGH, high=high_fields(lists=all_lists)), 640, 480, id="lists"),
        pytest.param(written(HIGH, high=high_fields(lists=short_lists)), 640, 480, id="repeated"),
        pytest.param(written(order_count=cycle), 640, 480, id="order count type 1"),
    ],
)
def test_the_size_is_what_is_shown(nal: bytes, width: int, height: int) -> None:
    sps = parse.h264_sps(nal)
    assert (sps.width, sps.height) == (width, height)
    junk = parse.h264_sps(nal + bytes.fromhex("00ff00000301"))
    assert (junk.width, junk.height) == (width, height)


@pytest.mark.parametrize(
    ("nal", "depth"),
    [
        pytest.param(written(), -1, id="not told"),
        pytest.param(written(BASELINE), 0, id="baseline"),
        pytest.param(written(order_count=lambda w: w.ue(0, 2)), 0, id="order count type 2"),
        pytest.param(written(HIGH_10, constraints=0x10, high=high_fields()), 0, id="intra"),
        pytest.param(written(vui=lambda w: restriction(w, 0)), 0, id="told 0"),
        pytest.param(written(vui=lambda w: restriction(w, 2)), 2, id="told 2"),
        pytest.param(written(vui=lambda w: restriction(w, 17)), -1, id="told what cannot be"),
        pytest.param(written(vui=rich_vui), 2, id="told behind everything else"),
        pytest.param(written(vui=lambda w: w.u(8, 0).u(1, 1).u(1, 0)), -1, id="VUI without it"),
        pytest.param(written(vui=lambda w: w.u(3, 0)), -1, id="VUI cut off"),
        pytest.param(
            written(vui=lambda w: w.u(5, 0).u(1, 1).ue(99).u(32, 0).u(32, 0)), -1, id="odd HRD"
        ),
    ],
)
def test_the_reorder_depth_is_told_or_not(nal: bytes, depth: int) -> None:
    assert parse.h264_sps(nal).reorder_depth == depth


@pytest.mark.parametrize(
    ("nal", "kind", "rule"),
    [
        pytest.param(b"", "short", "H.264 7.3.2.1.1 profile_idc", id="empty"),
        pytest.param(b"\x67\x4d\0", "short", "H.264 7.3.2.1.1 profile_idc", id="header"),
        pytest.param(b"\x68\x4d\0\x1f\xff", "value", "H.264 7.4.1 nal_unit_type", id="a PPS"),
        pytest.param(written()[:7], "short", "H.264 7.3.2.1.1 seq_parameter_set_data", id="cut"),
        pytest.param(
            written(sps_id=32), "value", "H.264 7.4.2.1.1 seq_parameter_set_id", id="id 32"
        ),
        pytest.param(
            written(HIGH, high=high_fields(chroma=4)),
            "value",
            "H.264 7.4.2.1.1 chroma_format_idc",
            id="chroma 4",
        ),
        pytest.param(
            written(order_count=lambda w: w.ue(0, 3)),
            "value",
            "H.264 7.4.2.1.1 pic_order_cnt_type",
            id="order count type 3",
        ),
        pytest.param(
            written(size_mbs=(1057, 1)),
            "value",
            "H.264 7.4.2.1.1 pic_width_in_mbs_minus1",
            id="too wide",
        ),
        pytest.param(
            b"\x67\x4d\0\x1f" + bytes(8),
            "short",
            "H.264 7.3.2.1.1 seq_parameter_set_data",
            id="zeros",
        ),
    ],
)
def test_the_error_names_the_broken_clause(nal: bytes, kind: str, rule: str) -> None:
    with pytest.raises(MediaError) as caught:
        parse.h264_sps(nal)
    assert (caught.value.kind, caught.value.rule) == (kind, rule)
    assert caught.value.offset <= len(nal)


def test_every_cut_is_short_or_no_loss() -> None:
    whole = written(HIGH, high=high_fields(lists=all_lists), vui=rich_vui)
    told = parse.h264_sps(whole)
    assert told.reorder_depth == 2
    kinds = set()
    for size in range(len(whole)):
        try:
            sps = parse.h264_sps(whole[:size])
        except MediaError as error:
            kinds.add(error.kind)
        else:
            assert (sps.width, sps.height) == (told.width, told.height)
            assert sps.reorder_depth in (-1, 2)
    assert kinds == {"short"}


@pytest.mark.parametrize(
    ("name", "profile", "width", "height"),
    [
        ("h264/BA_MW_D.264", 66, 176, 144),
        ("h264/Cisco_Men_whisper_640x320_CABAC_Bframe_9.264", 77, 640, 320),
        ("h264/SarVui.264", 66, 176, 144),
        ("h264/test_scalinglist_jm.264", 100, 320, 192),
        ("h264/CVFC1_Sony_C.jsv", 66, 300, 168),
        ("h264/Static.264", 66, 152, 100),
        ("h264/input-10-720p-main.h264", 77, 1280, 720),
        ("h264/input-10-320x180.h264", 100, 320, 180),
        ("h264/jm_1080p_allslice.264", 66, 1920, 1080),
        ("cctv/aws_h264SampleFrames.h264", 100, 640, 480),
    ],
)
def test_recorded_sets_are_read(
    fixtures: Path, name: str, profile: int, width: int, height: int
) -> None:
    stream = (fixtures / "video" / "dev" / name).read_bytes()
    sets = [nal for nal in split_annex_b(stream) if nal_type(H264, nal) == 7]
    assert sets
    sps = parse.h264_sps(sets[0])
    assert (sps.profile, sps.width, sps.height) == (profile, width, height)


@given(st.binary(max_size=80))
def test_any_bytes_give_a_set_or_a_fault(rest: bytes) -> None:
    try:
        sps = parse.h264_sps(b"\x67" + rest)
    except MediaError as error:
        offset = error.offset
    else:
        assert sps.width > 0 and sps.height > 0
        offset = 0
    assert offset <= len(rest) + 1
