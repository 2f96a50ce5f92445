"""Pictures of the main pages, of a box that really records its simulated cameras.

    python tests/web/browser/screenshots.py docs/guide/images

Two widths, light; the camera's page in dark too. With ffmpeg each becomes a PNG of 256 colours.
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

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from box_rig import Cameras
from browser_person import Person, missing_for
from page_rig import NAME, PAGE_PASSWORD, PagedBox
from vonggac.registry.catalog import Catalog

WIDTHS = {"1366": (1366, 768), "360": (360, 760)}
LOST_S = 8.0
RECORDED_S = 30.0
"""So much before the gap and after it."""
NAMES = {"cam1": "cong-truong", "cam2": "hem-12", "cam3": "nga-tu", "cam4": "cho-moi"}


@contextmanager
def recorded(room: Path) -> Iterator[tuple[PagedBox, Cameras]]:
    """A box with four cameras, one of which was away for a while and one of which is now."""
    cameras = Cameras(4)
    box = PagedBox(room / "home")
    try:
        for name in cameras.names:
            streams = ("--url", cameras.url(name, "main"), "--sub-url", cameras.url(name, "sub"))
            login = ("--credentials-file", str(box.login))
            kind = "business" if name == "cam4" else "state"
            box.run("camera", "add", NAMES[name], *streams, *login, "--owner-kind", kind)
        with box.running("run"):
            box.until_durable(RECORDED_S)
            cameras.server.take_down("cam3")
            time.sleep(LOST_S)
            cameras.server.bring_back("cam3")
            box.until_durable(RECORDED_S)
            cameras.server.take_down("cam4")
            box.until(lambda now: any(c.state == "waiting" for c in now.cameras))
            yield box, cameras
    finally:
        cameras.stop()


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


def take(person: Person, out: Path, name: str, path: str | None = None) -> None:
    """One state of the page at both widths."""
    for width, (across, down) in WIDTHS.items():
        file = out / f"{name}-{width}.png"
        person.plays("shot", path=path, width=across, height=down, file=str(file))
        smaller(file)
        print(f"{file}: {file.stat().st_size // 1024} KiB", flush=True)


def camera_ids(box: PagedBox) -> dict[str, str]:
    """By code, in hex."""
    with Catalog(box.home, is_readonly=True) as catalog:
        return {camera.code: camera.id.hex() for camera in catalog.cameras()}


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
            pictures(person, out, camera_ids(box))
        finally:
            person.leave()
    return 0


def pictures(person: Person, out: Path, ids: dict[str, str]) -> None:
    """Of all that is behind the sign-in."""
    person.plays("list")
    take(person, out, "cameras")
    person.plays("live", camera=ids[NAMES["cam1"]], code="hình sự", text="", frames=50)
    take(person, out, "live")
    take(person, out, "status", "/status")


if __name__ == "__main__":
    sys.exit(main())
