"""A keeper's side of a loop's socket."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from vonggac.errors import MediaError
from vonggac_appliance.keep_loops import LoopLink

SIZE = 1 << 20


@pytest.mark.parametrize("flags", [os.MFD_CLOEXEC, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING])
def test_an_arena_that_may_shrink_is_refused(flags: int) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    arena = os.memfd_create("arena", flags)
    os.ftruncate(arena, SIZE)
    hello = struct.pack(">HHIHH", 1, 96, 0, 0, 1) + struct.pack(">HIQ", 0, 0, SIZE)
    with ours, theirs:
        link = LoopLink(ours, number=0, incarnation=0)
        socket.send_fds(theirs, [hello], [arena])
        os.close(arena)
        with pytest.raises(MediaError, match="not sealed against shrinking"):
            link.read()
        assert link.is_ended
