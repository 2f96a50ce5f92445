"""Pictures of the main pages, of a box that really records its simulated cameras. What lies behind
it of the day was written by the ring's own code, for a clock that was told otherwise.

    python tests/web/browser/screenshots.py docs/guide/images

Two widths, one of them also dark. With ffmpeg each becomes a PNG of 256 colours.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests"))

from footage import write_footage

from box_rig import Cameras
from browser_person import Person, missing_for
from page_rig import NAME, PAGE_PASSWORD, PagedBox
from vonggac.registry.catalog import Catalog
from vonggac_appliance import bus_control, control
from vonggac_appliance.camera_clip import STREET, load_scene

WIDTHS = {"1366": (1366, 768), "360": (360, 760)}
RECORDED_S = 15.0
HOUR_S = 3600
DAY_H = {
    "cam1": [(23.9, 23.8)],
    "cam3": [(23.9, 9.2), (14.3, 6.1), (7.6, 7.5)],
    "cam4": [(12, 11.9)],
}
"""What was recorded before: so many hours ago, and for so many."""
NAMES = {"cam1": "cong-truong", "cam2": "hem-12", "cam3": "nga-tu", "cam4": "cho-moi"}


@contextmanager
def recorded(room: Path) -> Iterator[tuple[PagedBox, Cameras]]:
    """A box with four cameras, one of which was away for a while and one of which is now."""
    cameras = Cameras(4)
    box = PagedBox(room / "home", "5G")
    try:
        for name in cameras.names:
            streams = ("--url", cameras.url(name, "main"), "--sub-url", cameras.url(name, "sub"))
            login = ("--credentials-file", str(box.login))
            kind = "business" if name == "cam4" else "state"
            box.run("camera", "add", NAMES[name], *streams, *login, "--owner-kind", kind)
        write_day(box)
        with box.running("run"):
            box.until_durable(RECORDED_S)
            cameras.server.take_down("cam4")
            box.until(lambda now: any(c.state == "waiting" for c in now.cameras))
            yield box, cameras
    finally:
        cameras.stop()


def write_day(box: PagedBox) -> None:
    """A stream as small as the second one, so that a day of it has room."""
    clip, now_ns = load_scene(STREET)[1], time.time_ns()
    for name, pieces in DAY_H.items():
        for ago, hours in pieces:
            from_ns = now_ns - int(ago * HOUR_S * 1e9)
            write_footage(box.home, NAMES[name], "main", clip, from_ns, hours * HOUR_S)


def smaller(path: Path) -> None:
    """256 colours are enough for a page; nothing changes where ffmpeg is absent."""
    if shutil.which("ffmpeg") is None:
        return
    small = path.with_suffix(".small.png")
    palette = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=dither=none"
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(path), "-vf", palette, str(small)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    if small.stat().st_size < path.stat().st_size:
        small.replace(path)
    else:
        small.unlink()


def take(
    person: Person, out: Path, name: str, path: str | None = None, words: str | None = None
) -> None:
    """One state of the page at both widths."""
    for width, (across, down) in WIDTHS.items():
        file = out / f"{name}-{width}.png"
        shot(person, file, (across, down), path, words)


def shot(
    person: Person, file: Path, size: tuple[int, int], path: str | None, words: str | None
) -> None:
    person.plays("shot", path=path, width=size[0], height=size[1], file=str(file), words=words)
    smaller(file)
    print(f"{file}: {file.stat().st_size // 1024} KiB", flush=True)


def camera_ids(box: PagedBox) -> dict[str, str]:
    """By code, in hex."""
    with Catalog(box.home, is_readonly=True) as catalog:
        return {camera.code: camera.id.hex() for camera in catalog.cameras()}


def warn(home: Path) -> None:
    """An alarm that somebody has dealt with, and one that nobody has."""
    for camera in (NAMES["cam1"], NAMES["cam3"]):
        what = f"a lock of {camera} would hold 24 % of /srv/vonggac/a, 20 % are allowed"
        control.ask(home, bus_control.LockRefused(camera, what))
    told = control.ask(home, bus_control.AskAlarms())
    assert isinstance(told, bus_control.AlarmsReply)
    refused = [row.number for row in told.alarms if row.kind == "lock-refused"]
    control.ask(
        home, bus_control.AcknowledgeAlarm(min(refused), NAME, "đã gỡ khóa số 3, vụ án đã xong")
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out.resolve()
    if missing := missing_for("chromium"):
        print(f"pictures need {', '.join(missing)}", file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as room, recorded(Path(room)) as (box, _):
        person = Person("chromium", box.origin)
        try:
            take(person, out, "setup", "/setup")
            code = box.setup_code()
            person.plays("first_sign_in", code=code, name=NAME, password=PAGE_PASSWORD)
            warn(box.home)
            pictures(person, out, camera_ids(box))
        finally:
            person.leave()
        dark = Person("chromium", box.origin, dark=True)
        try:
            dark.plays("sign_in", name=NAME, password=PAGE_PASSWORD)
            shot(dark, out / "cameras-dark.png", WIDTHS["1366"], "/cameras", "hình/giây")
        finally:
            dark.leave()
    return 0


def pictures(person: Person, out: Path, ids: dict[str, str]) -> None:
    """Of all that is behind the sign-in."""
    take(person, out, "cameras", "/cameras", "hình/giây")
    person.plays("live", camera=ids[NAMES["cam1"]], code="hình sự", text="vụ 12/2026", frames=50)
    take(person, out, "live")
    at_ms = (time.time_ns() // 10**6) - 2 * HOUR_S * 1000
    person.plays("replay", camera=ids[NAMES["cam3"]], at=at_ms, code="cứu nạn", text="tìm cháu bé")
    take(person, out, "replay")
    take(person, out, "alarms", "/alarms")
    take(person, out, "status", "/status")


if __name__ == "__main__":
    sys.exit(main())
