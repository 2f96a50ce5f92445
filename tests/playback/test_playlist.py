"""Playlists to the letter, and the map between wall time and the player's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playback.test_playable import SECOND_NS, fragment, fragments, play
from vonggac.media.chunk import ChunkFlag
from vonggac.media.fragment import Fragment
from vonggac.playback import playlist
from vonggac.playback.fragments import Playable
from vonggac.playback.playlist import MapPiece, Names, Video

NAMES = Names(("d0d0d0d0", "d1d1d1d1"))
NOON_S = 1_795_320_000
"""2026-11-22T04:00:00Z."""


def text_of(shown: Playable, is_growing: bool = False) -> str:
    return playlist.media(shown, NAMES, is_growing=is_growing, is_ended=not is_growing).decode()


def keys_of(shown: Playable) -> str:
    return playlist.iframes(shown, NAMES, is_growing=False, is_ended=True).decode()


def durations(text: str) -> list[str]:
    return re.findall(r"#EXTINF:([\d.]+),", text)


def test_a_list_to_the_letter() -> None:
    found = [
        fragment(0, at_s=NOON_S),
        fragment(2, at_s=NOON_S + 2),
        fragment(0, at_s=NOON_S + 60, run=2, offset=4096 + (4 << 20)),
    ]
    assert text_of(play(found)) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        '#EXT-X-MAP:URI="I-d0d0d0d0.0.9.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T11:00:00.000+07:00\n"
        "#EXTINF:2.00000,\n"
        "#EXT-X-BYTERANGE:2097152@4096\n"
        "S-d0d0d0d0.0.9.mp4\n"
        "#EXTINF:2.00000,\n"
        "#EXT-X-BYTERANGE:2097152@2101248\n"
        "S-d0d0d0d0.0.9.mp4\n"
        "#EXT-X-DISCONTINUITY\n"
        '#EXT-X-MAP:URI="I-d0d0d0d0.0.9.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T11:01:00.000+07:00\n"
        "#EXTINF:2.00000,\n"
        "#EXT-X-BYTERANGE:2097152@4198400\n"
        "S-d0d0d0d0.0.9.mp4\n"
        "#EXT-X-ENDLIST\n"
    )


def test_key_frames_are_listed_from_moof_to_the_end_of_the_first_sample() -> None:
    found = [fragment(0, seconds=10), fragment(10, sync=False, seconds=5), fragment(15)]
    text = keys_of(play(found))
    assert "#EXT-X-I-FRAMES-ONLY\n" in text
    assert durations(text) == ["15.00000", "2.00000"]
    assert re.findall(r"BYTERANGE:(\S+)", text) == [
        f"{5000 - 335}@{4096 + 335}",
        f"{5000 - 335}@{4096 + (15 << 20) + 335}",
    ]


def test_a_fragment_in_two_segments_is_one_entry_with_one_address() -> None:
    found = [fragment(0), fragment(2, sync=False, segment=1, disk=1, offset=4096)]
    text = text_of(play(found))
    size = 2 << 20
    assert text.splitlines()[-3:-1] == [
        "#EXTINF:4.00000,",
        f"J-d0d0d0d0.0.9.4096.{size}-d1d1d1d1.1.9.4096.{size}.mp4",
    ]
    assert "DISCONTINUITY" not in text and text.count("#EXT-X-MAP") == 1
    assert [p.media_length_s for p in playlist.clock_map(play(found))] == [4.0]
    listed = keys_of(play(found))
    assert durations(listed) == ["4.00000"]


def test_segments_with_the_same_head_name_it_alike() -> None:
    found = [fragment(0), fragment(2, segment=1), fragment(4, segment=2), fragment(6, segment=3)]
    heads = {(0, 0, 9): "aa", (0, 1, 9): "aa", (0, 2, 9): "bb"}
    names = Names(NAMES.disks, heads)
    for write in (playlist.media, playlist.iframes):
        text = write(play(found), names, is_growing=False, is_ended=True).decode()
        assert re.findall(r'MAP:URI="([^"]+)"', text) == [
            *("H-aa.mp4", "H-aa.mp4", "H-bb.mp4"),
            "I-d0d0d0d0.3.9.mp4",  # nothing is known of it
        ]


def test_a_list_that_may_grow_is_of_type_event_and_has_no_end() -> None:
    text = text_of(play([fragment(0)]), is_growing=True)
    assert "#EXT-X-PLAYLIST-TYPE:EVENT\n" in text and "ENDLIST" not in text
    assert "#EXT-X-TARGETDURATION:10\n" in text
    """Whatever comes: it may not change."""


def test_a_list_of_nothing_is_a_list() -> None:
    assert text_of(play([])) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-ENDLIST\n"
    )


def test_rounding_never_adds_up() -> None:
    """29.97 pictures a second: a GOP of 60 lasts 180,180 ticks, which is no number of 10 us."""
    ticks = 180_181
    found = [
        fragment(n, offset=4096)._replace(duration_ticks=ticks) for n in range(0, 2 * 43_200, 2)
    ]
    total = sum(round(float(s) * 100_000) for s in durations(text_of(play(found))))
    assert abs(total - 43_200 * ticks * 10 / 9) <= 1


def test_wall_time_is_told_again_where_it_parts_from_the_sum_of_durations() -> None:
    found = [fragment(0), fragment(2, at_s=2.030), fragment(4, at_s=4.050), fragment(6, at_s=6.060)]
    text = text_of(play(found))
    told = re.findall(r"DATE-TIME:1970-01-01T07:00:(\S+)\+07:00", text)
    assert told == ["00.000", "04.050"]


def test_dates_are_those_of_vietnam() -> None:
    moment = NOON_S * SECOND_NS + 250_000_000
    text = text_of(play([fragment(0)._replace(wall_start_ns=moment)], -1))
    match = re.search(r"DATE-TIME:(\S+)", text)
    assert match is not None and match[1].endswith("+07:00")
    assert datetime.fromisoformat(match[1]).timestamp() == NOON_S + 0.25


@given(st.integers(-(2**62), 2**62))
def test_any_moment_is_told_as_a_date(wall_ns: int) -> None:
    one = fragment(0)._replace(wall_start_ns=wall_ns, wall_end_ns=wall_ns + 2 * SECOND_NS)
    match = re.search(r"DATE-TIME:(\S+)", text_of(play([one], -(1 << 63))))
    assert match is not None
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=wall_ns // 10**6)
    assert datetime.fromisoformat(match[1]) == expected


def test_the_map_has_a_piece_for_each_timeline() -> None:
    found = [fragment(0), fragment(2), fragment(0, at_s=60, run=2), fragment(2, at_s=62, run=2)]
    assert playlist.clock_map(play(found)) == [
        MapPiece(0, 0.0, 4 * SECOND_NS, 4.0),
        MapPiece(60 * SECOND_NS, 4.0, 4 * SECOND_NS, 4.0),
    ]


def test_a_stall_inside_of_a_fragment_is_a_piece_by_itself() -> None:
    """TCP survived an outage of 3 s: the picture stands still, media time knows nothing of it."""
    late = fragment(2)._replace(wall_end_ns=7 * SECOND_NS)
    found = [fragment(0), late, fragment(4, at_s=7)]
    assert [(p.wall_ns, p.media_s) for p in playlist.clock_map(play(found))] == [
        (0, 0.0),
        (2 * SECOND_NS, 2.0),
        (7 * SECOND_NS, 4.0),
    ]


def test_pieces_of_the_map_may_overlap_in_wall_time_after_the_clock_was_set_back() -> None:
    found = [fragment(20), fragment(0, at_s=10, run=2)]
    walls = [piece.wall_ns // SECOND_NS for piece in playlist.clock_map(play(found))]
    assert walls == [20, 10]


@pytest.mark.parametrize("flag", [ChunkFlag.DAMAGED, ChunkFlag.BROKEN])
def test_damage_is_shown_and_told(flag: ChunkFlag) -> None:
    found = [fragment(0), fragment(2, flags=flag), fragment(4, flags=flag), fragment(6)]
    shown = play(found)
    assert len(fragments(shown)) == 4
    assert playlist.damaged(shown) == [(2 * SECOND_NS, 6 * SECOND_NS)]


def test_the_list_of_lists_names_codec_and_range() -> None:
    video = Video("avc1.64001f", 1280, 720)
    assert playlist.master(video, 2_000_000, "?from=1&to=2") == (
        "#EXTM3U\n#EXT-X-VERSION:7\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS="avc1.64001f",RESOLUTION=1280x720\n'
        "media.m3u8?from=1&to=2\n"
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=2000000,CODECS="avc1.64001f",RESOLUTION=1280x720,'
        'URI="iframes.m3u8?from=1&to=2"\n'
    )


def test_a_day_is_written_in_a_fraction_of_a_second() -> None:
    import time

    found: list[Fragment] = [
        fragment(n, segment=n // 130, offset=4096) for n in range(0, 2 * 43_200, 2)
    ]
    began = time.thread_time()  # what others take of a core is not ours
    text = text_of(play(found))
    took_s = time.thread_time() - began
    assert len(durations(text)) == 43_200
    assert took_s < 2.0  # 0.1 s on a quiet machine (docs/performance.md); this sees a collapse
