"""Receipts: what they cover, and what they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.evidence import receipt
from vonggac.evidence.receipt import Permit, Receipt

KEY = b"k" * 32
CAMERA, MAIN, SUB = b"c" * 16, b"m" * 16, b"s" * 16
WHOLE = Receipt(7, CAMERA, (MAIN, SUB), 1000, 2000, Permit.STORED, 9000)
RAW = receipt.write(KEY, WHOLE)


def check(raw: bytes = RAW, **changes: object) -> str | None:
    given_values = {
        "camera": CAMERA,
        "stream": MAIN,
        "from_ns": 1000,
        "to_ns": 2000,
        "permit": Permit.STORED,
        "now_ns": 8999,
    }
    return receipt.verify(KEY, raw, **(given_values | changes))


def test_a_receipt_is_read_as_it_was_written() -> None:
    assert receipt.read(KEY, RAW) == WHOLE


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stream": SUB},
        {"camera": None},
        {"from_ns": 1500, "to_ns": 1501},
    ],
    ids=["all", "sub", "camera-unknown", "inside"],
)
def test_what_it_covers_is_shown(changes: dict[str, object]) -> None:
    assert check(**changes) is None


def test_a_clock_that_was_set_back_makes_no_receipt_last_longer() -> None:
    made_ns = 1_795_305_600 * 1_000_000_000
    raw = receipt.write(KEY, replace(WHOLE, expires_ns=made_ns + receipt.LIFETIME_NS))
    assert check(raw, now_ns=made_ns - 59 * 1_000_000_000) is None
    assert "set back" in (check(raw, now_ns=made_ns - 61 * 1_000_000_000) or "")
    assert "expired" in (check(raw, now_ns=made_ns + receipt.LIFETIME_NS) or "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"now_ns": 9000}, "expired"),
        ({"camera": b"x" * 16}, "another camera"),
        ({"stream": b"x" * 16}, "another camera"),
        ({"from_ns": 999}, "outside"),
        ({"to_ns": 2001}, "outside"),
        ({"permit": Permit.LIVE}, "live"),
    ],
    ids=["expired", "camera", "stream", "before", "after", "live"],
)
def test_what_it_does_not_cover_is_refused(changes: dict[str, object], words: str) -> None:
    assert words in str(check(**changes))


def test_a_live_receipt_also_opens_what_is_stored() -> None:
    raw = receipt.write(KEY, replace(WHOLE, permit=Permit.LIVE))
    assert check(raw, permit=Permit.LIVE) is None
    assert check(raw) is None


@pytest.mark.parametrize("at", range(len(RAW)))
def test_no_byte_of_it_can_be_changed(at: int) -> None:
    altered = bytearray(RAW)
    altered[at] ^= 1
    assert receipt.read(KEY, bytes(altered)) is None


def test_another_key_writes_no_receipt_of_ours() -> None:
    assert receipt.read(KEY, receipt.write(b"j" * 32, WHOLE)) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_no_receipt(raw: bytes) -> None:
    assert receipt.read(KEY, raw) is None


def test_the_bytes_are_those_of_the_reference() -> None:
    """docs/ref/audit.md draws this layout."""
    assert len(RAW) == 4 + 8 + 16 + 8 + 8 + 1 + 8 + 1 + 2 * 16 + 32
    assert RAW[:12] == b"VGR1" + (7).to_bytes(8, "big")


def test_a_receipt_for_a_search_opens_no_picture_and_one_for_pictures_no_search() -> None:
    asked = receipt.search_digest("motion in 0.1,0.2 0.3,0.2 0.3,0.5")
    search = receipt.write(KEY, replace(WHOLE, camera=asked, permit=Permit.SEARCH))

    assert check(search, camera=asked, permit=Permit.SEARCH) is None
    assert check(search, camera=None) is not None
    assert check(search, camera=None, permit=Permit.LIVE) is not None
    assert check(camera=None, permit=Permit.SEARCH) is not None


def test_a_receipt_for_a_search_is_one_for_that_question_alone() -> None:
    asked, other = receipt.search_digest("motion in a"), receipt.search_digest("motion in b")
    search = receipt.write(KEY, replace(WHOLE, camera=asked, permit=Permit.SEARCH))

    assert check(search, camera=other, permit=Permit.SEARCH) is not None
    assert check(search, camera=asked, stream=b"x" * 16, permit=Permit.SEARCH) is not None
