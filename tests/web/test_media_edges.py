"""Footage that is not the usual: long GOPs, steps of the clock, disks that are away, growth."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from crash.keeper_peer import Arena, KeeperPeer
from footage_maker import HEARD, Run, make_disk, make_home, write
from look_rig import Page, keepers, page
from rtp_jpeg import encoded_pictures
from segment_maker import Stream, Unit, encode
from sound_maker import PCMA
from vonggac._native import ring
from vonggac._native import segment as native
from vonggac.errors import Gone, Refused, StorageError, Unavailable
from vonggac.media.chunk import ChunkFlag, Codec
from vonggac.media.sound import has_sound
from vonggac.playback.still import video_of
from vonggac_appliance import look_index, look_leases
from vonggac_appliance.look_footage import Segment
from vonggac_appliance.look_ranges import BLOCK_BYTES
from web.test_media import FILLER, SECOND_NS, START_NS, entries, fetched, frames_of, get


@pytest.fixture(scope="module")
def ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found is None:
        pytest.skip("ffmpeg is not installed")
    return found


@pytest.fixture(scope="module")
def clip(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    return encode(ffmpeg, Codec.H264, tmp_path_factory.mktemp("clip"), 4, 2)


@pytest.fixture
def shown(home: Path) -> Iterator[Callable[..., Page]]:
    """Gives the page over a disk with some runs."""
    with ExitStack() as stack:

        def show(*runs: Any) -> Page:
            make_home(home)
            disk = make_disk(home)
            write(disk, *runs)
            stack.enter_context(keepers(home, disk))
            return stack.enter_context(page(home))

        yield show


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keepers are asked every time: what they said within the last second is not remembered."""
    monkeypatch.setattr(look_index, "_KEPT_S", 0.0)
    monkeypatch.setattr(look_leases, "_FRESH_S", 0.0)


def all_of(made: Page, seconds: float = 200.0) -> dict[str, Any]:
    return made.ask(START_NS - 60 * SECOND_NS, START_NS + int(seconds * SECOND_NS))


def test_a_gop_of_a_minute_is_one_entry_and_plays_whole(
    clip: Stream, shown: Callable[..., Page], tmp_path: Path, program: Callable[[str], str]
) -> None:
    """Over three segments: players find no key frame but the first one."""
    made = shown(Run(clip, START_NS, filler_bytes=FILLER).chunks(120, sync_s=60))
    look = all_of(made)
    text = get(made, look, "media.m3u8").text
    assert [(seconds, name[0]) for seconds, _, name in entries(text)] == [(60.0, "J")] * 2
    assert [name.count("-") for _, _, name in entries(text)] == [3, 3]
    assert "TARGETDURATION:60\n" in text
    (first, second) = fetched(made, look, text)
    for data in (first, second):
        assert frames_of(program("ffprobe"), tmp_path / "g.mp4", data) == 60 * 25
        times = dts_of(program("ffprobe"), tmp_path / "g.mp4")
        assert {round(b - a, 3) for a, b in itertools.pairwise(times)} == {0.04}
    iframes = entries(get(made, look, "iframes.m3u8").text)
    assert [seconds for seconds, _, _ in iframes] == [60.0, 60.0]


def dts_of(ffprobe: str, path: Path) -> list[float]:
    command = [ffprobe, "-v", "error", "-show_entries", "packet=dts_time", "-of", "csv=p=0"]
    done = subprocess.run([*command, path], capture_output=True, text=True, timeout=60, check=True)
    return [float(line.split(",")[0]) for line in done.stdout.split()]


