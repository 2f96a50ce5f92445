"""When the box's clock was set, as against kept: a rule about two clocks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

STEP_NS = 60 * 1_000_000_000
"""A step of more than a minute waits for a person (promise 7 of docs/design/storage.md)."""
_WINDOW_NS = 3600 * 1_000_000_000
"""What a clock moved by within this counts as one step: several short ones, and a slew too fast for
a crystal (16,700 ppm; chrony and the kernel keep a clock with 500, a smeared leap second is 12).
"""


@dataclass(frozen=True, slots=True)
class ClockSteps:
    """How far wall time lay from a clock that nobody sets, lately."""

    offset_ns: int
    """Wall time less CLOCK_BOOTTIME, at the beginning of the window."""
    since_ns: int
    """CLOCK_BOOTTIME at the beginning of the window."""

    def look(self, wall_ns: int, boot_ns: int) -> tuple[ClockSteps, int]:
        """At both clocks, read together: what is known then, and the step in ns; 0: none."""
        step_ns = wall_ns - boot_ns - self.offset_ns
        if abs(step_ns) > STEP_NS:
            return begin(wall_ns, boot_ns), step_ns
        if boot_ns - self.since_ns >= _WINDOW_NS:
            return begin(wall_ns, boot_ns), 0
        return self, 0


@dataclass(frozen=True, slots=True)
class StepNote:
    """A step that no person has confirmed yet."""

    at_ns: int
    """Wall time behind the newest step, by the clock as it was set."""
    step_ns: int
    """The newest step: how far it went, forward or back."""
    largest_ns: int
    """The largest of all, without its sign."""
    count: int = 1

    def again(self, at_ns: int, step_ns: int) -> StepNote:
        """One more before a person has looked: a dead RTC, then the time from the network."""
        largest_ns = max(self.largest_ns, abs(step_ns))
        return replace(
            self, at_ns=at_ns, step_ns=step_ns, largest_ns=largest_ns, count=self.count + 1
        )


def begin(wall_ns: int, boot_ns: int) -> ClockSteps:
    """A window that begins now."""
    return ClockSteps(wall_ns - boot_ns, boot_ns)


def noted(before: StepNote | None, at_ns: int, step_ns: int) -> StepNote:
    """What is to be confirmed after a step."""
    return before.again(at_ns, step_ns) if before else StepNote(at_ns, step_ns, abs(step_ns))


def behind_the_record(wall_ns: int, newest_ns: int) -> int:
    """How far, negative, a clock stands before what a disk holds already (a dead RTC); 0: it does
    not by a minute. What was recorded last is no earlier than it was recorded.
    """
    step_ns = wall_ns - newest_ns
    return step_ns if step_ns < -STEP_NS else 0
