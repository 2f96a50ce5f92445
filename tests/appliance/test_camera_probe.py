"""Cameras looked at by hand: through real sockets, with one session that is always given back."""

from __future__ import annotations

import importlib.resources
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

import pytest

import quirk_camera
from audit_rig import vonggac
from box_rig import DEADLINE_S, PASSWORD, Cameras
from certificates import make_certificate
from quirk_camera import USER, Asked, Quirk, Reply, Visit
from quirk_replay import Replay
from quirk_server import QuirkServer
from tls_relay import TlsRelay
from vonggac.media.chunk import Codec
from vonggac.probe.capture import read_capture
from vonggac.registry.catalog import Catalog
from vonggac.rtsp.device import Device, after
from vonggac.rtsp.messages import Headers, Response
from vonggac.rtsp.packetise import sender_report
from vonggac_appliance.camera_clip import Clip, load_clip
from vonggac_appliance.kept_rows import write_rows
from vonggac_appliance.learnt_store import LearntRow, encode

_KNOWN = 'Digest realm="D4E853000001", nonce="1"'
_START = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


@pytest.fixture(scope="module")
def clip() -> Clip:
    file = importlib.resources.files("vonggac_appliance") / "demo" / "street-sub.h264"
    return load_clip(file.read_bytes(), Codec.H264, Fraction(25, 2))


@pytest.fixture
def cameras() -> Iterator[Cameras]:
    made = Cameras(1)
    yield made
    made.stop()


@pytest.fixture
def login(tmp_path: Path) -> Path:
    path = tmp_path / "login"
    path.write_text(f"admin:{PASSWORD}\n")
    return path


def has_password(text: str) -> bool:
    return any(one in text for one in (PASSWORD, quote(PASSWORD), quote(PASSWORD, safe="")))