def test_a_range_within_a_long_gop_begins_with_its_sync_sample(
    clip: Stream, shown: Callable[..., Page]
) -> None:
    """The look says so, and with it the audit chain: what is shown begins before what was asked."""
    made = shown(Run(clip, START_NS).chunks(60, sync_s=60))
    look = made.ask(START_NS + 35 * SECOND_NS, START_NS + 42 * SECOND_NS)
    listed = entries(get(made, look, "media.m3u8").text)
    assert sum(seconds for seconds, _, _ in listed) == 42.0
    for _, span, name in listed:
        assert get(made, look, name, span).status_code == 206
    line = next(line for line in reversed(made.lines()) if line["action"] == "look")
    assert line["from"] == "2026-09-21T14:13:20.000Z" and line["to"] == "2026-09-21T14:14:02.000Z"
    assert look["from"] == START_NS // 1_000_000 + 35_000


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
@pytest.mark.parametrize("inband", [False, True], ids=["sets in the entry", "sets in band"])
def test_every_codec_plays(
    ffmpeg: str,
    codec: Codec,
    inband: bool,
    shown: Callable[..., Page],
    tmp_path: Path,
    program: Callable[[str], str],
) -> None:
    coded = encode(ffmpeg, codec, tmp_path, 4, 2)
    made = shown(Run(coded, START_NS, inband=inband).chunks(8))
    look = all_of(made)
    name = {Codec.H264: ("avc1", "avc3"), Codec.H265: ("hvc1", "hev1")}[codec][inband]
    facts = look["streams"][0]
    assert facts["codec"].split(".")[0] == name
    assert (facts["width"], facts["height"]) == (320, 180)
    assert f'CODECS="{facts["codec"]}",RESOLUTION=320x180' in get(made, look, "index.m3u8").text
    (whole,) = fetched(made, look, get(made, look, "media.m3u8").text)
    assert frames_of(program("ffprobe"), tmp_path / "c.mp4", whole) == 8 * 25
    still = get(made, look, f"still.mp4?at={START_NS // 1_000_000 + 3000}").data
    assert frames_of(program("ffprobe"), tmp_path / "s.mp4", still) == 1


def test_mjpeg_is_told_by_name_and_given_as_files(
    shown: Callable[..., Page], tmp_path: Path, program: Callable[[str], str]
) -> None:
    """No browser plays it: the name lets the page say so. What others play is there as well."""
    pictures = encoded_pictures(program, tmp_path)
    units = tuple(Unit((file,), n * 18_000, True) for n, file in enumerate(pictures))
    size = (352).to_bytes(2, "big") + (288).to_bytes(2, "big")
    made = shown(Run(Stream(Codec.MJPEG, (), (size,), (), units), START_NS).chunks(4))
    look = all_of(made)
    facts = look["streams"][0]
    assert (facts["codec"], facts["width"], facts["height"]) == ("mp4v.6C", 352, 288)
    assert 'CODECS="mp4v.6C",RESOLUTION=352x288' in get(made, look, "index.m3u8").text
    (whole,) = fetched(made, look, get(made, look, "media.m3u8").text)
    assert frames_of(program("ffprobe"), tmp_path / "c.mp4", whole) == 4 * 5
    still = get(made, look, f"still.mp4?at={START_NS // 1_000_000 + 3000}").data
    assert frames_of(program("ffprobe"), tmp_path / "s.mp4", still) == 1


def test_the_codec_s_name_is_that_of_its_standard(ffmpeg: str, tmp_path: Path) -> None:
    coded = encode(ffmpeg, Codec.H265, tmp_path, 4, 0)
    head = native.head_write(Codec.H265, coded.vps, coded.sps, coded.pps, 90_000, False)
    assert re.fullmatch(r"hvc1\.1\.6\.L\d+\.[0-9A-F]{1,2}(\.[0-9A-F]{1,2})*", video_of(head).codec)


def test_a_head_that_ends_within_its_configuration_has_no_name() -> None:
    head = (100).to_bytes(4, "big") + b"hvc1" + bytes(92)
    with pytest.raises(StorageError, match="HEVC"):
        video_of(head)


