"""Bits of parameter sets, written as H.264 9.1 and 7.4.1 say."""

from __future__ import annotations


class BitWriter:
    """Collects bits; `nal` puts emulation prevention bytes in."""

    def __init__(self) -> None:
        self._bits: list[int] = []

    def u(self, count: int, value: int) -> BitWriter:
        self._bits += [value >> i & 1 for i in reversed(range(count))]
        return self

    def ue(self, *values: int) -> BitWriter:
        for value in values:
            length = (value + 1).bit_length()
            self.u(2 * length - 1, value + 1)
        return self

    def se(self, *values: int) -> BitWriter:
        return self.ue(*(2 * value - 1 if value > 0 else -2 * value for value in values))

    def nal(self, header: bytes) -> bytes:
        """With the stop bit, behind `header`."""
        bits = [*self._bits, 1]
        bits += [0] * (-len(bits) % 8)
        out = bytearray(header)
        zeros = 0
        for at in range(0, len(bits), 8):
            byte = int("".join(map(str, bits[at : at + 8])), 2)
            if zeros >= 2 and byte <= 3:
                out.append(3)
                zeros = 0
            out.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return bytes(out)
