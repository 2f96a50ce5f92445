"""What the watch for camera trouble finds of a labelled set, how soon, and what it costs.

    python bench/trouble.py [--seeds 3]

Thresholds were chosen on seeds 100 and 101; these are others.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from trouble_scenes import BEFALLS, NIGHT_NS, NOON_NS, Befalls, S, befallen, usual
from vonggac.motion.trouble import Trouble, TroubleTold, TroubleWatch

LEARNT_MINUTES = 32
MINUTES = 8
QUANTISER = 30
"""Of H.264: what a camera of few bits sends."""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=3)
    seeds = range(200, 200 + asked.parse_args().seeds)
    figures = Figures()
    for seed in seeds:
        for is_night in (False, True):
            one_camera(figures, seed, is_night)
    figures.tell()
    return 0


class Figures:
    """Counted over all cameras."""

    def __init__(self) -> None:
        self.told: dict[str, Counter[str]] = defaultdict(Counter)
        self.kinds: dict[str, Trouble | None] = {}
        self.minutes: dict[str, list[float]] = defaultdict(list)
        self.spent_s = 0.0
        self.fed_minutes = 0

    def count(self, what: Befalls, told: list[TroubleTold], began_ns: int) -> None:
        self.kinds[what.name] = what.kind
        self.told[what.name][told[0].kind if told else "-"] += 1
        if told:
            self.minutes[what.name].append((told[0].at_ns - began_ns) / 60e9)

    def tell(self) -> None:
        for name, told in self.told.items():
            late = max(self.minutes[name], default=0.0)
            kinds = ", ".join(f"{kind} {count}" for kind, count in told.most_common())
            print(f"{name:34} {self.kinds[name] or 'fine':10} told: {kinds}; within {late:.1f} min")
        right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
        for name, told in self.told.items():
            kind = self.kinds[name]
            for word, count in told.items():
                if word == kind:
                    right[word] += count
                elif word != "-":
                    wrong[word] += count
                if kind is not None and word != kind:
                    missed[kind] += count
        for kind in Trouble:
            found = right[kind]
            precision = found / max(found + wrong[kind], 1)
            recall = found / max(found + missed[kind], 1)
            print(f"{kind:10} precision {precision:.2f} recall {recall:.2f}")
        bad = [told for name, told in self.told.items() if self.kinds[name] is not None]
        fine = [told for name, told in self.told.items() if self.kinds[name] is None]
        some = sum(told.total() - told["-"] for told in bad)
        false = sum(told.total() - told["-"] for told in fine)
        print(f"any trouble: {some} of {sum(t.total() for t in bad)} told;"
              f" {false} of {sum(t.total() for t in fine)} fine ones told")  # fmt: skip
        a_minute_ms = 1000 * self.spent_s / self.fed_minutes
        print(f"{a_minute_ms:.1f} ms of CPU a camera and minute,"
              f" {64 * a_minute_ms / 600:.2f} % of a core for 64 cameras")  # fmt: skip


def one_camera(figures: Figures, seed: int, is_night: bool) -> None:
    """What it learns is learnt once; each thing befalls a copy of it."""
    began_ns = NIGHT_NS if is_night else NOON_NS
    watch = TroubleWatch()
    for at_ns, means in usual(seed, LEARNT_MINUTES, is_night=is_night, quantiser=QUANTISER):
        for told in watch.feed(began_ns + at_ns, means):
            print("told while nothing happened:", told, file=sys.stderr)
    began_ns += LEARNT_MINUTES * 60 * S
    for what in BEFALLS:
        if what.is_by_night not in (None, is_night):
            continue
        found: list[TroubleTold] = []
        own = copy.deepcopy(watch)
        for at_ns, means in befallen(what, seed, MINUTES, is_night=is_night, quantiser=QUANTISER):
            started_s = time.thread_time()
            found += own.feed(began_ns + at_ns, means)
            figures.spent_s += time.thread_time() - started_s
        figures.fed_minutes += MINUTES
        figures.count(what, [one for one in found if not one.is_over], began_ns)


if __name__ == "__main__":
    raise SystemExit(main())