def test_footage_after_a_step_back_of_the_clock_comes_after_what_was_before(
    clip: Stream, shown: Callable[..., Page]
) -> None:
    before = Run(clip, START_NS, run=1).chunks(40)
    after = Run(clip, START_NS + 10 * SECOND_NS, run=2).chunks(20)
    made = shown(before, after)
    look = all_of(made)
    text = get(made, look, "media.m3u8").text
    told = re.findall(r"DATE-TIME:\S+T21:(\d\d:\d\d)", text)
    assert told == ["13:20", "13:30"] and text.count("DISCONTINUITY") == 1
    pieces = get(made, look, "map.json").json["pieces"]
    assert [round(p["media"]) for p in pieces] == [0, 40]
    assert pieces[1]["wall"] < pieces[0]["wall"] + pieces[0]["wall_length"]
    for _, span, name in entries(text):
        assert get(made, look, name, span).status_code == 206


def test_damage_is_played_and_told(clip: Stream, shown: Callable[..., Page]) -> None:
    whole = Run(clip, START_NS, run=1).chunks(8)
    damaged = Run(clip, START_NS + 8 * SECOND_NS, run=2, flags=ChunkFlag.DAMAGED).chunks(4)
    made = shown(whole, damaged)
    look = all_of(made)
    assert sum(s for s, _, _ in entries(get(made, look, "media.m3u8").text)) == 12
    (told,) = get(made, look, "map.json").json["damaged"]
    assert [round(ms - START_NS / 1e6) for ms in told] == [8000, 12_000]


def test_a_look_gives_the_pictures_of_footage_that_has_sound(
    clip: Stream, shown: Callable[..., Page], tmp_path: Path, program: Callable[[str], str]
) -> None:
    """A fragment in one segment, one in two, a key frame, a still; nothing of what was heard."""
    run = Run(clip, START_NS, filler_bytes=FILLER, sound=PCMA)
    made = shown(run.chunks(60))
    look = all_of(made)
    text = get(made, look, "media.m3u8").text
    assert {name[0] for _, _, name in entries(text)} == {"S", "J"}
    files = fetched(made, look, text)
    ffprobe = program("ffprobe")
    assert sum(frames_of(ffprobe, tmp_path / "p.mp4", data) for data in files) == 60 * 25
    _, span, name = entries(get(made, look, "iframes.m3u8").text)[0]
    still = get(made, look, f"still.mp4?at={START_NS // 1_000_000 + 5000}").data
    segment = next(name for _, _, name in entries(text) if name[0] == "S")
    init = get(made, look, segment.replace("S-", "I-")).data
    for given in (*files, get(made, look, name, span).data, still, init):
        assert HEARD not in given
        assert not has_sound(given)
    assert has_sound(bytes(run.chunks(4)[0].segment_head))


def test_pictures_that_refer_to_lost_ones_are_left_out_and_told(
    clip: Stream, shown: Callable[..., Page]
) -> None:
    """A loop was started anew in the middle of a GOP: its run begins without a sync sample."""
    chunks = Run(clip, START_NS, flags=ChunkFlag.REFERENCES_LOST).chunks(9)
    made = shown(chunks[1:])
    look = all_of(made)
    assert sum(s for s, _, _ in entries(get(made, look, "media.m3u8").text)) == 8
    (told,) = get(made, look, "map.json").json["undecodable"]
    assert [round(ms - START_NS / 1e6) for ms in told] == [1000, 2000]


def test_a_stream_without_any_footage_is_an_empty_list(
    clip: Stream, shown: Callable[..., Page]
) -> None:
    made = shown(Run(clip, START_NS).chunks(4))
    look = all_of(made)
    sub = f"/api/v1/looks/{look['look']}/sub"
    assert "EXTINF" not in made.client.get(f"{sub}/media.m3u8").text
    assert made.client.get(f"{sub}/map.json").json["pieces"] == []
    assert made.client.get(f"{sub}/index.m3u8").status_code == 200
    assert made.client.get(f"{sub}/still.mp4?at={START_NS // 1_000_000}").status_code == 404


