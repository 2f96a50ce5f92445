"""H.265 sequence parameter sets (7.3.2.2): what the file needs of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwriter import BitWriter
from packetiser import H265, nal_type, split_annex_b
from vonggac._native import parse
from vonggac.errors import MediaError

TIER_PROFILE = bytes.fromhex("016000000300b00000030000 5d".replace(" ", ""))[:12]


def written(
    *,
    layers: int = 1,
    with_layer_profiles: bool = False,
    sps_id: int = 0,
    chroma: int = 1,
    size: tuple[int, int] = (1920, 1088),
    window: tuple[int, int, int, int] | None = (0, 0, 0, 4),
    depths: tuple[int, int] = (0, 0),
    reorders: tuple[int, ...] = (2,),
    each_layer: bool = False,
    order_bits: int = 4,
) -> bytes:
    w = BitWriter().u(4, 0).u(3, layers - 1).u(1, 1)
    for byte in TIER_PROFILE:
        w.u(8, byte)
    below = layers - 1
    for _ in range(below):
        w.u(2, 3 if with_layer_profiles else 0)
    if below > 0:
        w.u(2 * (8 - below), 0)
    if with_layer_profiles:
        for _ in range(below):
            w.u(32, 0x01600000).u(32, 0).u(32, 93)
    w.ue(sps_id, chroma)
    if chroma == 3:
        w.u(1, 0)
    w.ue(*size).u(1, int(window is not None))
    if window is not None:
        w.ue(*window)
    w.ue(*depths).ue(order_bits).u(1, int(each_layer))
    for reorder in reorders:
        w.ue(reorder + 1, reorder, 0)
    return w.u(24, 0x5A5A5A).nal(b"\x42\x01")


def test_an_sps_gives_size_profile_and_layers() -> None:
    sps = parse.h265_sps(written(sps_id=2, depths=(2, 2)))
    assert (sps.width, sps.height) == (1920, 1080)
    assert sps.tier_profile == TIER_PROFILE
    assert (sps.profile, sps.level) == (TIER_PROFILE[0] & 31, TIER_PROFILE[11])
    assert (sps.chroma_format, sps.bit_depth_luma, sps.bit_depth_chroma) == (1, 10, 10)
    assert (sps.temporal_layers, sps.temporal_nested, sps.id) == (1, True, 2)
    assert sps.reorder_depth == 2


@pytest.mark.parametrize("layers", range(1, 8))
@pytest.mark.parametrize("with_layer_profiles", [False, True], ids=["bare", "profiles"])
def test_layers_do_not_move_the_size(layers: int, with_layer_profiles: bool) -> None:
    nal = written(layers=layers, with_layer_profiles=with_layer_profiles)
    sps = parse.h265_sps(nal)
    assert (sps.temporal_layers, sps.width, sps.height) == (layers, 1920, 1080)


@pytest.mark.parametrize(
    ("chroma", "width", "height"), [(0, 639, 479), (1, 638, 478), (2, 638, 479), (3, 639, 479)]
)
def test_the_conformance_window_counts_in_chroma_samples(
    chroma: int, width: int, height: int
) -> None:
    sps = parse.h265_sps(written(chroma=chroma, size=(640, 480), window=(1, 0, 0, 1)))
    assert (sps.width, sps.height) == (width, height)


def test_a_window_without_anything_in_it_is_not_one() -> None:
    sps = parse.h265_sps(written(size=(640, 480), window=(160, 160, 0, 0)))
    assert (sps.width, sps.height) == (640, 480)


@pytest.mark.parametrize(
    ("nal", "depth"),
    [
        pytest.param(written(reorders=(0,)), 0, id="none"),
        pytest.param(written(layers=3, reorders=(0, 1, 3), each_layer=True), 3, id="highest layer"),
        pytest.param(written(layers=3, reorders=(1,)), 1, id="one for all layers"),
        pytest.param(written(reorders=(17,)), -1, id="what cannot be"),
        pytest.param(written(order_bits=13), -1, id="an odd field before it"),
    ],
)
def test_the_reorder_depth_is_of_the_highest_layer(nal: bytes, depth: int) -> None:
    assert parse.h265_sps(nal).reorder_depth == depth


@pytest.mark.parametrize(
    ("nal", "kind", "rule"),
    [
        pytest.param(b"\x42", "short", "H.265 7.3.1.2 nal_unit_header", id="a byte"),
        pytest.param(b"\x40\x01\0", "value", "H.265 7.4.2.2 nal_unit_type", id="a VPS"),
        pytest.param(written()[:14], "short", "H.265 7.3.2.2.1 seq_parameter_set", id="cut"),
        pytest.param(
            written(layers=8), "value", "H.265 7.4.3.2.1 sps_max_sub_layers_minus1", id="8 layers"
        ),
        pytest.param(
            written(sps_id=16), "value", "H.265 7.4.3.2.1 sps_seq_parameter_set_id", id="id 16"
        ),
        pytest.param(
            written(size=(0, 480)), "value", "H.265 7.4.3.2.1 pic_width_in_luma_samples", id="0"
        ),
        pytest.param(
            written(size=(20000, 480)),
            "value",
            "H.265 7.4.3.2.1 pic_width_in_luma_samples",
            id="too wide",
        ),
        pytest.param(
            written(depths=(9, 0)), "value", "H.265 7.4.3.2.1 bit_depth_luma_minus8", id="17 bits"
        ),
    ],
)
def test_the_error_names_the_broken_clause(nal: bytes, kind: str, rule: str) -> None:
    with pytest.raises(MediaError) as caught:
        parse.h265_sps(nal)
    assert (caught.value.kind, caught.value.rule) == (kind, rule)
    assert caught.value.offset <= len(nal)


@pytest.mark.parametrize(
    ("name", "width", "height", "layers"),
    [
        ("input-60-640x480.h265", 640, 480, 1),
        ("input-300-98x58-conformance-window.h265", 98, 58, 1),
        ("input-10-1920x1080.h265", 1920, 1080, 1),
        ("input-15-1280x720-temporal-id-1.h265", 1280, 720, None),
    ],
)
def test_recorded_sets_are_read(
    fixtures: Path, name: str, width: int, height: int, layers: int | None
) -> None:
    stream = (fixtures / "video" / "dev" / "h265" / name).read_bytes()
    sets = [nal for nal in split_annex_b(stream) if nal_type(H265, nal) == 33]
    assert sets
    sps = parse.h265_sps(sets[0])
    assert (sps.width, sps.height) == (width, height)
    assert sps.profile == 1 and sps.bit_depth_luma == 8
    assert layers is None or sps.temporal_layers == layers
    assert sps.reorder_depth >= 0


@given(st.binary(max_size=80))
def test_any_bytes_give_a_set_or_a_fault(rest: bytes) -> None:
    try:
        sps = parse.h265_sps(b"\x42\x01" + rest)
    except MediaError as error:
        offset = error.offset
    else:
        assert sps.width > 0 and sps.height > 0
        offset = 0
    assert offset <= len(rest) + 2
