"""Where footage has seams, both browsers go over them without losing a picture."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from browser_person import Person, missing_for
from footage_maker import Run, make_disk, make_home, write
from look_rig import Page, keepers, page, served
from segment_maker import Stream, encode
from vonggac.media.chunk import Codec
from web.test_media import FILLER, SECOND_NS, START_NS

pytestmark = pytest.mark.slow


@pytest.fixture(params=["chromium", "firefox"])
def scene(request: pytest.FixtureRequest, home: Path) -> Iterator[Any]:
    """Writes footage and gives the page over it and a browser before it."""
    name: str = request.param
    missing = missing_for(name)
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    with ExitStack() as stack:

        def show(*runs: Any) -> tuple[Page, Person]:
            make_home(home)
            disk = make_disk(home)
            write(disk, *runs)
            stack.enter_context(keepers(home, disk))
            made = stack.enter_context(page(home))
            person = Person(name, stack.enter_context(served(made)))
            stack.callback(person.leave)
            return made, person

        yield show


def plays(made: Page, person: Person, seconds: int, **what: list[float]) -> dict[str, Any]:
    look = made.ask(START_NS, START_NS + seconds * SECOND_NS)
    made.looks.hold(look["look"], person)
    told = person.plays(
        "seams",
        cookie={"name": "vonggac", "value": made.token},
        base=f"/api/v1/looks/{look['look']}/main",
        **{"from": look["from"], "to": look["to"]},
        **({"watch": [], "seek": []} | what),
    )
    assert not told.result["failed"] and not told.complaints
    return told.result


def test_the_end_of_a_segment_and_a_gap_are_played_over(clip: Stream, scene: Any) -> None:
    """At 25 s a fragment goes on in another segment, at 26 s are other times, at 60 s is a gap."""
    first = Run(clip, START_NS, run=1, filler_bytes=FILLER).chunks(60)
    second = Run(clip, START_NS + 90 * SECOND_NS, run=2, filler_bytes=FILLER).chunks(20)
    told = plays(*scene(first, second), 120, watch=[25.0, 26.0, 60.0])
    for seen in told["times"]:
        # The first ones may still be of the seek itself.
        steps = [b - a for a, b in itertools.pairwise(seen[5:])]
        assert steps and all(0 <= step <= 0.5 for step in steps), seen


def test_a_place_in_a_gop_of_a_minute_is_found(
    scene: Any, tmp_path: Path, program: Callable[[str], str]
) -> None:
    """Its key frame lies up to a minute back, and in another segment."""
    slow = encode(program("ffmpeg"), Codec.H264, tmp_path, 120, 0, gop_s=60)
    run = Run(slow, START_NS, filler_bytes=6_000).chunks(120)
    told = plays(*scene(run), 130, seek=[55.0, 33.0, 95.0])
    assert told["places"] == pytest.approx([55.0, 33.0, 95.0], abs=0.15)
