"""What another process says may be anything: it is read, or an error that its reader knows."""

from __future__ import annotations

import contextlib
import struct

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import MediaError
from vonggac_appliance import bus_events, loop_wire

HEADER = struct.Struct(">HHIHH")
"""`vg/wire.h`: version, kind, request, part, last."""
KINDS = st.sampled_from(list(loop_wire.Wire))


@given(KINDS, st.binary(max_size=200), st.booleans())
def test_a_loops_message_is_read_or_refused(
    kind: loop_wire.Wire, body: bytes, is_last: bool
) -> None:
    for message in (body, HEADER.pack(loop_wire.VERSION, kind, 0, 0, is_last) + body):
        with contextlib.suppress(MediaError):
            loop_wire.read(message)


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_an_events_frames_are_read_or_refused(frames: list[bytes]) -> None:
    with contextlib.suppress(msgspec.DecodeError):
        bus_events.decode_event(frames)


@given(st.sampled_from(["gap-opened", "camera", "alarm", "?"]), st.lists(st.integers(), max_size=4))
def test_an_events_fields_are_read_or_refused(tag: str, values: list[int]) -> None:
    bounded = [value % 2**63 for value in values]
    body = msgspec.msgpack.encode({"type": tag, **{str(i): v for i, v in enumerate(bounded)}})
    with contextlib.suppress(msgspec.DecodeError):
        bus_events.decode_event([tag.encode(), body])
