"""Whose certificates a camera may show: those of an authority that a person gave for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit_rig import vonggac
from certificates import Authority, make_certificate
from dialled_camera import Named, Serving, clip, serving
from tls_relay import TlsRelay
from vonggac.errors import ConfigError
from vonggac.media.chunk import GapReason
from vonggac.registry.catalog import Catalog
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.camera_tls import check_authority


@pytest.fixture(scope="module")
def camera() -> Iterator[Serving]:
    with serving(Named(clip(), "IP Camera(C1214)")) as it:
        yield it


@pytest.fixture(scope="module")
def ward() -> Authority:
    return Authority()


def called(
    camera: Serving, shown: tuple[Path, Path], authority: Authority, memory: Memory | None = None
) -> tuple[SessionFailed | None, bytes]:
    """What came of it, and what the camera heard."""
    with TlsRelay(*shown, camera.server.port) as relay:
        url = f"rtsps://127.0.0.1:{relay.port}/camera"
        failure = camera.call(memory or Memory(), url=url, authority=authority.pem)
        return failure, relay.heard


def test_a_certificate_of_the_authority_is_trusted_and_so_is_the_next_one(
    camera: Serving, ward: Authority, tmp_path: Path
) -> None:
    memory = Memory()
    memory.identity.pauses = True
    for name in ("first", "renewed"):
        failure, heard = called(camera, ward.certificate(tmp_path / name), ward, memory)
        assert failure is None
        assert b"Authorization: Digest" in heard
    assert memory.certificate == b""  # what was renewed has to be no other device
    assert memory.identity.other is None


@pytest.mark.parametrize(
    ("names", "days", "since", "reason", "words"),
    [
        pytest.param(("127.0.0.1",), -1, 400, GapReason.REFUSED, "has ended", id="ended"),
        pytest.param(("127.0.0.1",), 90, -2, GapReason.REFUSED, "not hold yet", id="not-begun"),
        pytest.param(
            ("127.0.0.2", "cam.lan"), 90, 1, GapReason.OTHER_DEVICE, "not for 127.0.0.1", id="name"
        ),
        pytest.param((), 90, 1, GapReason.OTHER_DEVICE, "not for 127.0.0.1", id="nameless"),
    ],
)
def test_a_certificate_that_does_not_hold_is_told_nothing(
    camera: Serving,
    ward: Authority,
    tmp_path: Path,
    names: tuple[str, ...],
    days: int,
    since: int,
    reason: GapReason,
    words: str,
) -> None:
    shown = ward.certificate(tmp_path / "shown", names, days, since)
    failure, heard = called(camera, shown, ward)
    assert failure is not None
    assert (failure.reason, heard) == (reason, b"")
    assert words in failure.what


def test_a_certificate_of_another_authority_or_of_its_own_is_another_device(
    camera: Serving, ward: Authority, tmp_path: Path
) -> None:
    other = Authority("somebody").certificate(tmp_path / "other")
    own = make_certificate(tmp_path / "own", ("127.0.0.1",))
    for shown in (other, own):
        failure, heard = called(camera, shown, ward)
        assert failure is not None
        assert (failure.reason, heard) == (GapReason.OTHER_DEVICE, b"")
        assert "authority" in failure.what


@pytest.mark.parametrize("text", ["", "xyz", "-----BEGIN CERTIFICATE-----\nhm\n", "chứng chỉ"])
def test_what_is_no_authority_is_refused_when_it_is_entered(text: str) -> None:
    with pytest.raises(ConfigError, match="PEM"):
        check_authority(text)


def test_an_authority_is_kept_with_the_camera(
    home: Path, ward: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(ward.pem)
    words = ("--owner-kind", "state", "--tls-ca", str(file), "--json")
    assert vonggac(home, "camera", "add", "cam1", "--url", "rtsps://127.0.0.1/a", *words) == 0
    assert json.loads(capsys.readouterr().out)["may_record"]
    with Catalog(home, is_readonly=True) as catalog:
        row = catalog.camera("cam1")
    assert row is not None
    assert row.tls_authority == ward.pem
    assert vonggac(home, "camera", "add", "cam2", "--url", "rtsp://127.0.0.1/a", *words) == 2
    assert "rtsps" in capsys.readouterr().err
    file.write_text("nothing")
    assert vonggac(home, "camera", "add", "cam2", "--url", "rtsps://127.0.0.1/a", *words) == 2
    assert "PEM" in capsys.readouterr().err
    assert vonggac(home, "camera", "add", "cam2", "--url", "rtsps://127.0.0.1/a",
                   "--tls-ca", str(tmp_path / "none")) == 2  # fmt: skip
    assert "cannot be read" in capsys.readouterr().err
