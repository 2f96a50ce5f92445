"""Footage over HTTP: what ffmpeg plays of it, and what is given to nobody."""

from __future__ import annotations

import gzip
import itertools
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from footage_maker import Run, make_disk, make_home, write
from look_rig import Page, asked, keepers, page, served
from segment_maker import Stream
from vonggac.registry.people import Role

SECOND_NS = 1_000_000_000
START_NS = 1_790_000_000 * SECOND_NS
FILLER = 23_000
"""With it a segment holds 25.8 s: its last fragment of two seconds goes on in the next one."""


@pytest.fixture(scope="module")
def box(clip: Stream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """60 s, a gap of 30 s, 40 s; over several segments."""
    home = tmp_path_factory.mktemp("box")
    make_home(home)
    disk = make_disk(home)
    first = Run(clip, START_NS, run=1, filler_bytes=FILLER).chunks(60)
    second = Run(clip, START_NS + 90 * SECOND_NS, run=2, filler_bytes=FILLER).chunks(40)
    write(disk, first, second)
    with keepers(home, disk), page(home) as made:
        yield made


@pytest.fixture(scope="module")
def look(box: Page) -> dict[str, Any]:
    """At all of it."""
    return box.ask(START_NS, START_NS + 130 * SECOND_NS)


def get(box: Page, look: dict[str, Any], name: str, span: tuple[int, int] | None = None) -> Any:
    """A part of the main stream; `span`: first and last byte."""
    headers = {} if span is None else {"Range": f"bytes={span[0]}-{span[1]}"}
    answer = box.client.get(f"/api/v1/looks/{look['look']}/main/{name}", headers=headers)
    answer.get_data()  # to its end, as a browser does
    answer.close()
    return answer


Entry = tuple[float, tuple[int, int] | None, str]


def entries(text: str) -> list[Entry]:
    """Seconds, first and last byte, and address of everything listed. A fragment that lies in two
    segments has an address of its own and no range.
    """
    pattern = r"#EXTINF:([\d.]+),\n(?:#EXT-X-BYTERANGE:(\d+)@(\d+)\n)?(\S+)"
    found: list[Entry] = []
    for seconds, size, at, uri in re.findall(pattern, text):
        span = (int(at), int(at) + int(size) - 1) if size else None
        found.append((float(seconds), span, uri))
    return found


def fetched(box: Page, look: dict[str, Any], text: str) -> list[bytes]:
    """Each timeline of a list as a file: the initialisation and all ranges, one after another."""
    files: list[bytes] = []
    pattern = r'#EXT-X-MAP:URI="([^"]+)"|(?:#EXT-X-BYTERANGE:(\d+)@(\d+)\n)?^([SJ]-\S+)'
    for init, size, at, name in re.findall(pattern, text, re.MULTILINE):
        if init:
            files.append(get(box, look, init).data)
            continue
        span = (int(at), int(at) + int(size) - 1) if size else None
        answer = get(box, look, name, span)
        assert answer.status_code == (206 if span else 200), answer.data
        assert len(answer.data) == int(size or answer.headers["Content-Length"])
        files[-1] += answer.data
    return files


def frames_of(ffprobe: str, path: Path, data: bytes) -> int:
    """How many pictures a file has, all of which must decode."""
    path.write_bytes(data)
    command = [ffprobe, "-v", "warning", "-count_frames", "-show_entries", "stream=nb_read_frames"]
    done = subprocess.run(
        [*command, "-of", "csv=p=0", path], capture_output=True, text=True, timeout=60, check=True
    )
    assert not done.stderr, done.stderr
    return int(done.stdout.strip().strip(","))


def probe(url: str, token: str, *arguments: str) -> list[str]:
    command = ["ffprobe", "-v", "error", "-headers", f"Cookie: vonggac={token}\r\n"]
    done = subprocess.run(
        [*command, *arguments, "-of", "csv=p=0", url],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.stdout.split()


def test_ffmpeg_plays_the_list_of_lists_without_losing_a_picture(
    box: Page, look: dict[str, Any]
) -> None:
    with served(box) as address:
        url = f"{address}/api/v1/looks/{look['look']}/main/index.m3u8"
        packets = probe(url, box.token, "-select_streams", "v:0", "-show_entries", "packet=size")
    assert len(packets) == 100 * 25


def test_every_timeline_decodes_to_the_last_picture(
    box: Page, look: dict[str, Any], tmp_path: Path, program: Callable[[str], str]
) -> None:
    text = get(box, look, "media.m3u8").text
    files = fetched(box, look, text)
    counts = [frames_of(program("ffprobe"), tmp_path / "a.mp4", data) for data in files]
    assert counts == [26 * 25, 24 * 25, 10 * 25, 16 * 25, 24 * 25]
    assert text.count("#EXT-X-DISCONTINUITY") == len(files) - 1
    assert text.count("\nJ-") == 2


def test_decode_times_go_on_over_the_end_of_a_segment(
    box: Page, look: dict[str, Any], tmp_path: Path
) -> None:
    """The second half of the fragment lies in another segment, whose times begin at 0."""
    path = tmp_path / "first.mp4"
    path.write_bytes(fetched(box, look, get(box, look, "media.m3u8").text)[0])
    times = [
        float(t.split(",")[0]) for t in probe(str(path), "", "-show_entries", "packet=dts_time")
    ]
    steps = [round(b - a, 3) for a, b in itertools.pairwise(times)]
    assert len(times) == 26 * 25 and set(steps) == {0.04}


def test_each_key_frame_decodes_by_itself(
    box: Page, look: dict[str, Any], tmp_path: Path, program: Callable[[str], str]
) -> None:
    text = get(box, look, "iframes.m3u8").text
    listed = entries(text)
    assert len(listed) == 50 and sum(seconds for seconds, _, _ in listed) == 100.0
    init = get(box, look, re.findall(r'URI="([^"]+)"', text)[0]).data
    for _, span, name in listed[:3]:
        picture = init + get(box, look, name, span).data
        (tmp_path / "i.mp4").write_bytes(picture)
        # It says that `mdat` ends early, and shows the picture.
        done = subprocess.run(
            [program("ffmpeg"), "-v", "error", "-i", tmp_path / "i.mp4", "-frames:v", "1",
             "-f", "framemd5", "-"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1].startswith("0,")


def test_a_still_is_the_key_frame_before_the_moment(
    box: Page, look: dict[str, Any], tmp_path: Path, program: Callable[[str], str]
) -> None:
    at_ms = START_NS // 1_000_000 + 7_300
    answer = get(box, look, f"still.mp4?at={at_ms}")
    assert answer.mimetype == "video/mp4"
    assert frames_of(program("ffprobe"), tmp_path / "s.mp4", answer.data) == 1
    listed = entries(get(box, look, "iframes.m3u8").text)[3]
    assert get(box, look, listed[2], listed[1]).data.endswith(answer.data[-1000:])


def test_the_map_tells_where_the_gap_is(box: Page, look: dict[str, Any]) -> None:
    told = get(box, look, "map.json").json
    pieces = [(p["wall"] - START_NS / 1e6, p["wall_length"], p["media"], p["media_length"])
              for p in told["pieces"]]  # fmt: skip
    assert sum(length for _, length, _, _ in pieces) == 100_000
    assert next(p for p in pieces if p[0] == 90_000)[2] == 60.0
    assert told["ended"] and not told["damaged"] and not told["undecodable"]
    assert told["missing_disks"] == 0


def test_a_window_is_a_part_of_the_look(box: Page, look: dict[str, Any]) -> None:
    from_ms = START_NS // 1_000_000 + 20_500
    window = f"?from={from_ms}&to={from_ms + 6_000}"
    assert f"media.m3u8{window}" in get(box, look, f"index.m3u8{window}").text
    text = get(box, look, f"media.m3u8{window}").text
    seconds = [s for s, _, _ in entries(text)]
    assert 6.5 <= sum(seconds) <= 8
    assert f"DATE-TIME:{iso(START_NS + 20 * SECOND_NS)}" in text
    assert "ENDLIST" in text and "VOD" in text


def iso(ns: int) -> str:
    zone = timezone(timedelta(hours=7))
    return datetime.fromtimestamp(ns / 1e9, zone).isoformat(timespec="milliseconds")


def test_playlists_are_compressed_for_whoever_asks(box: Page, look: dict[str, Any]) -> None:
    path = f"/api/v1/looks/{look['look']}/main/media.m3u8"
    plain = box.client.get(path)
    packed = box.client.get(path, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Content-Encoding"] == "gzip"
    assert {"Content-Encoding"}.isdisjoint(plain.headers.keys())


def test_nothing_of_it_is_kept_by_a_browser(box: Page, look: dict[str, Any]) -> None:
    _, span, name = entries(get(box, look, "media.m3u8").text)[0]
    answers = [get(box, look, name, span), get(box, look, "media.m3u8"), get(box, look, "map.json")]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


# --- what is given to nobody


def test_a_range_is_one_range_that_is_there(box: Page, look: dict[str, Any]) -> None:
    _, (first, last), name = entries(get(box, look, "media.m3u8").text)[0]
    url = f"/api/v1/looks/{look['look']}/main/{name}"
    for asked_for in (
        f"bytes={last}-{first}", "bytes=-500", "bytes=-5--1", f"bytes={first}-", "bytes=0-0,5-6",
        f"bytes={first}-99999999999999999999", f"bytes={first}-9999999999", "chars=0-5",
        "bytes=a-b", f"bytes=0x0-{last}",
    ):  # fmt: skip
        answer = box.client.get(url, headers={"Range": asked_for})
        assert answer.status_code == 416, asked_for
        assert answer.json["error"]["code"] == "malformed"
    assert box.client.get(url).status_code == 400


def test_bytes_that_are_no_fragment_are_refused(box: Page, look: dict[str, Any]) -> None:
    _, (first, last), name = entries(get(box, look, "media.m3u8").text)[1]
    for span in (
        (first + 1, last), (first, last - 1), (first, last + 1), (0, last), (0, 4095),
        (first + 4096, last), (first, (16 << 20) - 1), ((16 << 20) - 4096, (16 << 20) - 1),
    ):  # fmt: skip
        assert get(box, look, name, span).status_code == 403, span


def test_footage_outside_of_the_look_is_refused(
    box: Page, look: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "vonggac.serve")
    listed = entries(get(box, look, "media.m3u8").text)
    small = box.ask(START_NS + 4 * SECOND_NS, START_NS + 8 * SECOND_NS)
    allowed = [get(box, small, name, span).status_code < 300 for _, span, name in listed]
    assert allowed == [False, False, True, True] + [False] * (len(listed) - 4)
    far = [name for _, span, name in listed if ".3." in name and span][-1]
    assert get(box, small, far.replace("S-", "I-")).status_code == 403
    for name in ("media.m3u8", "iframes.m3u8", "map.json", "index.m3u8"):
        ms = START_NS // 1_000_000
        outside = get(box, small, f"{name}?from={ms}&to={ms + 8000}")
        assert outside.status_code == (200 if name == "index.m3u8" else 403), name
    caplog.clear()
    assert get(box, small, f"still.mp4?at={ms + 9000}").status_code == 403
    (line,) = [record.message for record in caplog.records]
    assert "still.mp4': 403 refused (session " in line and "session none" not in line


@pytest.mark.parametrize(
    "query",
    ["from=abc&to=5", "from=5&to=5", "from=9&to=1", "from=-5&to=7", "from=1e9&to=2e9",
     f"from=0&to={10**15}", "from=&to="],
)  # fmt: skip
def test_times_that_do_not_exist_are_none(box: Page, look: dict[str, Any], query: str) -> None:
    answer = get(box, look, f"media.m3u8?{query}")
    assert answer.status_code in (403, 422), answer.data
    assert get(box, look, "still.mp4").status_code == 422


def test_paths_that_are_guessed_are_not_there(box: Page, look: dict[str, Any]) -> None:
    _, span, name = entries(get(box, look, "media.m3u8").text)[0]
    disk = name[2:10]
    for guessed in (
        name.replace(disk, "00000000"), name.replace(disk, disk.upper()), "S-.mp4", "moov", "..",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd", f"S-{disk}.0.mp4", f"S-{disk}.99999999999.1.mp4",
        f"S-{disk}.4294967296.1.mp4", f"S-{disk}.0.{1 << 64}.mp4", f"X-{disk}.0.1.mp4",
        f"J-{disk}.0.1.0.5.mp4", f"J-{disk}.0.1.0.5-{disk}.0.1.mp4", "S-" + disk + ".٣.1.mp4",
    ):  # fmt: skip
        if guessed != name:
            assert get(box, look, guessed, span).status_code == 404, guessed
    client = box.client
    for path in (
        f"/api/v1/looks/{'0' * 32}/main/media.m3u8",
        f"/api/v1/looks/{look['look']}/third/media.m3u8",
        f"/api/v1/looks/{look['look'].upper()}X/main/media.m3u8",
    ):
        assert client.get(path).status_code == 404, path


def test_a_segment_that_does_not_exist_is_no_footage(box: Page, look: dict[str, Any]) -> None:
    _, span, name = entries(get(box, look, "media.m3u8").text)[0]
    disk, _, epoch = name[2:].removesuffix(".mp4").split(".")
    assert get(box, look, f"S-{disk}.4000000000.{epoch}.mp4", span).status_code == 403
    assert get(box, look, f"S-{disk}.9.{epoch}.mp4", span).status_code == 410


def test_another_life_of_a_segment_is_gone_never_other_pictures(
    box: Page, look: dict[str, Any]
) -> None:
    _, span, name = entries(get(box, look, "media.m3u8").text)[0]
    disk, segment, epoch = name[2:].removesuffix(".mp4").split(".")
    for other in (int(epoch) - 1, int(epoch) + 1, 0, (1 << 64) - 1):
        for kind in "SI":
            answer = get(box, look, f"{kind}-{disk}.{segment}.{other}.mp4", span)
            assert answer.status_code == 410, other
            assert answer.json["error"]["code"] == "gone"


def test_a_fragment_in_two_segments_is_that_and_nothing_else(
    box: Page, look: dict[str, Any]
) -> None:
    listed = entries(get(box, look, "media.m3u8").text)
    name = next(name for _, span, name in listed if span is None)
    assert get(box, look, name).status_code == 200
    first, second = name[2:].removesuffix(".mp4").split("-")
    disk, segment, epoch, offset, size = first.split(".")
    for parts in (
        [second, first],
        [first, first],
        [f"{disk}.{segment}.{epoch}.{offset}.{int(size) + 4096}", second],
        [f"{disk}.{segment}.{epoch}.{int(offset) + 335}.{int(size) - 335}", second],
        [f"{disk}.{segment}.{epoch}.0.4096", second],
        [first, second, second],
    ):
        assert get(box, look, f"J-{'-'.join(parts)}.mp4").status_code == 403, parts
    other = f"{disk}.{segment}.{int(epoch) + 1}.{offset}.{size}"
    assert get(box, look, f"J-{other}-{second}.mp4").status_code == 410
    none = f"00000000.{segment}.{epoch}.{offset}.{size}"
    assert get(box, look, f"J-{first}-{none}.mp4").status_code == 404
    nine = "-".join([first, *[second] * 8])
    assert get(box, look, f"J-{nine}.mp4").status_code == 404


def test_segments_that_were_written_alike_have_one_head(box: Page, look: dict[str, Any]) -> None:
    for name in ("media.m3u8", "iframes.m3u8"):
        text = get(box, look, name).text
        heads = re.findall(r'MAP:URI="([^"]+)"', text)
        segments = {uri for _, span, uri in entries(text) if span}
        assert len(segments) > 1 and len(heads) > 1 and len(set(heads)) == 1
        assert re.fullmatch(r"H-[0-9a-f]{32}\.mp4", heads[0])
        by_name = get(box, look, heads[0])
        by_segment = get(box, look, min(segments).replace("S-", "I-"))
        assert (by_name.status_code, by_segment.status_code) == (200, 200)
        assert by_name.data == by_segment.data
    assert get(box, look, f"H-{'0' * 32}.mp4").status_code == 404
    other = box.client.get(f"/api/v1/looks/{look['look']}/sub/{heads[0]}")
    assert other.status_code == 404, "no list of this stream has named it"


def test_another_session_s_look_is_not_there(box: Page, look: dict[str, Any]) -> None:
    other = box.other(Role.COMMANDER)
    assert get(other, look, "media.m3u8").status_code == 404
    assert other.client.delete(f"/api/v1/looks/{look['look']}").status_code == 404
    assert other.client.post(f"/api/v1/looks/{look['look']}/renew").status_code == 404


def test_an_ended_look_shows_nothing(box: Page) -> None:
    look = box.ask(START_NS, START_NS + 20 * SECOND_NS)
    _, span, name = entries(get(box, look, "media.m3u8").text)[0]
    assert get(box, look, name, span).status_code == 206
    assert box.client.delete(f"/api/v1/looks/{look['look']}").status_code == 204
    assert get(box, look, name, span).status_code == 404
    assert get(box, look, "media.m3u8").status_code == 404


def test_the_line_of_the_end_says_what_was_really_sent(box: Page) -> None:
    look = box.ask(START_NS, START_NS + 40 * SECOND_NS)
    listed = entries(get(box, look, "media.m3u8").text)
    for _, span, name in (listed[0], listed[1], listed[1], listed[5]):
        assert get(box, look, name, span).status_code == 206
    box.client.delete(f"/api/v1/looks/{look['look']}")
    begin = next(line for line in reversed(box.lines()) if line["action"] == "look")
    end = box.lines()[-1]
    assert (end["action"], end["about"], end["delivered_ms"]) == ("look end", begin["n"], 6000)
    assert end["result"] == "done" and end["session"] == begin["session"] == box.session.id


def test_without_the_audit_chain_nothing_is_shown(clip: Stream, tmp_path: Path) -> None:
    make_home(tmp_path)
    disk = make_disk(tmp_path)
    write(disk, Run(clip, START_NS).chunks(6))
    with keepers(tmp_path, disk), page(tmp_path, has_audit=False) as made:
        answer = made.client.post("/api/v1/looks", json=asked(START_NS, START_NS + SECOND_NS))
        assert answer.status_code == 503 and answer.json["error"]["code"] == "unavailable"
        assert made.client.get("/api/v1/looks").json == {"looks": []}
