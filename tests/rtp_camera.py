"""A camera's packets into the native assembler, access units out."""

from __future__ import annotations

from packetiser import H264, rtp
from vonggac._native import parse
from vonggac._native.assembler import AccessUnit, Assembler
from vonggac.errors import MediaError


class Camera:
    """Packets into an assembler, access units out as they are ready."""

    def __init__(
        self, codec: int = H264, capacity_bytes: int = 1 << 20, payload_type: int = 96
    ) -> None:
        self.assembler = Assembler(codec, payload_type, capacity_bytes)
        self.units: list[AccessUnit] = []
        self.sequence = 65533
        self.faults: list[str] = []

    def raw(self, packet: bytes) -> None:
        parsed = parse.rtp_parse(packet)
        try:
            while not self.assembler.push(parsed):
                self._pull()
        except MediaError as error:
            self.faults.append(str(error))
        self._pull()

    def send(self, timestamp: int, *payloads: bytes | tuple[bytes, bool]) -> Camera:
        """Each payload in a packet of its own, the marker where a tuple says so."""
        for item in payloads:
            payload, marker = item if isinstance(item, tuple) else (item, False)
            packet = rtp(payload, sequence=self.sequence, timestamp=timestamp, marker=marker)
            self.sequence += 1
            self.raw(packet)
        return self

    def lose(self, count: int = 1) -> Camera:
        self.sequence += count
        return self

    def end(self) -> list[AccessUnit]:
        self.assembler.flush()
        self._pull()
        return self.units

    def _pull(self) -> None:
        while (unit := self.assembler.pull()) is not None:
            self.units.append(unit)
