"""What programs are told of what they have, and of what the bus says.

Sentences of the recorder, which may hold addresses, are not passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from vonggac.registry.camera import Camera
from vonggac.registry.hooks import Hook, HookKind, may_deliver
from vonggac_appliance import bus_events
from vonggac_appliance.hook_protocol import HookCamera, HookGap, HookGrant, HookMotion

__all__ = ["Told", "grant_of", "told_of"]

Told = HookMotion | HookCamera | HookGap


def grant_of(
    hook: Hook, cameras: Iterable[Camera], kinds: Set[HookKind], missed: int, now_ns: int
) -> HookGrant:
    """The answer to `listen`, of `kinds`."""
    codes = [
        camera.code
        for camera in cameras
        if any(may_deliver(hook, camera, kind, now_ns) for kind in kinds)
    ]
    words = [kind.value for kind in HookKind if kind in kinds]
    return HookGrant(hook.number, hook.name, codes, words, hook.until_ns, missed, now_ns)


def told_of(event: bus_events.Event) -> tuple[HookKind, Told] | None:
    """The kind that it needs, and the message; None: programs are not told of it."""
    match event:
        case bus_events.MotionFound():
            return HookKind.MOTION, HookMotion(
                event.camera,
                event.episode,
                event.is_over,
                event.from_ns,
                event.to_ns,
                event.strongest_ns,
                event.cells,
                event.tier,
                event.at_ns,
            )
        case bus_events.CameraChanged():
            told = HookCamera(event.camera, event.stream, event.state, event.at_ns)
            return HookKind.EVENTS, told
        case bus_events.GapOpened():
            gap = HookGap(event.camera, event.stream, event.start_ns, None, event.reason)
            return HookKind.EVENTS, gap
        case bus_events.GapClosed():
            span = (event.start_ns, event.end_ns)
            return HookKind.EVENTS, HookGap(event.camera, event.stream, *span, event.reason)
    return None
