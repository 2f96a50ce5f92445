"""`camera add --push`, `camera push-key`, `push run`: what they take, show and refuse."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

from audit_rig import vonggac
from certificates import make_certificate
from push_rig import key_in
from vonggac.registry.catalog import Catalog
from vonggac.registry.push_keys import digest_of, is_key_of


def said(home: Path, *words: str, status: int = 0) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        found = vonggac(home, *words)
    assert found == status, err.getvalue()
    return out.getvalue() if status == 0 else err.getvalue()


def test_a_key_is_shown_once_and_only_its_hash_is_kept(home: Path) -> None:
    first = said(home, "camera", "add", "nha12", "--push", "--push-sub", "--owner-kind", "state")
    key = key_in(first)
    assert f"main: rtsps://nha12:{key}@BOX:PORT/nha12\n" in first
    assert f"sub: rtsps://nha12:{key}@BOX:PORT/nha12/sub\n" in first
    with Catalog(home) as catalog:
        camera = catalog.camera("nha12")
    assert camera is not None
    assert is_key_of(camera, digest_of(key))
    assert [(stream.name, stream.url) for stream in camera.streams] == [("main", ""), ("sub", "")]
    assert key.encode() not in (home / "catalog" / "data.mdb").read_bytes()

    told = json.loads(said(home, "camera", "push-key", "nha12", "--json"))
    assert set(told) == {"id", "made", "by"}
    assert key not in said(home, "camera", "show", "nha12")
    renewed = key_in(said(home, "camera", "push-key", "nha12", "--renew"))
    assert renewed != key
    with Catalog(home) as catalog:
        camera = catalog.camera("nha12")
    assert is_key_of(camera, digest_of(renewed))
    assert not is_key_of(camera, digest_of(key))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--push", "--url", "rtsp://127.0.0.1/x"), "not allowed with"),
        (("--push", "--sub-url", "rtsp://127.0.0.1/x"), "--sub-url is for"),
        (("--push", "--transport", "udp"), "--transport udp is for"),
        (("--push", "--json"), "no place in JSON"),
        (("--url", "rtsp://127.0.0.1/x", "--push-sub"), "for a camera that calls"),
        ((), "one of the arguments --url --push is required"),
    ],
)
def test_what_does_not_go_together_is_refused(home: Path, words: tuple[str, ...], why: str) -> None:
    assert why in said(home, "camera", "add", "nha12", *words, status=2)


def test_a_camera_that_is_called_has_no_key(home: Path) -> None:
    said(home, "camera", "add", "cam1", "--url", "rtsp://127.0.0.1/x", "--owner-kind", "state")
    assert "does not call" in said(home, "camera", "push-key", "cam1", status=1)


def test_a_door_without_port_or_certificate_stays_shut(home: Path, tmp_path: Path) -> None:
    assert "set port in [push]" in said(home, "push", "run", status=78)
    config = home / "config.toml"
    config.write_text("[push]\nport = 322\n")
    assert "never said in the clear" in said(home, "push", "run", status=78)
    chain, key = make_certificate(tmp_path / "tls")
    config.write_text(f'[push]\nport = 322\naddress = "here"\ncertificate = "{chain}"\n')
    assert "no IP address" in said(home, "push", "run", status=78)
    config.write_text(f'[push]\nport = 322\ncertificate = "{chain}"\n')
    assert "TLS needs both" in said(home, "push", "run", status=78)
    key.chmod(0o644)
    config.write_text(f'[push]\nport = 322\ncertificate = "{chain}"\nkey = "{key}"\n')
    assert "open to everybody" in said(home, "push", "run", status=78)
