"""What the model of the torn histories takes for erased, and what not."""

from __future__ import annotations

import pytest

from store.torn_model import Broken, Key, Made, Model
from vonggac.store.journal import Lock

STREAM = b"stream".ljust(16, b"\0")


def key(second: int) -> Key:
    return (STREAM, 1, second)


def model_that_erases(*seconds: int) -> Model:
    """Chunks of a second each, on their way out."""
    model = Model()
    for second in seconds:
        model.made[key(second)] = Made(b"", second, second + 1, second)
        model.erasing.add(key(second))
    return model


def lock_of(second: int) -> Lock:
    return Lock(bytes(16), STREAM, second, second + 1)


def test_what_was_done_is_erased_for_good() -> None:
    model = model_that_erases(0, 1)
    model.settle_erasing((), is_withdrawn=False)
    assert (model.erasing, model.erased) == (set(), {key(0), key(1)})


def test_a_wish_that_was_not_journalled_is_forgotten_beside_one_that_is_done_again() -> None:
    model = model_that_erases(0, 1, 2)
    model.forget_wishes([key(2)])
    model.settle_erasing((), is_withdrawn=False)
    assert model.erased == {key(0), key(1)}


def test_a_lock_on_one_chunk_keeps_all_of_the_wish() -> None:
    model = model_that_erases(0, 1)
    model.settle_erasing([lock_of(0)], is_withdrawn=True)
    assert (model.erasing, model.erased) == (set(), set())


def test_a_wish_that_is_given_up_without_a_lock_is_a_broken_promise() -> None:
    with pytest.raises(Broken, match="stay without a lock"):
        model_that_erases(0, 1).settle_erasing([lock_of(5)], is_withdrawn=True)


def test_a_chunk_that_nobody_was_told_of_pins_its_segment_as_others_do() -> None:
    model, life = model_that_erases(0, 10), (3, 7)
    model.erasing.clear()
    model.durable[key(10)] = (*life, 0)
    assert not model.may_be_pinned(life, [lock_of(5)])
    model.seen[key(0)] = (*life, 4096)
    assert model.may_be_pinned(life, [lock_of(5)])
