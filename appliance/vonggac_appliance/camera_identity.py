"""Whether the device at a camera's address is still the camera's: remembered, and what follows.

Another one is an alarm. A household's camera is then not recorded before a person has said that it
is the right one: an address that a router gave to somebody else must not show us a neighbour's
rooms. All others are recorded on, for there a gap would be the greater loss; but a password that
would be said in the clear is not said to another device, whoever owns the camera.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from vonggac.media.chunk import GapReason
from vonggac.registry import rules
from vonggac.registry.camera import Camera
from vonggac.rtsp import device
from vonggac.rtsp.device import Device

__all__ = ["Identity", "Other", "OtherDeviceMet", "judged"]

_SERIAL = frozenset(("serial",))


class OtherDeviceMet(Exception):
    """Somebody else answers: nothing more may be said on this connection."""

    def __init__(self, seen: Device, *, in_clear: bool = False) -> None:
        """`in_clear`: what would be said next is the password itself."""
        super().__init__(str(seen))
        self.seen = seen
        self.in_clear = in_clear


@dataclass(frozen=True, slots=True)
class Other:
    """A device that answered in a camera's place, and waits for a person's word."""

    device: Device
    certificate: bytes
    """SHA-256 of the one it showed; empty: as before, or none."""
    since_ns: int
    varying: frozenset[str] = frozenset()
    """Facts that it told differently from one connection to the next."""


@dataclass(slots=True)
class Identity:
    """Of one camera. Used in the recorder's one thread."""

    known: Device = field(default_factory=Device)
    varying: frozenset[str] = frozenset()
    """Facts that this camera tells differently from one connection to the next."""
    other: Other | None = None
    pauses: bool = False
    """Whether another device is not to be recorded; told before each connection."""
    is_settled: bool = False
    """Whether two connections were told the known serial number: then it is none by chance, and
    who tells another one each time is another device."""
    asks_newcomers: bool = False
    """Whether a device that is met first is asked twice; told before each connection."""
    _newcomer: tuple[Device, Device] | None = None
    """What it said both times."""
    _news: str = ""

    @property
    def is_held(self) -> bool:
        """Whether nothing is recorded before a person has spoken."""
        return self.pauses and self.other is not None

    def is_newcomer(self, seen: Device) -> bool:
        """Whether to ask again, since nobody is known and a serial number is told. Once."""
        is_new = self.asks_newcomers and self._newcomer is None and not self.known.facts()
        if not is_new or not seen.serial:
            return False
        self._newcomer = seen, Device()
        return True

    def greets(self, again: Device) -> bool:
        """What a newcomer said the second time; False: it was none that was asked again."""
        if self._newcomer is None or self.known.facts():
            return False
        self._newcomer = self._newcomer[0], again
        return True

    def look_at(self, seen: Device, *, is_whole: bool, in_clear: bool = False) -> None:
        """Before something is said to who answers. Raises OtherDeviceMet.

        `is_whole`: its description was heard. `in_clear`: the password itself would be said, so
        one word that is another one is enough where none is the same.
        """
        is_other = self._differs(seen, is_whole) or (in_clear and self._is_doubtful(seen))
        if is_other and (self.pauses or in_clear or not self._waits(seen, is_whole)):
            raise OtherDeviceMet(seen, in_clear=in_clear)

    def met(self, seen: Device, again: Device, *, in_clear: bool = False) -> bool:
        """Somebody else seems to answer, and was asked twice. Gives whether it is another device.

        A serial number that differs between two connections a moment apart says nothing of a
        device, where the known one's may be of that kind. But where the second answer is the known
        device's own, two devices share an address.
        """
        if again.facts() and device.differing(self.known, again) <= self.varying:
            self._holds(Other(seen, b"", time.time_ns()))
            return True
        changed = device.differing(seen, again)
        if changed >= _SERIAL and self._may_vary(seen):
            self.varying |= _SERIAL
        if not self._differs(seen, is_whole=True) and not (in_clear and self._is_doubtful(seen)):
            return False
        self._holds(Other(device.merged(seen, again), b"", time.time_ns(), changed))
        return True

    def met_certificate(self, certificate: bytes) -> None:
        """Somebody answers with another certificate than the camera's."""
        self._holds(Other(Device(), certificate, time.time_ns()))

    def played(self, seen: Device) -> None:
        """Who said this plays. Words that an update has changed are taken over."""
        if self._differs(seen, is_whole=True):
            return  # the other one, which is recorded all the same
        if self._newcomer is not None and not self.known.facts():
            first, second = self._newcomer
            self.varying |= device.differing(first, second) & _SERIAL
            self.is_settled = bool(seen.serial) and first.serial == second.serial == seen.serial
        elif self.known.serial:
            self.is_settled |= self.known.serial == seen.serial
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
            self.known, self.varying, self.is_settled = other.device, other.varying, False
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
        if self.other.varying >= _SERIAL:
            what += ", with another serial number at each connection"
        hint = "if it is the right one, confirm-device"
        return f"{what}; known: {self.known}; {hint}"

    def _differs(self, seen: Device, is_whole: bool) -> bool:
        return device.is_other(self.known, seen, self.varying, is_whole=is_whole)

    def _is_doubtful(self, seen: Device) -> bool:
        return device.shares_nothing(self.known, seen, self.varying)

    def _may_vary(self, seen: Device) -> bool:
        """Whether the camera's own serial number may be made by chance: one connection alone was
        told the known one, and its other words are those that are heard now."""
        return not self.is_settled and bool(device.agreeing(self.known, seen) - _SERIAL)

    def _waits(self, seen: Device, is_whole: bool) -> bool:
        """Whether this is the other device that a person was told of."""
        other = self.other
        if other is None:
            return False
        return not device.is_other(other.device, seen, other.varying, is_whole=is_whole)

    def _holds(self, other: Other) -> None:
        before = self.other
        if before is not None and before.certificate == other.certificate:
            varying = before.varying | other.varying
            if not device.is_other(before.device, other.device, varying):
                self.other = replace(before, varying=varying)  # known to wait
                return
        self.other = other
        self._news = self.sentence()


def judged(answer: rules.Recording, camera: Camera, identity: Identity) -> rules.Recording:
    """What the rules say, once it is known who answers at the camera's address."""
    identity.pauses = rules.pauses_for_another_device(camera)
    identity.asks_newcomers = True
    if not answer.is_allowed or not identity.is_held:
        return answer
    return rules.Recording(False, identity.sentence(), GapReason.OTHER_DEVICE)
