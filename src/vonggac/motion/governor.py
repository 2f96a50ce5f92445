"""Which streams are decoded whole, and which by key frames alone, within a share of the CPU. Pure.

Everything is measured by the caller: seconds of CPU for a second of footage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vonggac.motion.slots import Tier

__all__ = ["Cost", "guess", "measured", "tiers"]

_FILLED = 0.9
"""Of the budget: what is planned for; the rest is for what varies from second to second."""
_ROOM = 0.75
"""Of the budget: below that a stream may be decoded whole again, so that it does not swing."""
_LAG_S = 5.0
"""Promised: what moved is found after so long."""
_LESS = 0.8
_CALM_S = 4.0
_KEY_SHARE = 0.12
"""Of a whole decode, where nobody has measured it (docs/design/motion.md: 0.06 to 0.3)."""
_SMOOTH = 0.2
"""How much the last measurement counts."""
_S_PER_PIXEL = 2e-9
"""Of a whole decode, before it was measured: 0.47 ms for 640 x 360."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one stream, in seconds of CPU for a second of footage."""

    full: float
    key: float
    tier: Tier
    """As it is decoded now."""


def guess(pixels: int, pictures_a_second: float) -> Cost:
    """Before anything was measured."""
    full = _S_PER_PIXEL * pixels * pictures_a_second
    return Cost(full, full * _KEY_SHARE, Tier.FULL)


def measured(
    before: Cost | None, tier: Tier, of: Tier, spent: float, shape: tuple[int, float]
) -> Cost:
    """What a second costs as it was measured lately: `spent`, last, for one decoded as `of`.

    `before`: None where this is the first; `shape`: pixels, and pictures a second; `tier`: of now.
    """
    share = 1.0 if before is None else _SMOOTH
    known = before or guess(*shape)
    if of is Tier.FULL:
        full = known.full + share * (spent - known.full)
        return Cost(full, known.key if before else full * _KEY_SHARE, tier)
    return Cost(known.full, known.key + share * (spent - known.key), tier)


def tiers(costs: Mapping[bytes, Cost], budget: float, lag_s: float = 0.0) -> dict[bytes, Tier]:
    """The tier of each stream, so that all together cost less than `budget` cores.

    Those that save most go down first; one comes back at a time, the cheapest first. `lag_s`: how
    far the newest footage is behind, since the box gives less CPU than the budget: then the plan
    is for less than now, until it is not.
    """
    chosen = {stream: cost.tier for stream, cost in costs.items()}
    spent = sum(_cost(cost, cost.tier) for cost in costs.values())
    if lag_s > _LAG_S:
        budget = min(budget, spent * _LESS)
    savings = sorted(costs, key=lambda stream: costs[stream].full - costs[stream].key)
    for stream in reversed(savings):
        if spent <= budget * _FILLED:
            break
        if chosen[stream] is Tier.FULL:
            spent -= costs[stream].full - costs[stream].key
            chosen[stream] = Tier.KEY
    for stream in savings if lag_s < _CALM_S else ():
        more = costs[stream].full - costs[stream].key
        if costs[stream].tier is Tier.KEY and spent + more <= budget * _ROOM:
            chosen[stream] = Tier.FULL
            break
    return chosen


def _cost(cost: Cost, tier: Tier) -> float:
    return cost.full if tier is Tier.FULL else cost.key
