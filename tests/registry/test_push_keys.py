"""Whether a caller is the camera whose key he shows."""

from __future__ import annotations

import msgspec

from vonggac.registry.camera import Camera, Push, Stream
from vonggac.registry.push_keys import digest_of, is_key_of

CAMERA = Camera(
    b"c" * 16, "nha12", (Stream(b"s" * 16, "main", ""),), 0, push=Push(digest_of("right"), 1)
)


def test_the_key_of_a_camera_is_its_own() -> None:
    assert is_key_of(CAMERA, digest_of("right"))
    assert not is_key_of(CAMERA, digest_of("wrong"))
    assert not is_key_of(CAMERA, b"")


def test_nobody_is_a_camera_that_does_not_call() -> None:
    called = msgspec.structs.replace(CAMERA, push=None)
    for camera in (called, None):
        assert not is_key_of(camera, digest_of("right"))
        assert not is_key_of(camera, bytes(32))
