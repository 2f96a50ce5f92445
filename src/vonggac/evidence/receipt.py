"""Receipts: what the audit chain has written down, a keeper or a loop may show.

A receipt is made by `audit run` once the line is synced. docs/ref/audit.md draws its bytes.
Pure: the key and the time are arguments.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import struct
from dataclasses import dataclass

__all__ = [
    "KEY_BYTES",
    "LIFETIME_NS",
    "STREAMS_MAX",
    "Permit",
    "Receipt",
    "read",
    "search_digest",
    "verify",
    "write",
]

KEY_BYTES = 32
STREAMS_MAX = 16
LIFETIME_NS = 15 * 60 * 1_000_000_000
"""A look lasts at most that long before it is logged again (evidence V-3)."""
_CLOCK_SLACK_NS = 60 * 1_000_000_000
"""A clock may be put right by so much without ending looks."""

_MAGIC = b"VGR1"
# magic, line, camera, from, to, permit, expiry, number of streams
_HEAD = struct.Struct(">4sQ16sqqBqB")
_TAG_BYTES = hashlib.sha256().digest_size


class Permit(enum.IntEnum):
    """What may be shown. Which act it is (cut, replay, still) stands in the line itself."""

    STORED = 1
    """Reading what is recorded."""
    LIVE = 2
    """Seeing what comes in; a live view also reads the durable part of its GOP."""
    SEARCH = 3
    """Asking the motion index when something moved; no picture. The receipt's `camera` is the
    digest of what is asked (`search_digest`), its `streams` are cameras."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was written down."""

    line: int
    """Number in the chain, from 1."""
    camera: bytes
    streams: tuple[bytes, ...]
    """The camera's streams it covers, at most 16."""
    from_ns: int
    to_ns: int
    """Wall time; the range is half open."""
    permit: Permit
    expires_ns: int
    """Wall time after which it is void."""


def search_digest(words: str) -> bytes:
    """16 bytes that stand for what a search asks: where, how much, at which hours."""
    return hashlib.sha256(words.encode()).digest()[:16]


def write(key: bytes, receipt: Receipt) -> bytes:
    """The receipt's bytes, with the HMAC-SHA256 over all of them at the end."""
    if len(receipt.streams) > STREAMS_MAX:
        raise ValueError(f"a receipt covers at most {STREAMS_MAX} streams")
    body = _HEAD.pack(
        _MAGIC,
        receipt.line,
        receipt.camera,
        receipt.from_ns,
        receipt.to_ns,
        receipt.permit,
        receipt.expires_ns,
        len(receipt.streams),
    ) + b"".join(receipt.streams)
    return body + hmac.digest(key, body, "sha256")


def read(key: bytes, raw: bytes) -> Receipt | None:
    """The receipt, or None when it was not written with `key` or is not whole."""
    body, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
    if len(body) < _HEAD.size or not hmac.compare_digest(hmac.digest(key, body, "sha256"), tag):
        return None
    magic, line, camera, from_ns, to_ns, permit, expires_ns, count = _HEAD.unpack_from(body)
    if magic != _MAGIC or len(body) != _HEAD.size + 16 * count or permit not in tuple(Permit):
        return None
    streams = tuple(body[at : at + 16] for at in range(_HEAD.size, len(body), 16))
    return Receipt(line, camera, streams, from_ns, to_ns, Permit(permit), expires_ns)


def verify(
    key: bytes,
    receipt: bytes,
    camera: bytes | None,
    stream: bytes,
    from_ns: int,
    to_ns: int,
    permit: Permit,
    now_ns: int,
) -> str | None:
    """None when `receipt` covers the stream in [from_ns, to_ns) now, else why not.

    `camera` None: the caller knows the stream alone. LIVE covers STORED of the same range, for
    the newest key frame of a live view stands in the ring.
    """
    seen = read(key, receipt)
    if seen is None:
        return "this is no receipt of the audit chain"
    if now_ns >= seen.expires_ns:
        return "the receipt has expired"
    if now_ns < seen.expires_ns - LIFETIME_NS - _CLOCK_SLACK_NS:
        return "the receipt was made in the future: the clock has been set back"
    if camera not in (None, seen.camera) or stream not in seen.streams:
        return "the receipt is for another camera"
    if permit is Permit.LIVE and seen.permit is not Permit.LIVE:
        return "the receipt does not permit live view"
    if (permit is Permit.SEARCH) != (seen.permit is Permit.SEARCH):
        return "a receipt for a search is one for nothing else"
    if from_ns < seen.from_ns or to_ns > seen.to_ns:
        return "the range reaches outside the receipt"
    return None
