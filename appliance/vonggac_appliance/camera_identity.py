"""Whether the device at a camera's address is still the camera's: remembered, and what follows.

Another one is an alarm. A household's camera is then not recorded before a person has said that it
is the right one: an address that a router gave to somebody else must not show us a neighbour's
rooms. All others are recorded on, for there a gap would be the greater loss.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from vonggac.media.chunk import GapReason
from vonggac.registry import rules
from vonggac.registry.camera import Camera
from vonggac.rtsp import device
from vonggac.rtsp.device import Device

__all__ = ["Identity", "Other", "OtherDeviceMet", "judged"]


class OtherDeviceMet(Exception):
    """Somebody else answers: nothing more may be said on this connection."""

    def __init__(self, seen: Device) -> None:
        super().__init__(str(seen))
        self.seen = seen


@dataclass(frozen=True, slots=True)
class Other:
    """A device that answered in a camera's place, and waits for a person's word."""

    device: Device
    certificate: bytes
    """SHA-256 of the one it showed; empty: as before, or none."""
    since_ns: int


@dataclass(slots=True)
class Identity:
    """Of one camera. Used in the recorder's one thread."""

    known: Device = field(default_factory=Device)
    varying: frozenset[str] = frozenset()
    """Facts that this camera tells differently from one connection to the next."""
    other: Other | None = None
    pauses: bool = False
    """Whether another device is not to be recorded; told before each connection."""
    _news: str = ""

    @property
    def is_held(self) -> bool:
        """Whether nothing is recorded before a person has spoken."""
        return self.pauses and self.other is not None

    def look_at(self, seen: Device, *, is_whole: bool) -> None:
        """Before something is said to who answers. Raises OtherDeviceMet.

        `is_whole`: its description was heard.
        """
        if not self._differs(self.known, seen, is_whole):
            return
        is_met = self.other is not None and not self._differs(self.other.device, seen, is_whole)
        if self.pauses or not is_met:
            raise OtherDeviceMet(seen)

    def met(self, seen: Device, again: Device) -> bool:
        """Somebody else seems to answer, and was asked twice. Gives whether it is another device.

        What differs between two connections a moment apart says nothing of a device. But where
        the second answer is the known device's own, two devices share an address.
        """
        if again.facts() and device.differing(self.known, again) <= self.varying:
            self._holds(Other(seen, b"", time.time_ns()))
            return True
        self.varying |= device.differing(seen, again)
        if not self._differs(self.known, seen, is_whole=True):
            return False
        self._holds(Other(device.merged(seen, again), b"", time.time_ns()))
        return True

    def met_certificate(self, certificate: bytes) -> None:
        """Somebody answers with another certificate than the camera's."""
        self._holds(Other(Device(), certificate, time.time_ns()))

    def played(self, seen: Device) -> None:
        """Who said this plays. Words that an update has changed are taken over."""
        if self._differs(self.known, seen, is_whole=True):
            return  # the other one, which is recorded all the same
        self.known, self.other = device.merged(self.known, seen), None

    def is_proven(self, seen: Device) -> bool:
        """Whether this is the camera beyond doubt."""
        return device.is_proven(self.known, seen, self.varying)

    def confirm(self, *, is_known_back: bool) -> Other | None:
        """A person has spoken: the other device is the camera now, or the known one is back.

        Gives who had waited for it.
        """
        other, self.other = self.other, None
        if other is not None and not is_known_back and other.device.facts():
            self.known, self.varying = other.device, frozenset()
        return other

    def news(self) -> str:
        """What a person has to be told, once; empty where there is nothing."""
        news, self._news = self._news, ""
        return news

    def sentence(self) -> str:
        """About the other device; only where there is one."""
        assert self.other is not None
        what = f"another device answers at its address: {self.other.device}"
        if self.other.certificate:
            what = f"another certificate than before ({self.other.certificate.hex()[:16]}…)"
        hint = "if it is the right one, confirm-device"
        return f"{what}; known: {self.known}; {hint}"

    def _differs(self, known: Device, seen: Device, is_whole: bool) -> bool:
        return device.is_other(known, seen, self.varying, is_whole=is_whole)

    def _holds(self, other: Other) -> None:
        before = self.other
        is_alike = before is not None and before.certificate == other.certificate
        if before is not None and is_alike and not self._differs(before.device, other.device, True):
            return  # known to wait
        self.other = other
        self._news = self.sentence()


def judged(answer: rules.Recording, camera: Camera, identity: Identity) -> rules.Recording:
    """What the rules say, once it is known who answers at the camera's address."""
    identity.pauses = rules.pauses_for_another_device(camera)
    if not answer.is_allowed or not identity.is_held:
        return answer
    return rules.Recording(False, identity.sentence(), GapReason.OTHER_DEVICE)
