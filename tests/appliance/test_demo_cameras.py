"""Simulated cameras over real sockets: logins, continuous time, several viewers, outages."""

from __future__ import annotations

import itertools
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rtsp_viewer import Viewer
from vonggac.errors import ConfigError
from vonggac.media.chunk import Codec, GapReason
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.events import Failure, KeepaliveAnswered, PlayReady, TornDown
from vonggac.rtsp.messages import Packet
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_clip import ALLEY, STREET, Clip, load_scene
from vonggac_appliance.camera_server import CameraServer, LoginPolicy, SimulatedStream
from vonggac_appliance.demo_cameras import LOGINS, demo_streams, main, read_password

ADMIN = Credentials("admin", "p@ss:w0rd")


@contextmanager
def serving(
    streams: list[SimulatedStream],
    login: LoginPolicy | None = None,
    backlog_max_bytes: int = 4 << 20,
) -> Iterator[CameraServer]:
    server = CameraServer(streams, login=login, backlog_max_bytes=backlog_max_bytes)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(60)
        assert not thread.is_alive()


def fast(scene_clip: Clip) -> Clip:
    """The same pictures at 250 a second, for tests that read the clip to its end."""
    return Clip(
        scene_clip.codec,
        scene_clip.units,
        360,
        scene_clip.vps,
        scene_clip.sps,
        scene_clip.pps,
    )


def read_to_the_end(sock: socket.socket) -> None:
    while sock.recv(65536):
        pass


def address(server: CameraServer, path: str) -> str:
    return f"rtsp://127.0.0.1:{server.port}{path}"


@pytest.mark.parametrize("kind", [*LOGINS, "none"])
def test_a_viewer_with_the_password_gets_video(kind: str) -> None:
    policy = LoginPolicy(ADMIN, LOGINS[kind]) if kind != "none" else None
    with serving(demo_streams(1), policy) as server:
        viewer = Viewer(address(server, "/cam1/main"), ADMIN)
        assert isinstance(viewer.result, PlayReady)
        expected = max((one.scheme for one in LOGINS.get(kind, ())), default=None)
        assert viewer.result.scheme == expected
        assert len(viewer.rtp()) > 12
        viewer.close()


def test_a_wrong_password_gets_nothing() -> None:
    with serving(demo_streams(1), LoginPolicy(ADMIN, LOGINS["digest"])) as server:
        viewer = Viewer(address(server, "/cam1/main"), Credentials("admin", "x"))
        assert isinstance(viewer.result, Failure)
        assert viewer.result.reason is GapReason.WRONG_PASSWORD
        viewer.sock.close()


def test_an_unknown_path_is_refused() -> None:
    with serving(demo_streams(1)) as server:
        viewer = Viewer(address(server, "/cam9/main"))
        assert isinstance(viewer.result, Failure)
        assert viewer.result.status == 404
        viewer.sock.close()


@pytest.mark.parametrize("scene", [STREET, ALLEY], ids=["h264", "h265"])
def test_the_clip_repeats_unchanged_with_continuous_time(scene: object) -> None:
    clip = fast(load_scene(STREET if scene is STREET else ALLEY)[1])
    with serving([SimulatedStream("/cam1/sub", clip)]) as server:
        viewer = Viewer(address(server, "/cam1/sub"))
        units = viewer.access_units(len(clip.units) + 20)
        viewer.close()
    steps = {(b - a) % 2**32 for (a, _), (b, _) in itertools.pairwise(units)}
    assert steps == {360}
    wanted = [list(unit) for unit in clip.units]
    at = wanted.index(units[0][1])
    assert [unit for _, unit in units] == [
        wanted[(at + n) % len(wanted)] for n in range(len(units))
    ]


def test_the_demo_has_both_codecs_and_both_streams_in_the_sizes_told() -> None:
    streams = {stream.path: stream.clip for stream in demo_streams(4)}
    assert len(streams) == 8
    assert streams["/cam1/main"].codec is Codec.H264
    assert streams["/cam2/main"].codec is Codec.H265
    assert {clip.frame_ticks for clip in streams.values()} == {3600, 7200}
    assert all(clip.sps and clip.pps for clip in streams.values())
    assert len(streams["/cam1/main"].units) == 250


def test_viewers_of_one_stream_see_the_same_packets() -> None:
    with serving(demo_streams(1)) as server:
        first, second = (Viewer(address(server, "/cam1/main")) for _ in range(2))
        seen = {first.rtp() for _ in range(60)}
        assert any(second.rtp() in seen for _ in range(20))
        first.close()
        second.close()


