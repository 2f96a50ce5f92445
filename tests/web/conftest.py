"""What several tests of the page ask for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from box_rig import Box
from segment_maker import Stream, encode
from vonggac.media.chunk import Codec
from vonggac_appliance import config
from vonggac_appliance.services import Front, Services, open_services


@pytest.fixture(scope="module")
def services(box: Box) -> Iterator[Services]:
    """Those of the page, over the home of the module's own box."""
    opened = open_services(box.home, config.parse("", "empty"), Front())
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """Four seconds of an encoder's stream."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed")
    return encode(ffmpeg, Codec.H264, tmp_path_factory.mktemp("clip"), 4, 2)
