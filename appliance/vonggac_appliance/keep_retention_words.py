"""What a keeper tells of its disk's footage: how far back it reaches, and which promises break."""

from __future__ import annotations

from vonggac.store import retention
from vonggac.store.promise import Demand, Outlook, outlook
from vonggac.store.sweep import Sweep
from vonggac_appliance.keep_chores import Desk
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import RetentionTold, StreamKept

__all__ = ["RetentionWords"]


class RetentionWords:
    """To the parent; what a person has to look at is said once, until it is over."""

    def __init__(self, desk: Desk) -> None:
        self.names: dict[bytes, str] = {}
        """Codes of cameras, as far as told."""
        self._desk = desk
        self._alarmed: dict[str, str] = {}

    def tell(self, sweep: Sweep, plan: retention.Plan) -> None:
        """After a look at all segments."""
        identity = self._desk.ring.disk.identity
        capacity = identity.segments * identity.segment_bytes
        view = _outlook(sweep, capacity)
        broken = [bytes.fromhex(name) for name in view.broken]
        self._desk.say(
            Kind.RETENTION_TOLD,
            RetentionTold(
                disk=identity.disk,
                capacity_bytes=capacity,
                held_bytes=sweep.held_bytes,
                pinned_bytes=sweep.pinned_bytes,
                due_bytes=sweep.due_bytes,
                held=plan.held,
                is_guarded=plan.is_guarded,
                holds_days=view.holds_days,
                needed_bytes=view.needed_bytes,
                room_bytes=view.room_bytes,
                broken=broken,
                streams=[
                    StreamKept(
                        stream,
                        tally.camera,
                        tally.segments,
                        tally.oldest_ns,
                        tally.newest_ns,
                        tally.bytes_a_day(sweep.now_ns),
                    )
                    for stream, tally in sweep.streams.items()
                ],
            ),
        )
        self._warn("retention-guard", plan.held if plan.is_guarded else "", "")
        names = ", ".join(sorted(self.names.get(camera, camera.hex()) for camera in broken))
        what = ""
        if broken and view.holds_days is not None:
            days = max(sweep.policies.of(camera).days_min for camera in broken)
            what = f"{view.holds_days:.1f} days at the present rate; {days} promised ({names})"
        self._warn("retention-at-risk", what, names)

    def _warn(self, kind: str, what: str, about: str) -> None:
        """Once, until it is about others or over."""
        if what and self._alarmed.get(kind) != about:
            self._desk.alarm(kind, str(self._desk.ring.disk.path), what)
        if what:
            self._alarmed[kind] = about
        else:
            self._alarmed.pop(kind, None)


def _outlook(sweep: Sweep, capacity: int) -> Outlook:
    demands: list[Demand] = []
    for tally in sweep.streams.values():
        rate = tally.bytes_a_day(sweep.now_ns)
        if rate:
            limits = sweep.policies.of(tally.camera)
            name = tally.camera.hex()
            demands.append(Demand(name, rate, limits.days_min, limits.days_max, limits.priority))
    return outlook(capacity, sweep.pinned_bytes, demands)
