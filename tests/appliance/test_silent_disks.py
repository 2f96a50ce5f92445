"""Several disks, of which one does not answer: the others are read all the same."""

from __future__ import annotations

import socket as sockets
from collections.abc import Iterator
from pathlib import Path

import pytest

from crash.keeper_peer import Arena, KeeperPeer
from store.maker import START_NS, FakeStream, make_disk
from vonggac.errors import Unavailable
from vonggac.media.chunk import GapReason
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.store.timeline import Gap, Timeline, unexplained
from vonggac_appliance import day_bars, look_index
from vonggac_appliance.day_bars import ask_bar
from vonggac_appliance.keep_questions import socket_name
from vonggac_appliance.look_index import LookIndex
from vonggac_appliance.silent_disks import SilentDisks
from vonggac_appliance.sockets import socket_path

SECOND_NS = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_disk_that_let_a_question_time_out_is_left_alone_for_a_while() -> None:
    clock = Clock()
    silent = SilentDisks(clock)
    asked: list[str] = []

    def times_out() -> int:
        asked.append("slow")
        clock.now_s += 3.0
        raise Unavailable("timed out")

    def answers() -> int:
        asked.append("well")
        return 7

    with pytest.raises(Unavailable, match="timed out"):
        silent.ask("one", times_out)
    with pytest.raises(Unavailable, match="a moment ago"):
        silent.ask("one", answers)
    assert silent.ask("two", answers) == 7
    clock.now_s += 60.0
    assert silent.ask("one", answers) == 7
    assert asked == ["slow", "well", "well"]


def test_a_disk_that_refuses_at_once_is_asked_again() -> None:
    clock = Clock()
    silent = SilentDisks(clock)

    def refuses() -> int:
        raise Unavailable("nobody listens")

    for _ in range(2):
        with pytest.raises(Unavailable, match="nobody listens"):
            silent.ask("one", refuses)


def test_gaps_are_unknown_while_a_disk_says_nothing() -> None:
    line = Timeline((), (Gap(0, 5, int(GapReason.NETWORK)),), None)
    assert unexplained(line).gaps == (Gap(0, 5, int(GapReason.UNKNOWN)),)


@pytest.fixture
def arena() -> Iterator[Arena]:
    made = Arena.make()
    yield made
    made.close()


def enrol(home: Path, name: str) -> DiskRow:
    identity = make_disk(home / name)
    row = DiskRow(
        identity.disk, str(home / name), identity.segments, identity.segment_bytes, START_NS
    )
    with Catalog(home) as catalog:
        catalog.enrol_disk(row)
    return row


@pytest.mark.slow
def test_a_keeper_that_says_nothing_hides_no_other_disk(
    tmp_path: Path, arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_index, "_DEADLINE_S", 0.5)
    monkeypatch.setattr(day_bars, "_ANSWER_S", 0.5)
    mute, well = enrol(tmp_path, "mute"), enrol(tmp_path, "well")
    peer = KeeperPeer(tmp_path / "well", tmp_path, arena)
    peer.ready()
    peer.expect(1)
    peer.connect()
    stream = FakeStream(1)
    stream.begin(1)
    for _ in range(4):
        peer.tick([stream.chunk()])
        peer.wait_for(len(stream.sent))
    span = START_NS, stream.wall_ns
    path = socket_path(tmp_path, "view", socket_name(mute.uuid))
    with (
        sockets.socket(sockets.AF_UNIX, sockets.SOCK_SEQPACKET) as listener,
        Catalog(tmp_path, is_readonly=True) as catalog,
    ):
        listener.bind(str(path))  # as a keeper that hangs: it is there and never answers
        listener.listen(8)
        found = LookIndex(tmp_path, catalog).found(stream.stream, *span)
        assert found.missing == 1
        assert sum(len(fragments) for fragments in found.fragments) == 2

        bar = ask_bar(tmp_path, [mute.uuid, well.uuid], stream.stream, *span, 10)
        assert bar.ranges
    assert peer.quit()[0] == 0