def test_a_sender_report_tells_the_cameras_clock() -> None:
    with serving(demo_streams(1)) as server:
        viewer = Viewer(address(server, "/cam1/main"))
        while not (isinstance(item := viewer.item(), Packet) and item.channel == 1):
            assert item is not None
        assert (item.payload[0], item.payload[1], len(item.payload) % 4) == (0x80, 200, 0)
        viewer.close()


def test_keepalive_and_teardown_are_answered_between_packets() -> None:
    with serving(demo_streams(1), LoginPolicy(ADMIN, LOGINS["digest"])) as server:
        viewer = Viewer(address(server, "/cam1/main"), ADMIN)
        told: list[object] = []
        for request in (viewer.session.keepalive(), viewer.session.teardown() or b""):
            viewer.sock.sendall(request)
            while isinstance(answer := viewer.item(), Packet):
                pass
            assert answer is not None
            viewer.session.receive_message(answer.encode())
            told.append(viewer.session.next_event())
        assert told == [KeepaliveAnswered(200), TornDown()]
        viewer.sock.close()


def test_a_camera_that_is_away_is_silent_and_resets_when_it_is_back() -> None:
    with serving(demo_streams(2)) as server:
        gone, other = (Viewer(address(server, f"/cam{n}/main")) for n in (1, 2))
        gone.rtp()
        server.take_down("cam1")
        other.access_units(3)  # others go on
        knocking = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        knocking.sendall(b"DESCRIBE rtsp://127.0.0.1/cam1/main RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        other.access_units(3)
        assert not select.select([knocking], [], [], 0)[0]
        server.bring_back("cam1")
        for sock in (gone.sock, knocking):
            with pytest.raises(ConnectionResetError):
                read_to_the_end(sock)
            sock.close()
        again = Viewer(address(server, "/cam1/main"))
        assert isinstance(again.result, PlayReady)
        again.close()
        other.close()


def test_a_viewer_that_does_not_read_is_closed_and_the_others_are_not() -> None:
    main_clip, _ = load_scene(STREET)
    unit = (b"\x65" + b"\x88" * 200_000,)
    big = Clip(Codec.H264, (unit,), 3600, (), main_clip.sps, main_clip.pps)
    with serving([SimulatedStream("/cam1/main", big)], backlog_max_bytes=1 << 20) as server:
        lazy, eager = (Viewer(address(server, "/cam1/main")) for _ in range(2))
        eager.access_units(80)  # 16 MB: more than all buffers of a connection hold
        with pytest.raises(ConnectionResetError):
            read_to_the_end(lazy.sock)
        lazy.sock.close()
        eager.close()


def test_rubbish_closes_its_own_connection_only() -> None:
    with serving(demo_streams(1)) as server:
        viewer = Viewer(address(server, "/cam1/main"))
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as sock:
            sock.sendall(b"\x00\xff\x00 not RTSP")
            with pytest.raises(ConnectionResetError):
                sock.recv(10)
        viewer.access_units(2)
        viewer.close()


def test_fifty_viewers_leave_no_descriptor_behind() -> None:
    with serving(demo_streams(1)) as server:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(50):
            viewer = Viewer(address(server, "/cam1/sub"))
            viewer.close()
        last = Viewer(address(server, "/cam1/sub"))
        last.access_units(1)
        assert len(os.listdir("/proc/self/fd")) <= before + 2 + 2  # the last one's two, one closing
        last.close()


def test_the_command_prints_addresses_and_ends_when_told(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("p@ss:w0rd\n")
    command = [sys.executable, "-m", "vonggac_appliance.demo_cameras", "--cameras", "2"]
    command += ["--user", "admin", "--password-file", str(password), "--drop", "cam2:60:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(4)]
        assert [line[:2] for line in lines] == [
            ["cam1", "main"],
            ["cam1", "sub"],
            ["cam2", "main"],
            ["cam2", "sub"],
        ]
        assert "w0rd" not in Path(f"/proc/{process.pid}/cmdline").read_text()
        viewer = Viewer(lines[2][2], ADMIN)
        assert isinstance(viewer.result, PlayReady)
        assert viewer.result.scheme is Scheme.DIGEST_MD5
        assert viewer.result.codec is Codec.H265
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        viewer.sock.close()


def test_a_user_without_a_password_file_is_a_wrong_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--user", "admin"]) == 78
    assert main(["--user", "admin", "--password-file", str(tmp_path / "none")]) == 78
    assert "password" in capsys.readouterr().err
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(ConfigError, match="empty"):
        read_password(empty)
