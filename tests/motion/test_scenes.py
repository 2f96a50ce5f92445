"""What a search finds in films whose motion is known, and what it makes of films that are odd."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import motion_scenes as scenes
from vonggac.motion.film import Film, film_of, npy
from vonggac.motion.slots import Tier

KBIT = {"libx264": 384, "libx265": 230}


def grid(film: Film, seconds: int = 0) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.load(io.BytesIO(npy(film)))
    assert found.dtype == bool and found.shape == (film.seconds, 36, 64)
    missing = max(0, seconds - len(found))
    return np.concatenate([found, np.zeros((missing, 36, 64), bool)])


@pytest.mark.slow  # together; and another user's arithmetic is the same
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("busy", "libx264"),
        ("quiet", "libx264"),
        ("night", "libx264"),
        ("switch", "libx264"),
        ("wind", "libx264"),
        ("quiet", "libx265"),
        ("night", "libx265"),
    ],
)
def test_a_region_in_which_something_moved_is_found_and_no_other(
    tmp_path: Path, name: str, codec: str
) -> None:
    scene = scenes.SCENES[name]
    film = film_of(scenes.write(scene, tmp_path / "film.mp4", codec, KBIT[codec]))
    precision, recall = scenes.region_figures(scenes.truth(scene), grid(film))
    least = 0.85 if (name, codec) == ("quiet", "libx265") else 0.92
    assert precision >= least and recall >= 0.92, (precision, recall)
    assert [slot.second for slot in film.slots] == list(range(scene.seconds))
    assert {slot.tier for slot in film.slots} == {Tier.FULL}
    switched = {int(at) for at in scene.switches}
    assert {slot.second for slot in film.slots if slot.is_global} == switched


def test_by_key_frames_alone_what_stays_for_seconds_is_found(tmp_path: Path) -> None:
    scene = scenes.BUSY
    path = scenes.write(scene, tmp_path / "film.mp4", "libx264", 384)
    film = film_of(path, Tier.KEY)
    assert {slot.tier for slot in film.slots} == {Tier.KEY}
    assert [slot.second for slot in film.slots] == list(
        range(1, 7)
    )  # between 0 s and 6 s, the last key frame
    precision, recall = scenes.region_figures(scenes.truth(scene), grid(film, scene.seconds))
    assert precision >= 0.8 and recall >= 0.6, (precision, recall)


@pytest.mark.parametrize("codec", ["cabac", "hevc"])
@pytest.mark.parametrize("name", ["busy", "quiet", "night"])
def test_the_shared_scenes_are_found_too(fixtures: Path, name: str, codec: str) -> None:
    shared = fixtures / "motion"
    change = np.load(shared / f"{name}.npz")["change"].astype(float)  # 25 pictures a second
    shares = change[: len(change) // 25 * 25].reshape(-1, 25, 36, 64).max(1)
    film = film_of(shared / f"{name}-360-{codec}.mp4")
    precision, recall = scenes.region_figures(shares, grid(film)[: len(shares)])
    least = 0.85 if (name, codec) == ("quiet", "hevc") else 0.92
    assert precision >= least and recall >= 0.92, (precision, recall)
