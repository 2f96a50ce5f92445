"""An incremental reader meets each case three ways: whole, byte by byte, with bytes behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

Item = TypeVar("Item", covariant=True)


class Reader(Protocol[Item]):
    """Bytes in, items out, None for "more"."""

    def receive(self, data: bytes) -> None: ...
    def next(self) -> Item | None: ...
    def take_rest(self) -> bytes: ...


def three_ways(make: Callable[[], Reader[Item]], data: bytes, behind: bytes = b"$\x00\x00") -> Item:
    """The one item in `data`, which is the same all three ways and touches nothing behind it."""
    whole = make()
    whole.receive(data)
    item = whole.next()
    assert item is not None
    assert whole.next() is None
    assert whole.take_rest() == b""

    slow = make()
    for at in range(len(data)):
        assert slow.next() is None, f"an item after {at} of {len(data)} bytes"
        slow.receive(data[at : at + 1])
    assert slow.next() == item
    assert slow.take_rest() == b""

    more = make()
    more.receive(data + behind)
    assert more.next() == item
    assert more.take_rest() == behind
    return item
