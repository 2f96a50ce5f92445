"""How soon a picture is on the screen of Chromium with the page's modules. Part of bench/web.py."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from camera_source import Source, make_clip
from footage import write_footage
from judge import ROUNDS, Table, best_of, calibrate, percentile
from page_box import HERE, NOWHERE, PageBox, free_port
from visitor import Visitor

from vonggac_appliance.camera_clip import STREET, load_scene

sys.path.insert(0, str(HERE.parent / "tests"))
from browser_person import Person  # the browser that the tests drive

STORIES = HERE / "page_stories"
DAY_S = 86_400
RATE = 2_000_000
"""Of what is played: key frames of 40 kB, fragments of 0.5 MB."""


@contextlib.contextmanager
def browsing(box: PageBox, visitor: Visitor) -> Iterator[Person]:
    """Chromium with the visitor's session."""
    person = Person("chromium", box.origin)
    try:
        person.plays(str(STORIES / "enter.mjs"), cookie=visitor.cookie)
        yield person
    finally:
        person.leave()


def live(table: Table, room: Path, seconds: int = 20) -> None:
    """From the recorder's receipt of a unit to its picture's time on the screen: 720p25."""
    with Source() as source, PageBox(room, "1G", free_port()) as box:
        box.add("cam1", source.url("cam1"))
        box.start()
        with box.page() as visitor:
            box.until_recording(4)
            camera = box.camera_id("cam1")

            def one() -> dict[str, Any]:
                with browsing(box, visitor) as person:
                    story = str(STORIES / "live_latency.mjs")
                    return person.plays(story, camera=camera, seconds=seconds).result

            told, load = best_of(one, lambda told: percentile(told["expected"], 0.95))
        box.stop()
        source.stop()
    p50, p95 = (percentile(told["expected"], share) for share in (0.5, 0.95))
    table.row("live: pictures matched with their units", f"{len(told['expected'])}")
    table.row("live: received → expected on screen, p50, ms", f"{p50:.0f}")
    table.row("live: the same, p95", f"{p95:.0f}", "≤ 150", p95 <= 150, load)


def playback(table: Table, room: Path) -> None:
    """Ten minutes of 720p25 at 2 Mbit/s, played by the page's own modules."""
    with PageBox(room, "1G", free_port()) as box:
        box.add("cam1", NOWHERE)
        from_ms = time.time_ns() // 1_000_000 - 700_000
        write_footage(box.home, "cam1", "main", make_clip(RATE), from_ms * 1_000_000, 600)
        box.start()
        with box.page() as visitor, browsing(box, visitor) as person:

            def one() -> dict[str, Any]:
                return played(box, person, from_ms, 600_000, opens=8, seeks=60, scrubs=60)

            rounds = [(one(), calibrate().stretch) for _ in range(ROUNDS)]
        box.stop()
    load = min(stretch for _, stretch in rounds)
    first = min(percentile(told["first"], 0.5) for told, _ in rounds)
    seek = min(percentile(told["seeks"], 0.95) for told, _ in rounds)
    scrub = min(percentile(told["scrubs"], 0.95) for told, _ in rounds)
    elsewhere = sum(int(told["elsewhere"]) for told, _ in rounds)
    middle = min(percentile(told["scrubs"], 0.5) for told, _ in rounds)
    lost = sum(int(told["lost"]) for told, _ in rounds)
    table.row(
        "playback: first picture, median of 8, ms", f"{first:.0f}", "≤ 250", first <= 250, load
    )
    table.row("playback: seek, p95 of 60, ms", f"{seek:.0f}", "≤ 110", seek <= 110, load)
    table.row(
        "playback: scrub by key frames, p95 of 60, ms", f"{scrub:.0f}", "≤ 40", scrub <= 40, load
    )
    table.row("playback: scrub, median, ms", f"{middle:.0f}")
    table.row("playback: seeks without a picture of that moment in 2 s, of 300", f"{elsewhere}")
    table.row("playback: key frames asked for and not presented", f"{lost}")


def day(table: Table, room: Path) -> None:
    """A look of 24 hours, 43,200 fragments: from the question to lists that are parsed."""
    with PageBox(room, "2G", free_port()) as box:
        box.add("cam1", NOWHERE, NOWHERE)
        from_ms = time.time_ns() // 1_000_000 - (DAY_S + 60) * 1000
        clip = load_scene(STREET)[1]
        count = write_footage(box.home, "cam1", "sub", clip, from_ms * 1_000_000, DAY_S)
        box.start()
        with box.page() as visitor, browsing(box, visitor) as person:

            def one() -> dict[str, Any]:
                return played(box, person, from_ms, DAY_S * 1000, opens=3, stream="sub")

            told, load = best_of(one, lambda told: min(told["opened"]))
        box.stop()
    opened, first = min(told["opened"]), min(told["first"])
    table.row(
        f"a day of {count:,} fragments: opens, ms", f"{opened:.0f}", "≤ 300", opened <= 300, load
    )
    table.row("a day: first picture, ms", f"{first:.0f}")


def played(
    box: PageBox,
    person: Person,
    from_ms: int,
    length_ms: int,
    *,
    opens: int,
    seeks: int = 0,
    scrubs: int = 0,
    stream: str = "main",
) -> dict[str, Any]:
    """playback.mjs on a new look."""
    assert box.visitor is not None
    look = box.visitor.look(box.camera_id("cam1"), "stored", from_ms, from_ms + length_ms)
    return person.plays(
        str(STORIES / "playback.mjs"),
        base=f"/api/v1/looks/{look}/{stream}",
        **{"from": from_ms, "to": from_ms + length_ms},
        opens=opens,
        seeks=seeks,
        scrubs=scrubs,
    ).result
