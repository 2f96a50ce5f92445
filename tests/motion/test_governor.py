"""Within a share of the CPU: who is decoded whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vonggac.motion.governor import Cost, guess, tiers
from vonggac.motion.slots import Tier

_SUB = Cost(0.006, 0.001, Tier.FULL)
_MAIN = Cost(0.08, 0.006, Tier.FULL)


def costs(*of: Cost) -> dict[bytes, Cost]:
    return {bytes([n]) * 16: cost for n, cost in enumerate(of)}


def test_what_fits_is_decoded_whole() -> None:
    found = tiers(costs(*[_SUB] * 64), 0.5)

    assert set(found.values()) == {Tier.FULL}


def test_the_dearest_streams_go_down_first_and_no_more_than_needed() -> None:
    found = tiers(costs(_SUB, _MAIN, _SUB, _MAIN), 0.12)

    assert list(found.values()) == [Tier.FULL, Tier.FULL, Tier.FULL, Tier.KEY]


def test_a_stream_comes_back_only_where_there_is_room_to_spare() -> None:
    down = Cost(_MAIN.full, _MAIN.key, Tier.KEY)

    assert set(tiers(costs(down), 0.09).values()) == {Tier.KEY}
    assert set(tiers(costs(down), 0.12).values()) == {Tier.FULL}


def test_what_went_down_at_a_budget_does_not_come_back_at_the_same() -> None:
    found = tiers(costs(_SUB, _MAIN, _SUB, _MAIN), 0.12)
    again = {
        stream: Cost(cost.full, cost.key, found[stream])
        for stream, cost in costs(_SUB, _MAIN, _SUB, _MAIN).items()
    }

    assert tiers(again, 0.12) == found


def test_footage_that_falls_behind_means_that_less_is_planned() -> None:
    assert Tier.KEY in tiers(costs(*[_SUB] * 8), 0.5, lag_s=30).values()


def test_where_footage_goes_on_falling_behind_all_go_down_in_the_end() -> None:
    found = costs(*[_SUB] * 64)
    for _ in range(20):
        plan = tiers(found, 0.5, lag_s=30)
        found = {s: Cost(cost.full, cost.key, plan[s]) for s, cost in found.items()}

    assert set(plan.values()) == {Tier.KEY}


def test_they_come_back_one_at_a_time_and_only_while_nothing_is_behind() -> None:
    down = costs(*[Cost(_SUB.full, _SUB.key, Tier.KEY)] * 64)

    assert list(tiers(down, 0.5).values()).count(Tier.FULL) == 1
    assert set(tiers(down, 0.5, lag_s=4.5).values()) == {Tier.KEY}


def test_a_large_picture_is_thought_dearer_than_a_small_one() -> None:
    assert guess(1920 * 1080, 25).full > 10 * guess(640 * 360, 10).full


@given(
    st.dictionaries(
        st.binary(min_size=16, max_size=16),
        st.builds(
            lambda full, share, tier: Cost(full, full * share, tier),
            st.floats(0, 1),
            st.floats(0, 1),
            st.sampled_from(Tier),
        ),
        max_size=20,
    ),
    st.floats(0.01, 8),
)
def test_the_plan_keeps_the_budget_unless_all_are_down(
    found: dict[bytes, Cost], budget: float
) -> None:
    plan = tiers(found, budget)
    spent = sum(c.full if plan[s] is Tier.FULL else c.key for s, c in found.items())

    assert spent <= budget * 0.9 + 1e-9 or set(plan.values()) <= {Tier.KEY}
