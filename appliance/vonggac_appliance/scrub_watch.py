"""What keepers say of their scrubs, as the parent keeps it; each wrong place becomes an alarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vonggac.registry.camera import Camera
from vonggac_appliance import bus_control
from vonggac_appliance.clock import iso
from vonggac_appliance.messages_keeper import Rot, Scrubbed

__all__ = ["ALARM", "ScrubWatch"]

ALARM = "bit-rot"


class ScrubWatch:
    """By disk."""

    def __init__(
        self, cameras: Callable[[], Mapping[bytes, Camera]], alarm: Callable[[str, str, str], None]
    ) -> None:
        self._cameras = cameras
        self._alarm = alarm
        self._last: dict[str, Scrubbed] = {}

    def note(self, path: str, scrubbed: Scrubbed) -> None:
        """A keeper has read on. Raises one alarm for each place it found wrong."""
        self._last[scrubbed.disk.hex()] = scrubbed
        for rot in scrubbed.found:
            self._alarm(ALARM, self._name(rot), _sentence(path, rot))

    def status(self, disk: str) -> bus_control.ScrubStatus | None:
        """Of a disk, by its uuid in hex; None: nothing was said yet."""
        last = self._last.get(disk)
        if last is None:
            return None
        share = last.next_segment / last.segments if last.segments else 1.0
        return bus_control.ScrubStatus(last.read_bytes, last.faults, last.began_ns, share)

    def _name(self, rot: Rot) -> str:
        camera = self._cameras().get(rot.camera)
        if camera is None:
            return rot.camera.hex()
        names = {stream.id: stream.name for stream in camera.streams}
        return f"{camera.code}/{names.get(rot.stream, rot.stream.hex())}"


def _sentence(path: str, rot: Rot) -> str:
    where = f"disk {path}, segment {rot.segment}"
    where += f", byte {rot.offset}" if rot.offset else ""
    return f"{iso(rot.from_ns)} to {iso(rot.to_ns)}: {rot.what} ({where})"