def test_a_probe_tells_what_a_camera_is_and_sends(
    home: Path, cameras: Cameras, login: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--credentials-file", str(login), "--seconds", "5", "--json")
    assert vonggac(home, "camera", "probe", cameras.url("cam1", "main"), *words) == 0
    out = capsys.readouterr()
    facts = json.loads(out.out)
    (main,) = facts["streams"]
    assert (main["codec"], main["login"], main["transport"]) == ("h264", "Digest MD5", "tcp")
    figures = main["figures"]
    assert figures["width"] > figures["height"] > 0
    assert figures["pictures"] > 20 and figures["packets_lost"] == figures["damaged"] == 0
    assert figures["gop_s"]["median"] == pytest.approx(2, abs=0.2)
    assert figures["stamped_fps"] == pytest.approx(25, abs=0.5)
    assert abs(figures["clock_offset_s"]) < 5
    assert not has_password(out.out + out.err)
    assert not (home / "learnt").exists()


def test_a_camera_over_tls_is_looked_at_inside_of_it(
    home: Path,
    cameras: Cameras,
    login: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with TlsRelay(*make_certificate(tmp_path / "certificate"), cameras.port) as relay:
        url = f"rtsps://127.0.0.1:{relay.port}/cam1/main"
        words = ("--credentials-file", str(login), "--seconds", "2", "--json")
        assert vonggac(home, "camera", "probe", url, *words) == 0
        assert relay.heard.count(b"TEARDOWN rtsps://") == 1
    (stream,) = json.loads(capsys.readouterr().out)["streams"]
    assert stream["codec"] == "h264" and stream["figures"]["pictures"] > 10


class Counting(Quirk):
    """By the book, and remembers how its sessions ended."""

    name = "counting"

    def ends(self) -> list[str]:
        return [visit.asked[-1].method for visit in self.visits]


class Ahead(Counting):
    """Its clock is 37 s ahead."""

    name = "ahead"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        out = super().frame(number, channel, packets)
        if number % 10 == 3:
            report = sender_report(0x1234, time.time_ns() + 37_000_000_000, number * 7200, 1, 1)
            out += b"$" + bytes((channel + 1,)) + len(report).to_bytes(2, "big") + report
        return out


class Refuses(Counting):
    name = "refuses"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        if asked.method == "SETUP":
            reply.status, reply.phrase = 453, "Not Enough Bandwidth"
        return reply


@pytest.fixture
def quirks(clip: Clip) -> Iterator[QuirkServer]:
    server = QuirkServer([Counting(clip), Ahead(clip), Refuses(clip)])
    yield server
    server.stop()


def test_a_clock_that_goes_ahead_is_an_advice(
    home: Path, quirks: QuirkServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = quirks.url(quirks.quirks["ahead"])
    assert vonggac(home, "camera", "probe", url, "--seconds", "2", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    offset_s = facts["streams"][0]["figures"]["clock_offset_s"]
    assert offset_s == pytest.approx(37, abs=2)
    names = {one["name"] for one in facts["advice"]}
    assert "no-login" in names
    assert names & {"clock", "box-clock"}


def test_a_camera_that_has_no_room_is_asked_once_and_says_so(
    home: Path, quirks: QuirkServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = quirks.url(quirks.quirks["refuses"])
    assert vonggac(home, "camera", "probe", url, "--sub-url", url, "--seconds", "3") == 1
    text = capsys.readouterr().out
    assert "serves no more viewers" in text
    assert len(quirks.quirks["refuses"].visits) == 1


class Exchanged(Counting):
    """Its realm is a MAC address, as of some makers."""

    name = "exchanged"
    challenges = ('Digest realm="AABBCC112233", nonce="{nonce}"',)


def test_another_device_than_the_known_one_is_told_no_login_but_anyway(
    home: Path, clip: Clip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = Exchanged(clip)
    server = QuirkServer([camera])
    login = tmp_path / "login"
    login.write_text(f"{USER}:{quirk_camera.PASSWORD}\n")
    words = ("--credentials-file", str(login), "--seconds", "2")
    try:
        url = server.url(camera)
        assert vonggac(home, "camera", "add", "cam1", "--url", url, *words[:2]) == 0
        with Catalog(home, is_readonly=True) as catalog:
            row = catalog.camera("cam1")
        assert row is not None
        before = Response(401, "", Headers((("WWW-Authenticate", _KNOWN),)))
        known = LearntRow(device=after(Device(), before).facts())
        write_rows(home / "learnt", {row.id: encode(known)})
        assert vonggac(home, "camera", "probe", url, *words) == 1
        assert "another device" in capsys.readouterr().out
        said = [asked for visit in camera.visits for asked in visit.asked]
        assert said and not any("authorization" in asked.headers for asked in said)
        assert vonggac(home, "camera", "probe", url, *words, "--anyway") == 0
    finally:
        server.stop()


def test_a_login_in_the_address_is_refused_and_not_repeated(
    home: Path, quirks: QuirkServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = quirks.url(quirks.quirks["counting"]).replace("://", f"://admin:{quote(PASSWORD)}@")
    assert vonggac(home, "camera", "probe", url) == 2
    out = capsys.readouterr()
    assert "--credentials-file" in out.err
    assert not has_password(out.out + out.err)
    assert not quirks.quirks["counting"].visits


def test_an_address_outside_the_camera_networks_is_refused(home: Path) -> None:
    assert vonggac(home, "camera", "probe", "rtsp://8.8.8.8/main") == 1


def test_the_session_is_given_back_when_somebody_ends_it(home: Path, clip: Clip) -> None:
    """By Ctrl-C, and as a service is ended."""
    playing = threading.Semaphore(0)

    class Watched(Counting):
        name = "watched"

        def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
            if number == 2:
                playing.release()
            return super().frame(number, channel, packets)

    camera = Watched(clip)
    server = QuirkServer([camera])
    words = ["--home", str(home), "camera", "probe", server.url(camera), "--seconds", "600"]
    # Whoever starts the tests in the background leaves SIGINT ignored.
    command = ["env", "--default-signal=INT", sys.executable, "-c", _START, *words]
    probes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    try:
        assert playing.acquire(timeout=DEADLINE_S) and playing.acquire(timeout=DEADLINE_S)
        for probe, number in zip(probes, (signal.SIGINT, signal.SIGTERM), strict=True):
            probe.send_signal(number)
        assert [probe.wait(DEADLINE_S) for probe in probes] == [1, 1]
    finally:
        for probe in probes:
            probe.kill()
            probe.wait()
        server.stop()
    assert camera.ends() == ["TEARDOWN", "TEARDOWN"]


# --- captures ---


def captured(home: Path, path: Path, *more: str) -> str:
    words = ("camera", "capture", "cam1", "--seconds", "2", "--output", str(path), *more)
    assert vonggac(home, *words) == 0
    return path.read_text()


def ours(text: str) -> list[str]:
    """What we said, in order."""
    _, events = read_capture(text)
    return [one.data.decode() for one in events if one.is_ours and one.kind == "message"]


def video(text: str) -> list[tuple[int, int]]:
    """Lengths and sequence numbers of the packets of pictures."""
    _, events = read_capture(text)
    packets = [one.data for one in events if one.kind == "packet" and one.channel == 0]
    return [(len(one), int.from_bytes(one[2:4], "big")) for one in packets]


def test_a_capture_holds_no_login_no_picture_and_no_address_and_plays_again(
    home: Path, tmp_path: Path, cameras: Cameras, login: Path, clip: Clip
) -> None:
    """From a camera with a known password; then from its capture, where all happens once more."""
    words = ("--credentials-file", str(login))
    assert vonggac(home, "camera", "add", "cam1", "--url", cameras.url("cam1", "sub"), *words) == 0
    text = captured(home, tmp_path / "first")
    assert os.stat(tmp_path / "first").st_mode & 0o777 == 0o600
    assert not has_password(text)
    for secret in ("admin", "127.0.0.1", f":{cameras.port}", "Simulated camera"):
        assert secret not in text
    slices = [unit for units in clip.units for unit in units if unit[0] & 0x1F in (1, 5)]
    raw = b"".join(one.data for one in read_capture(text)[1])
    assert not any(unit[4:24] in raw for unit in slices if len(unit) > 40)
    assert len(video(text)) > 10

    replay = Replay(text)
    server = QuirkServer([replay])
    try:
        assert vonggac(home, "camera", "remove", "cam1") == 0
        assert vonggac(home, "camera", "add", "cam1", "--url", server.url(replay), *words) == 0
        again = captured(home, tmp_path / "second")
    finally:
        server.stop()
    assert ours(again) == ours(text)
    assert any("Authorization: Digest" in one for one in ours(again))
    both = min(len(video(again)), len(video(text)))
    assert both > 10 and video(again)[:both] == video(text)[:both]


def test_a_capture_of_a_camera_that_refuses_is_what_it_said(
    home: Path, tmp_path: Path, quirks: QuirkServer
) -> None:
    url = quirks.url(quirks.quirks["refuses"])
    assert vonggac(home, "camera", "add", "cam1", "--url", url) == 0
    facts, events = read_capture(captured(home, tmp_path / "refused"))
    assert facts["stream"] == "main"
    assert any(b"453 Not Enough Bandwidth" in one.data for one in events)
    assert "refused" in (tmp_path / "refused").read_text().splitlines()[-1]


def test_nothing_is_overwritten(home: Path, tmp_path: Path, quirks: QuirkServer) -> None:
    url = quirks.url(quirks.quirks["counting"])
    assert vonggac(home, "camera", "add", "cam1", "--url", url) == 0
    path = tmp_path / "there"
    path.write_text("mine")
    assert vonggac(home, "camera", "capture", "cam1", "--output", str(path)) == 2
    assert path.read_text() == "mine"
    assert not quirks.quirks["counting"].visits