@pytest.mark.parametrize("fresh_s", [0.0, 3600.0], ids=["asked-each-time", "never-asked"])
def test_a_recycled_segment_is_gone_and_never_other_pictures(
    clip: Stream, home: Path, monkeypatch: pytest.MonkeyPatch, fresh_s: float
) -> None:
    """Whether the keeper's successor is asked before the segment is read or only afterwards."""
    monkeypatch.setattr(look_leases, "_FRESH_S", fresh_s)
    make_home(home)
    disk = make_disk(home)
    write(disk, Run(clip, START_NS, filler_bytes=FILLER).chunks(40))
    with page(home) as made:
        with keepers(home, disk):
            look = all_of(made, 1000)
            listed = entries(get(made, look, "media.m3u8").text)
            assert get(made, look, listed[0][2], listed[0][1]).status_code == 206
        later = Run(clip, START_NS + 60 * SECOND_NS, run=2, filler_bytes=FILLER)
        write(disk, later.chunks(320))
        with keepers(home, disk):
            for _, span, name in listed:
                answer = get(made, look, name, span)
                assert answer.status_code == 410, name
                assert answer.json["error"]["code"] == "gone"
                if span is not None:
                    assert get(made, look, name.replace("S-", "I-")).status_code == 410
            again = entries(get(made, look, "media.m3u8").text)
            assert again and get(made, look, again[-1][2], again[-1][1]).status_code == 206


@pytest.mark.usefixtures("forgetful")
def test_footage_goes_on_when_its_keeper_is_replaced(clip: Stream, home: Path) -> None:
    make_home(home)
    disk = make_disk(home)
    write(disk, Run(clip, START_NS, filler_bytes=60_000).chunks(10))
    with page(home) as made:
        with keepers(home, disk):
            told = all_of(made)
            look = made.looks.get(made.session, told["look"])
            _, (first, last), name = entries(get(made, told, "media.m3u8").text)[0]
            disk_name, number, epoch = name[2:].removesuffix(".mp4").split(".")
            segment = Segment(disk_name, int(number), int(epoch))
            read = made.looks.footage.range(look, look.streams[0], segment, first, last + 1)
            pieces = [next(read)]
        with keepers(home, disk):
            pieces += list(read)
            read.close()
        assert sum(map(len, pieces)) == last + 1 - first


@pytest.mark.usefixtures("forgetful")
def test_nothing_is_given_out_after_the_lease_could_not_be_checked(
    clip: Stream, home: Path
) -> None:
    """The keeper died in the middle of a range: once its word is old nothing more is given out."""
    make_home(home)
    disk = make_disk(home)
    write(disk, Run(clip, START_NS, filler_bytes=60_000).chunks(10))
    with keepers(home, disk) as (keeper,), page(home) as made:
        told = all_of(made)
        look = made.looks.get(made.session, told["look"])
        stream = look.streams[0]
        _, (first, last), name = entries(get(made, told, "media.m3u8").text)[0]
        assert last - first > 3 * BLOCK_BYTES
        disk_name, number, epoch = name[2:].removesuffix(".mp4").split(".")
        segment = Segment(disk_name, int(number), int(epoch))
        read = made.looks.footage.range(look, stream, segment, first, last + 1)
        taken = [next(read) for _ in range(2)]
        assert sum(map(len, taken)) == 2 * BLOCK_BYTES
        keeper.kill()
        with pytest.raises(Unavailable):
            next(read)
        read.close()
        assert get(made, told, name, (first, last)).status_code == 503


