"""Whether somebody logged what `motion run` is asked, before anything is made of the question."""

from __future__ import annotations

from pathlib import Path

from vonggac.errors import Refused
from vonggac.evidence import receipt as receipts
from vonggac.evidence.receipt import Permit
from vonggac_appliance import motion_words
from vonggac_appliance.keep_answers import RECEIPT_KEY
from vonggac_appliance.messages_motion import MotionQuery

__all__ = ["check_logged"]


def check_logged(
    home: Path, query: MotionQuery, given: list[bytes], now_ns: int, *, is_heat: bool
) -> None:
    """Raises Refused without receipts for exactly this; Invalid for what makes no sense.

    In that order: anybody may ask, and the words of a large question take a while.
    """
    if len(given) > motion_words.LINES_MAX:
        raise Refused(f"a search has at most {motion_words.LINES_MAX} receipts")
    try:
        key = (home / RECEIPT_KEY).read_bytes()
    except OSError as error:
        raise Refused(f"no receipt can be checked: {error.strerror}") from error
    if not any(receipts.read(key, one) for one in given):
        raise Refused("nobody logged this search: it has no receipt of the audit chain")
    motion_words.check(query, now_ns)
    for words, cameras in motion_words.groups(query, is_heat=is_heat):
        digest = receipts.search_digest(words)
        for camera in cameras:
            _expect(key, given, digest, camera, query, now_ns)


def _expect(
    key: bytes, given: list[bytes], digest: bytes, camera: bytes, query: MotionQuery, now_ns: int
) -> None:
    """Raises Refused where none of the receipts is for this camera, range and question."""
    why = ""
    span = query.from_ns, query.to_ns
    for one in given:
        no = receipts.verify(key, one, digest, camera, *span, Permit.SEARCH, now_ns)
        if no is None:
            return
        why = no
    raise Refused(why)
