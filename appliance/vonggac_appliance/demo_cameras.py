"""Simulated cameras on loopback, for the demo, tests and trying things out.

    python -m vonggac_appliance.demo_cameras --cameras 4 --user admin --password-file F

Prints a line a stream (`cam1 main rtsp://127.0.0.1:PORT/cam1/main`), then serves until it is told
to stop. The second of every four cameras sends H.265, the others H.264.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import ConfigError
from vonggac.rtsp.challenges import Challenge, Scheme
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_clip import ALLEY, STREET, load_scene
from vonggac_appliance.camera_server import CameraServer, LoginPolicy, SimulatedStream

_REALM = "Simulated camera"
LOGINS: dict[str, tuple[Challenge, ...]] = {
    "digest": (Challenge(Scheme.DIGEST_MD5, _REALM),),
    "digest-sha256": (
        Challenge(Scheme.DIGEST_SHA256, _REALM, algorithm="SHA-256", has_qop=True),
        Challenge(Scheme.DIGEST_MD5, _REALM, algorithm="MD5", has_qop=True),
    ),
    "basic": (Challenge(Scheme.BASIC, _REALM),),
}
"""What a simulated camera may ask for, the nonce aside."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A camera on a home Wi-Fi: away for `for_s` seconds after every `every_s`."""

    camera: str
    every_s: float
    for_s: float


def demo_streams(cameras: int) -> list[SimulatedStream]:
    """Main and sub of `cameras` cameras, named cam1 and so on; each is elsewhere in its clip."""
    scenes = {scene.main: load_scene(scene) for scene in (STREET, ALLEY)}
    streams: list[SimulatedStream] = []
    for index in range(cameras):
        main, sub = scenes[(ALLEY if index % 4 == 1 else STREET).main]
        step = index * 3 % 5  # in fifths of the clip: each holds one GOP of two seconds
        for name, clip in (("main", main), ("sub", sub)):
            first_unit = len(clip.units) * step // 5
            streams.append(SimulatedStream(f"/cam{index + 1}/{name}", clip, first_unit))
    return streams


def login_policy(kind: str, credentials: Credentials | None) -> LoginPolicy | None:
    """How to log in; None for everybody."""
    if kind == "none" or credentials is None:
        return None
    return LoginPolicy(credentials, LOGINS[kind])


def keep_outages(server: CameraServer, outages: Sequence[Outage], done: threading.Event) -> None:
    """Takes cameras away and brings them back until `done`; one thread an outage."""

    def repeat(outage: Outage) -> None:
        while not done.wait(outage.every_s):
            server.take_down(outage.camera)
            is_done = done.wait(outage.for_s)
            server.bring_back(outage.camera)
            if is_done:
                return

    for outage in outages:
        threading.Thread(target=repeat, args=(outage,), daemon=True).start()


def read_password(path: Path) -> str:
    """The first line of a file: a password in an argument is seen by every user of the machine."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the password file {path} cannot be read: {error}") from error
    if not lines:
        raise ConfigError(f"the password file {path} is empty")
    return lines[0]


def _outage(text: str) -> Outage:
    camera, every, length = text.split(":")
    return Outage(camera, float(every), float(length))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vonggac_appliance.demo_cameras",
        description="Serves simulated cameras on 127.0.0.1 until it is told to stop.",
        epilog="example: python -m vonggac_appliance.demo_cameras --cameras 4 --drop cam4:40:8",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--cameras", type=int, default=4, choices=range(1, 65), metavar="1..64")
    parser.add_argument("--user", help="without it everybody may look")
    parser.add_argument("--password-file", type=Path, help="its first line is the password")
    parser.add_argument("--login", choices=[*LOGINS, "none"], default="digest")
    parser.add_argument(
        "--drop",
        type=_outage,
        action="append",
        default=[],
        metavar="CAMERA:EVERY:FOR",
        help="a home Wi-Fi: away FOR seconds after every EVERY seconds",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Exit status 0 when told to stop, 78 if it cannot start."""
    options = _parser().parse_args(argv)
    try:
        credentials = None
        if options.user is not None:
            if options.password_file is None:
                raise ConfigError("--user needs --password-file")
            credentials = Credentials(options.user, read_password(options.password_file))
        policy = login_policy(options.login, credentials)
        streams = demo_streams(options.cameras)
        server = CameraServer(streams, port=options.port, login=policy)
    except (ConfigError, OSError) as error:
        print(f"demo cameras: {error}", file=sys.stderr)
        return 78
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: server.stop())
    for stream in streams:
        _, camera, kind = stream.path.split("/")
        print(camera, kind, f"rtsp://127.0.0.1:{server.port}{stream.path}", flush=True)
    done = threading.Event()
    keep_outages(server, options.drop, done)
    server.run()
    done.set()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