def test_a_segment_that_is_emptied_in_the_middle_of_a_range_gives_nothing_more(
    clip: Stream, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the keeper said a moment ago: the segment's own bytes are asked after each read."""
    monkeypatch.setattr(look_leases, "_FRESH_S", 3600.0)
    make_home(home)
    disk = make_disk(home)
    write(disk, Run(clip, START_NS, filler_bytes=60_000).chunks(10))
    with keepers(home, disk), page(home) as made:
        told = all_of(made)
        look = made.looks.get(made.session, told["look"])
        _, (first, last), name = entries(get(made, told, "media.m3u8").text)[0]
        disk_name, number, epoch = name[2:].removesuffix(".mp4").split(".")
        segment = Segment(disk_name, int(number), int(epoch))
        read = made.looks.footage.range(look, look.streams[0], segment, first, last + 1)
        taken = [next(read) for _ in range(2)]
        assert sum(map(len, taken)) == 2 * BLOCK_BYTES
        with (disk / "segments" / "0000" / f"{int(number):08d}.mp4").open("r+b") as file:
            ring.zero(file.fileno(), os.fstat(file.fileno()).st_size)
        with pytest.raises(Gone):
            next(read)
        read.close()


def test_a_look_that_ends_stops_what_is_being_read(
    clip: Stream, shown: Callable[..., Page]
) -> None:
    made = shown(Run(clip, START_NS, filler_bytes=60_000).chunks(10))
    told = all_of(made)
    look = made.looks.get(made.session, told["look"])
    _, (first, last), name = entries(get(made, told, "media.m3u8").text)[0]
    disk_name, number, epoch = name[2:].removesuffix(".mp4").split(".")
    segment = Segment(disk_name, int(number), int(epoch))
    read = made.looks.footage.range(look, look.streams[0], segment, first, last + 1)
    taken = [next(read) for _ in range(4)]
    made.client.delete(f"/api/v1/looks/{look.id}")
    with pytest.raises(Refused):
        next(read)
    read.close()
    end = made.lines()[-1]
    assert 0 < end["delivered_ms"] < 2000 and len(taken) == 4


@pytest.mark.usefixtures("forgetful")
def test_every_disk_is_asked_and_one_that_is_away_is_told(clip: Stream, home: Path) -> None:
    make_home(home)
    disks = [make_disk(home, "one"), make_disk(home, "two")]
    write(disks[0], Run(clip, START_NS, run=1).chunks(20))
    write(disks[1], Run(clip, START_NS + 20 * SECOND_NS, run=2).chunks(20))
    with keepers(home, *disks) as (one, two), page(home) as made:
        look = all_of(made)
        text = get(made, look, "media.m3u8").text
        assert sum(s for s, _, _ in entries(text)) == 40
        assert len({name[2:10] for _, _, name in entries(text)}) == 2
        for _, span, name in entries(text):
            assert get(made, look, name, span).status_code == 206
        two.kill()
        assert sum(s for s, _, _ in entries(get(made, look, "media.m3u8").text)) == 20
        assert get(made, look, "map.json").json["missing_disks"] == 1
        one.kill()
        answer = get(made, look, "media.m3u8")
        assert answer.status_code == 503 and answer.json["error"]["code"] == "unavailable"


@pytest.mark.usefixtures("forgetful")
def test_a_list_of_today_grows_and_takes_nothing_back(clip: Stream, home: Path) -> None:
    make_home(home)
    disk = make_disk(home)
    arena = Arena.make()
    keeper = KeeperPeer(disk, home, arena)
    try:
        keeper.ready()
        keeper.connect()
        start_ns = time.time_ns() - 6 * SECOND_NS
        chunks = Run(clip, start_ns).chunks(12)
        with page(home) as made:
            keeper.tick(chunks[:5])
            keeper.wait_for(5)
            look = made.ask(start_ns - 60 * SECOND_NS, start_ns + 3600 * SECOND_NS)
            first = get(made, look, "media.m3u8").text
            assert "TYPE:EVENT" in first and "ENDLIST" not in first
            # The third fragment's second chunk may still come.
            assert sum(s for s, _, _ in entries(first)) == 4
            keeper.tick(chunks[5:9])
            keeper.wait_for(9)
            second = get(made, look, "media.m3u8").text
            assert second.startswith(first)
            assert sum(s for s, _, _ in entries(second)) == 8
            made.clock.pass_s(30)
            third = get(made, look, "media.m3u8").text
            assert third.startswith(second)
            assert sum(s for s, _, _ in entries(third)) == 9, "nothing joins it any more"
    finally:
        keeper.kill()
        arena.close()
