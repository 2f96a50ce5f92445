"""Cameras that send datagrams, over paths that lose some and paths that lose all."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from box_rig import PASSWORD, Box, Cameras
from gst_rig import DEMO, gst_cameras
from ring_walker import Found, walk_ring
from udp_proxy import Manners, RtspOverBadUdp
from vonggac.media.chunk import ChunkFlag
from vonggac.registry.catalog import Catalog

pytestmark = pytest.mark.slow


def gst_camera(*options: str) -> contextlib.AbstractContextManager[int]:
    """Main and sub of /cam; gives the port."""
    clips = [f"/cam/{name}={DEMO}/street-{name}.h264" for name in ("main", "sub")]
    return gst_cameras(PASSWORD, *options, *clips)


def add(box: Box, camera: str, port: int, *more: str) -> None:
    address = f"rtsp://127.0.0.1:{port}/cam"
    streams = ("--url", f"{address}/main", "--sub-url", f"{address}/sub")
    login = ("--credentials-file", str(box.login))
    box.run("camera", "add", camera, *streams, *login, "--owner-kind", "state", *more)


def recorded(box: Box, camera: str) -> list[Found]:
    """The chunks of its main stream."""
    with Catalog(box.home, is_readonly=True) as catalog:
        row = catalog.camera(camera)
    assert row is not None
    stream = row.stream("main")
    assert stream is not None
    return walk_ring(box.disk)[stream.id]


def learnt(box: Box, camera: str) -> str:
    """The transport that `camera show` tells."""
    shown = json.loads(box.run("camera", "show", camera, "--json"))
    return str(shown["learnt"]["transport"])


def test_datagrams_are_recorded_flagged_where_some_are_lost_and_tcp_where_all_are(
    tmp_path: Path,
) -> None:
    box = Box(tmp_path / "home", "320M")
    bad = Manners(loses=0.02, repeats=0.02, delay_s=(0.0, 0.05), seed=3)
    with contextlib.ExitStack() as stack:
        # 1,420 bytes are what a tunnel leaves of 1,500.
        udp_only = stack.enter_context(gst_camera("--udp-only", "--mtu", "1392"))
        either = stack.enter_context(gst_camera())
        lossy = stack.enter_context(RtspOverBadUdp(udp_only, [bad]))
        firewalled = stack.enter_context(RtspOverBadUdp(either))
        firewalled.is_firewalled = True
        add(box, "lossy", lossy.port)
        add(box, "firewalled", firewalled.port, "--transport", "udp")
        with box.running("run"):
            box.until_durable(6.0)
            assert (learnt(box, "lossy"), learnt(box, "firewalled")) == ("udp", "tcp")
        assert sum(len(path.lost) for path in lossy.paths) > 10
        assert all(path.carried == 0 for path in firewalled.paths)
        assert any(path.lost for path in firewalled.paths)
    for camera, is_flagged in (("lossy", True), ("firewalled", False)):
        chunks = recorded(box, camera)
        assert any(chunk.claim.flags & ChunkFlag.DAMAGED for chunk in chunks) is is_flagged
    box.discard()


@pytest.fixture
def vlc_camera() -> Iterator[str]:
    """VLC with a clip and a tone; it refuses root, who has nobody start it. Gives the address."""
    program, ffmpeg = shutil.which("cvlc"), shutil.which("ffmpeg")
    if program is None or ffmpeg is None:
        pytest.skip("VLC is not installed (Debian: vlc-bin vlc-plugin-base), or ffmpeg is not")
    as_nobody = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"rtsp://127.0.0.1:{free.getsockname()[1]}/cam"
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mkv"
        tone = "aevalsrc=sin(300*t*t):s=16000"
        making = [ffmpeg, "-v", "error", "-r", "25", "-f", "h264", "-i", "-"]
        making += ["-f", "lavfi", "-i", tone, "-c:v", "copy", "-c:a", "aac", "-shortest", str(clip)]
        pictures = (DEMO / "street-main.h264").read_bytes() * 10
        subprocess.run(making, input=pictures, check=True)
        Path(folder).chmod(0o755)
        command = [*as_nobody, program, "-q", "-I", "dummy", "--loop"]
        command += ["--rtsp-host", "127.0.0.1", str(clip)]
        command += ["--sout", f"#gather:rtp{{mux=,sdp={address}}}", "--sout-keep"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as process:
            yield address
            process.terminate()
            process.wait(60)


def test_vlcs_camera_is_recorded_which_knows_udp_alone(vlc_camera: str, tmp_path: Path) -> None:
    box = Box(tmp_path / "home", "320M")
    basis = ("--owner-kind", "household", "--basis-mode", "C", "--basis-from=-1h", "--basis-audio")
    box.run("camera", "add", "vlc", "--url", vlc_camera, *basis)
    with box.running():
        box.until(
            lambda now: any(
                stream.recorded_ns > 3e9 and stream.state == "recording"
                for camera in now.cameras
                for stream in camera.streams
            )
        )
        assert learnt(box, "vlc") == "udp"
        (sound,) = json.loads(box.run("camera", "show", "vlc", "--json"))["sound"]
        assert (sound["state"], sound["codec"]) == ("recorded", "aac")
        assert sound["frames"] > 20
    checked = json.loads(box.run("disk", "check", str(box.disk), "--deep", "--json"))
    assert checked["ok"], checked["problems"]
    box.discard()


# -- A tunnel, through which nothing larger than 1,420 bytes goes in one piece --

MTU_BYTES = 1420
_SIOCGIFMTU = 0x8921
NARROWED = f'ip link set lo mtu {MTU_BYTES} up && exec "$@"'


def loopback_mtu_bytes() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16si", b"lo", 0)
        found = fcntl.ioctl(sock, _SIOCGIFMTU, request.ljust(40, b"\0"))
    mtu: int = struct.unpack_from("16si", found)[1]
    return mtu


def again_on_a_narrow_loopback(request: pytest.FixtureRequest) -> None:
    """The test once more in a network of its own. Skips where nobody may make one."""
    unshare = shutil.which("unshare")
    words = ["-n"] if os.geteuid() == 0 else ["-r", "-n"]
    command = [unshare or "unshare", *words, "sh", "-c", NARROWED, "sh"]
    tries = [*command, sys.executable, "-c", ""]  # which may lie where only root may look
    tried = unshare and subprocess.run(tries, capture_output=True, check=False)
    if not tried or tried.returncode:
        pytest.skip("no network namespace may be made here, so no path is narrow")
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", request.node.nodeid]
    done = subprocess.run(
        [*command, sys.executable, *words],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if " skipped" in done.stdout:
        pytest.skip(done.stdout.splitlines()[-2])


def test_pictures_cross_a_path_of_1420_bytes_by_both_transports(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Segments of TCP are short, and datagrams of a whole NAL unit come in pieces (Tapo)."""
    if loopback_mtu_bytes() != MTU_BYTES:
        again_on_a_narrow_loopback(request)
        return
    box = Box(tmp_path / "home", "320M")
    cameras = Cameras(1)
    with contextlib.ExitStack() as stack:
        stack.callback(cameras.stop)
        large = stack.enter_context(gst_camera("--udp-only", "--mtu", "9000"))
        box.add(cameras, "cam1")
        add(box, "large", large)
        with box.running():
            box.until_durable(4.0)
    for camera in ("cam1", "large"):
        chunks = recorded(box, camera)
        assert chunks
        assert not any(chunk.claim.flags & ChunkFlag.DAMAGED for chunk in chunks), camera
    box.discard()
