"""A camera that is known by a name whose address changes under the recorder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from box_rig import PASSWORD, Box
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_server import CameraServer
from vonggac_appliance.demo_cameras import demo_streams, login_policy

pytestmark = pytest.mark.slow

NAME = "camera-1.ward.test"
BOUND = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


@contextlib.contextmanager
def camera_at(host: str, port: int = 0) -> Iterator[int]:
    """Main and sub at an address of this machine; gives the port."""
    policy = login_policy("digest", Credentials("admin", PASSWORD))
    server = CameraServer(demo_streams(1), host=host, port=port, login=policy)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.port
    finally:
        server.stop()
        thread.join()


def in_a_world_with(hosts: Path) -> list[str]:
    """Words before a command: it has this file of names. Skips where nobody may do that."""
    unshare = shutil.which("unshare")
    words = ["-m"] if os.geteuid() == 0 else ["-r", "-m"]
    command = [unshare or "unshare", *words, "sh", "-c", BOUND, "sh", str(hosts)]
    tries = [*command, sys.executable, "-c", ""]  # which may lie where only root may look
    if unshare is None or subprocess.run(tries, capture_output=True, check=False).returncode:
        pytest.skip("no mount namespace may be made here, so names cannot change")
    return command


def test_a_camera_whose_name_moves_to_another_address_is_recorded_there(
    box: Box, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.2 {NAME}\n")
    world = in_a_world_with(hosts)
    with camera_at("127.0.0.2") as port:
        address = f"rtsp://{NAME}:{port}/cam1"
        streams = ("--url", f"{address}/main", "--sub-url", f"{address}/sub")
        login = ("--credentials-file", str(box.login))
        box.run_here("camera", "add", "cam1", *streams, *login, "--owner-kind", "state")
        command = [*world, sys.executable, "-m", "vonggac_appliance", "--home", str(box.home)]
        with box.log.open("ab") as log:
            box.process = subprocess.Popen(
                [*command, "record"], stdin=subprocess.DEVNULL, stderr=log
            )
        box.until_answered()
        box.until_durable(1.0)
    box.until(lambda now: now.cameras[0].state == "waiting")
    runs = {stream.run for stream in box.status().cameras[0].streams}
    hosts.write_text(f"127.0.0.3 {NAME}\n")
    with camera_at("127.0.0.3", port):
        box.until(
            lambda now: all(
                stream.state == "recording" and stream.run not in runs
                for stream in now.cameras[0].streams
            )
        )
        assert box.stop() == 0, box.log.read_text()
