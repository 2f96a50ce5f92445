"""What a loop's parent tells it, sense or not, and how the loop ends."""

from __future__ import annotations

import os
import re
import socket
import time
from pathlib import Path
from random import Random

from loop_rig import (
    PPS,
    SPS,
    Rig,
    gop,
    without_sets,
)
from vonggac_appliance import loop_wire
from vonggac_appliance.loop_wire import LoopEvent

STREAM = b"s" * 16
OTHER = b"t" * 16


def test_an_attachment_that_cannot_be_is_answered(rig: Rig) -> None:
    rig.attach(STREAM, run=1)
    rig.attach(STREAM, run=2)
    rig.until(lambda: rig.ended(2) is not None)
    assert rig.events(LoopEvent.BAD_STREAM)[0].detail == "attached already"


def test_nonsense_from_the_parent_is_ignored(rig: Rig) -> None:
    for junk in (b"", b"\x00", b"\x00\x01\x00\x01" + bytes(8), bytes(64), os.urandom(5000)):
        if junk:
            rig.tell(junk)
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(3))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)


def test_no_message_of_the_parent_ends_the_loop(rig: Rig) -> None:
    """Mutations of real ones, with and without a descriptor; QUIT itself is left out."""
    random = Random(7)
    a = loop_wire.Attach(
        b"c" * 16,
        OTHER,
        0,
        1,
        96,
        0,
        1,
        90_000,
        5000,
        0,
        9,
        0,
        0,
        0,
        (),
        (SPS,),
        (PPS,),
        b"$\0\0\4",
    )
    real = [
        loop_wire.attach(a),
        loop_wire.detach(OTHER, 1),
        loop_wire.rtsp(OTHER, b"OPTIONS * RTSP/1.0\r\n\r\n"),
        loop_wire.keeper(5, 0),
        loop_wire.live(OTHER, 60_000, b"head"),
        loop_wire.clock(is_synced=True),
    ]
    for n in range(400):
        message = bytearray(random.choice(real))
        for _ in range(random.randrange(4)):
            message[random.randrange(4, len(message))] = random.choice((0, 1, 127, 255))
        ours, theirs = socket.socketpair()
        rig.tell(bytes(message[: random.randrange(8, len(message) + 1)]), theirs if n % 4 else None)
        ours.close()
        theirs.close()
        rig.turn(0)
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(3))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)


def test_the_end_of_the_parent_is_a_clean_end(rig: Rig) -> None:
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(5))
    rig.control.close()
    while not keeper.is_closed:
        keeper.read()
    assert rig.process.wait(5) == 0
    assert keeper.said_bye
    assert keeper.nals == without_sets(camera.sent)


def test_quit_waits_no_longer_than_two_seconds_for_a_silent_keeper(rig: Rig) -> None:
    keeper = rig.keeper(acknowledges=None)
    camera = rig.attach()
    camera.send(gop(5))
    start = time.monotonic()
    rig.tell(loop_wire.end())
    while not keeper.is_closed:
        keeper.read()
    assert rig.process.wait(5) == 0
    assert 1.5 < time.monotonic() - start < 10
    # What was not acknowledged waits for the successor.
    rig.keepers.remove(keeper)
    rig.incarnation += 1
    rig.messages.clear()
    rig.start()
    again = rig.keeper()
    rig.until(lambda: len(again.chunks) == len(keeper.chunks))


def test_the_numbers_are_those_of_the_header(root: Path) -> None:
    header = (root / "native/include/vg/wire.h").read_text()

    def numbers(prefix: str) -> dict[str, int]:
        return {
            name: int(value)
            for name, value in re.findall(rf"VG_{prefix}_([A-Z_]+) = (\d+)[,\s]", header)
        }

    kinds = numbers("WIRE")
    assert {w.name: w.value for w in loop_wire.Wire}.items() <= kinds.items()
    assert {e.name: e.value for e in LoopEvent} == numbers("EVENT")
    assert (kinds["HELLO"], kinds["ACK"], kinds["LIVE_UNIT"]) == (96, 100, 129)
