"""What a camera may say between its packets, in whatever form, costs no picture."""

from __future__ import annotations

import pytest

from loop_rig import Rig, check_chain, gop, without_sets
from vonggac.media.chunk import ChunkFlag
from vonggac_appliance import loop_wire

BODY = b"v=0\r\n$\x00\x01\x00" * 33
HEARD = {
    "bare line feeds": b"RTSP/1.0 200 OK\nCSeq: 5\n\n",
    "folded": b"RTSP/1.0 200 OK\r\nCSeq:\r\n 5\r\n\r\n",
    "a tab": b"RTSP/1.0 200 OK\r\nCSeq:\t5\r\n\r\n",
    "bytes outside of ASCII": b"RTSP/1.0 200 \xe9\xff\r\nCSeq: 5\r\n\r\n",
    "blanks in front": b" \t RTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\n",
    "a body that looks like packets": (
        b"ANNOUNCE rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nContent-Length: %d\r\n\r\n%b"
        % (len(BODY), BODY)
    ),
    "a redirect": b"REDIRECT rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://y/\r\n\r\n",
    "two at once": b"RTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\n" * 2,
}
NOT_HEARD = {
    "blanks": b"  \t ",
    "line ends": b"\r\n\r\n\n",
    "nothing": b"",
}
GARBAGE = {
    "zeros": b"\0\0\0\0",
    "another protocol": b"HTTP/1.1 200 OK\r\n\r\n",
    "lower case": b"rtsp/1.0 200 OK\r\nCSeq: 5\r\n\r\n",
    "a zero in a field": b"RTSP/1.0 200 OK\r\nCSeq: 5\r\nX: \0\r\n\r\n",
    "a body of no told length": b"RTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\npacket_rate: 3\r\n",
    "a body that is longer than it says": (
        b"RTSP/1.0 200 OK\r\nCSeq: 5\r\nContent-Length: 3\r\n\r\nabcdefgh\r\n"
    ),
}


def recorded(rig: Rig, said: bytes) -> tuple[int, bool]:
    """Messages that the parent heard, and whether a chunk is marked; nothing is lost."""
    keeper = rig.keeper()
    camera = rig.attach()
    camera.send(gop(5, 1))
    for n in range(2, 5):
        camera.socket.sendall(said)
        camera.send(gop(5, n))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)
    check_chain(keeper)
    heard = sum(isinstance(one, loop_wire.Message) for one in rig.messages)
    return heard, any(c.claim.flags & ChunkFlag.DAMAGED for c in keeper.chunks)


@pytest.mark.parametrize("said", HEARD.values(), ids=HEARD)
def test_a_message_between_packets_is_heard_and_marks_nothing(rig: Rig, said: bytes) -> None:
    heard, is_marked = recorded(rig, said)
    assert heard >= 3 and not is_marked


@pytest.mark.parametrize("said", NOT_HEARD.values(), ids=NOT_HEARD)
def test_blank_bytes_between_packets_are_nothing(rig: Rig, said: bytes) -> None:
    assert recorded(rig, said) == (0, False)


@pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_message_marks_the_picture_it_stands_in_and_costs_none(
    rig: Rig, said: bytes
) -> None:
    _, is_marked = recorded(rig, said)
    assert is_marked
