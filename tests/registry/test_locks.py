"""Who may lock what, for how long, and who takes it away again."""

from __future__ import annotations

import msgspec
import pytest

from vonggac.errors import Invalid, Refused
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.locks import (
    Lock,
    ask_unlock,
    check_quota,
    confirm_unlock,
    new_lock,
    review_later,
)
from vonggac.registry.people import Person, Role, local_person

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
NOW_NS = 1_800_000_000 * SECOND_NS
CAMERA = Camera(
    id=b"c" * 16,
    code="cam1",
    streams=(Stream(b"m" * 16, "main", "rtsp://h/1"), Stream(b"s" * 16, "sub", "rtsp://h/2")),
    created_ns=1,
)
AN = Person("a" * 32, Role.COMMANDER)
BINH = Person("b" * 32, Role.DETECTIVE)
CHI = Person("c" * 32, Role.DETECTIVE)
SHELL = local_person(1000)


def made(
    from_ns: int = NOW_NS - DAY_NS,
    to_ns: int = NOW_NS - DAY_NS + 60 * SECOND_NS,
    texts: tuple[str, str, str] = ("2026/17", "An", "trộm"),
    review_ns: int = NOW_NS + 30 * DAY_NS,
) -> Lock:
    span = (from_ns, to_ns)
    lock_id, streams = b"l" * 16, ((b"m" * 16, "main"), (b"s" * 16, "sub"))
    return new_lock(lock_id, 7, CAMERA, streams, span, texts, review_ns, SHELL, NOW_NS)


def test_a_lock_tells_what_of_which_stream_is_held_and_by_whom() -> None:
    lock = made(texts=(" 2026/17 ", "Nguyễn  Văn An", "trộm ở hẻm 45"))

    assert [(s.name, s.from_ns, s.to_ns) for s in lock.streams] == [
        (name, NOW_NS - DAY_NS, NOW_NS - DAY_NS + 60 * SECOND_NS) for name in ("main", "sub")
    ]
    assert (lock.number, lock.code, lock.made_by) == (7, "cam1", "local:1000")
    assert (lock.case, lock.officer) == ("2026/17", "Nguyễn Văn An")
    assert lock.is_held


@pytest.mark.parametrize(
    ("words", "field"),
    [
        pytest.param({"from_ns": NOW_NS, "to_ns": NOW_NS}, "to", id="empty"),
        pytest.param({"from_ns": -1, "to_ns": NOW_NS}, "to", id="before-time"),
        pytest.param({"to_ns": NOW_NS + 3601 * SECOND_NS}, "to", id="ahead"),
        pytest.param({"review_ns": NOW_NS}, "review", id="review-now"),
        pytest.param({"review_ns": NOW_NS + 90 * DAY_NS + 1}, "review", id="review-late"),
        pytest.param({"texts": ("", "An", "why")}, "case", id="no-case"),
        pytest.param({"texts": ("1", " . ", "why")}, "officer", id="no-officer"),
        pytest.param({"texts": ("1", "An", "")}, "reason", id="no-reason"),
        pytest.param({"texts": ("1" * 65, "An", "why")}, "case", id="long-case"),
        pytest.param({"texts": ("1", "An", "w\u202ehy")}, "reason", id="unseen"),
    ],
)
def test_what_is_no_lock_says_which_word_is_wrong(words: dict[str, int], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        made(**words)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_the_coming_hour_and_ninety_days_are_allowed() -> None:
    assert made(to_ns=NOW_NS + 3600 * SECOND_NS, review_ns=NOW_NS + 90 * DAY_NS).is_held


def test_a_lock_holds_until_a_second_person_confirms() -> None:
    asked = ask_unlock(made(), BINH, "vụ án đã đóng", NOW_NS)
    assert asked.is_held
    done = confirm_unlock(asked, AN, NOW_NS + DAY_NS)
    assert not done.is_held
    assert done.unlock is not None
    assert (done.unlock.asked_by, done.unlock.confirmed_by) == (BINH.name, AN.name)
    assert done.streams == asked.streams


@pytest.mark.parametrize(
    ("asking", "confirming", "later_ns", "why"),
    [
        pytest.param(AN, AN, 0, "two people", id="same"),
        pytest.param(BINH, CHI, 0, "commander", id="no-commander"),
        pytest.param(AN, BINH, 7 * DAY_NS, "lapsed", id="lapsed"),
        pytest.param(SHELL, AN, 0, "shell", id="shell-and-account"),
        pytest.param(AN, SHELL, 0, "shell", id="account-and-shell"),
        pytest.param(SHELL, SHELL, 0, "two people", id="same-shell"),
        pytest.param(AN, Person("t", Role.TECHNICIAN), 0, "technician", id="technician"),
        pytest.param(AN, Person("o", Role.OPERATOR), 0, "operator", id="operator"),
    ],
)
def test_who_cannot_confirm_is_told_why(
    asking: Person, confirming: Person, later_ns: int, why: str
) -> None:
    asked = ask_unlock(made(), asking, "why", NOW_NS)
    with pytest.raises(Refused, match=why):
        confirm_unlock(asked, confirming, NOW_NS + later_ns)


def test_two_shells_of_different_users_are_two_people() -> None:
    asked = ask_unlock(made(), SHELL, "why", NOW_NS)
    assert not confirm_unlock(asked, local_person(1001), NOW_NS).is_held


def test_nobody_confirms_what_nobody_asked_for() -> None:
    with pytest.raises(Refused, match="nobody has asked"):
        confirm_unlock(made(), AN, NOW_NS)


def test_an_auditor_asks_for_nothing_and_nobody_asks_twice() -> None:
    with pytest.raises(Refused, match="auditor"):
        ask_unlock(made(), Person("x", Role.AUDITOR), "why", NOW_NS)
    asked = ask_unlock(made(), AN, "why", NOW_NS)
    with pytest.raises(Refused, match="already"):
        ask_unlock(asked, AN, "why", NOW_NS + 1)
    assert ask_unlock(asked, AN, "again", NOW_NS + 7 * DAY_NS).is_held


def test_a_removed_lock_can_be_neither_reviewed_nor_removed_again() -> None:
    gone = confirm_unlock(ask_unlock(made(), AN, "why", NOW_NS), BINH, NOW_NS)
    for act in (
        lambda: ask_unlock(gone, BINH, "why", NOW_NS),
        lambda: confirm_unlock(gone, AN, NOW_NS),
        lambda: review_later(gone, NOW_NS + DAY_NS, NOW_NS),
    ):
        with pytest.raises(Refused, match="removed already"):
            act()


def test_a_review_is_put_off_by_ninety_days_at_most() -> None:
    late_ns = NOW_NS + 90 * DAY_NS
    assert review_later(made(), late_ns, NOW_NS) == msgspec.structs.replace(
        made(), review_ns=late_ns
    )
    with pytest.raises(Invalid, match="90 days"):
        review_later(made(), late_ns + 1, NOW_NS)


@pytest.mark.parametrize(
    ("before", "after", "is_refused"),
    [(0, 20, False), (0, 21, True), (25, 25, False), (25, 26, True), (19, 20, False)],
)
def test_locks_hold_no_more_than_their_quota(before: int, after: int, is_refused: bool) -> None:
    if not is_refused:
        check_quota("/d", before, after, 100, 20)
        return
    with pytest.raises(Refused, match=rf"hold {after} of 100.*may hold 20.*recording goes on"):
        check_quota("/d", before, after, 100, 20)
