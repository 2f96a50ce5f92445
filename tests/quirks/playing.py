"""What keeps a session that plays, what comes of it, and its end: row 16, and 61 and on."""

from __future__ import annotations

from collections.abc import Sequence

from quirk_camera import Asked, Quirk, Reply, Visit


class WakesUp(Quirk):
    """No picture for longer than a stall is borne."""

    row, name, first_video_s = 16, "wakes-up", 7.0


class ShortTimeout(Quirk):
    """Closes when it has heard nothing for its time-out, of one kind or the other."""

    row, name, timeout_s = 61, "short-timeout", 4
    habit: str | None = "short-timeout"
    counts: Sequence[str] = ("GET_PARAMETER", "OPTIONS")

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        if asked.method == "PLAY" or self.is_heard(asked):
            visit.expire_after(self.timeout_s + 0.5)
        return reply

    def is_heard(self, asked: Asked) -> bool:
        return asked.method in self.counts and "session" in asked.headers


class IgnoresGetParameter(ShortTimeout):
    """OPTIONS alone keeps its session, though it announces GET_PARAMETER and never answers it."""

    row, name, habit, timeout_s = 62, "ignores-get-parameter", None, 2
    counts = ("OPTIONS",)

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        heard = super().spoil(asked, reply, visit)
        return None if asked.method == "GET_PARAMETER" else heard


class SessionInKeepalive(ShortTimeout):
    row, name, habit, timeout_s = 63, "session-in-keepalive", None, 2


class NoKeepalive(Quirk):
    """Takes a request in mid-stream for junk and ends; receiver reports keep it."""

    row, name, habit, timeout_s = 64, "no-keepalive", None, 2

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        is_junk = asked.method in ("GET_PARAMETER", "OPTIONS") and len(visit.asked) > 1
        if is_junk:
            visit.close()
        return None if is_junk else reply


class OldPackets(Quirk):
    """Packets of an older session in front."""

    row, name = 68, "old-packets"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        old = b"\x80\x60" + bytes((0x40, number & 255)) + bytes(4) + b"OLD!" + b"\x41of another"
        return super().frame(number, channel, [old, *packets] if number < 6 else packets)


class NoTeardown(Quirk):
    """Never answers TEARDOWN."""

    row, name = 69, "no-teardown"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        return None if asked.method == "TEARDOWN" else reply


class ForeignPackets(Quirk):
    """Packets of another payload type, with the sequence number of the one before."""

    row, name, habit = 88, "foreign-packets", "foreign-packets"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        foreign = b"\x80\x32" + packets[-1][2:12] + b"\x10\x20\x30\x40"
        return super().frame(number, channel, [*packets, foreign])


class StartCodes(Quirk):
    """Two NAL units in one packet, as in a file."""

    row, name, habit = 97, "start-codes", "start-codes-inside"

    def units(self, units: Sequence[bytes]) -> Sequence[bytes]:
        sets = [unit for unit in units if unit[0] & 31 in (6, 7, 8, 9)]
        others = [unit for unit in units if unit not in sets]
        return [b"\0\0\0\1".join(sets), *others] if len(sets) > 1 else units
