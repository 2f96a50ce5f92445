"""What no report tells of yet, under the row that comes nearest."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from quirk_camera import PASSWORD, USER, Asked, Quirk, Reply, Visit


class NoLength(Quirk):
    """Describes itself without saying how long that is."""

    row, name = 15, "no-length"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        reply.headers.pop("Content-Length", None)
        return reply


class ClosesWithOptions(Quirk):
    """Asks for a login at its first answer already, and closes behind it."""

    row, name, habit = 25, "closes-with-options", "closes-with-challenge"
    challenges, nonce = ('Digest realm="cam", nonce="{nonce}"',), "0123456789abcdef"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "OPTIONS" and "authorization" not in asked.headers:
            reply = Reply(401, "Unauthorized", {"CSeq": asked.headers["cseq"]}, closes=True)
            reply.headers["WWW-Authenticate"] = self.challenges[0].format(nonce=self.nonce)
        return reply


class OtherType(Quirk):
    """Declares its video under another number than it sends."""

    row, name = 32, "other-type"

    def sdp(self) -> str:
        return super().sdp().replace(" 96\r", " 97\r").replace(":96 ", ":97 ")


class LoginInBase(Quirk):
    """Writes its login into its own address, which is nothing that a request should say."""

    row, name = 40, "login-in-base"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "DESCRIBE":
            login = f"{USER}:{PASSWORD.replace('#', '%23').replace(':', '%3A')}"
            base = asked.uri.replace("rtsp://", f"rtsp://{login}@")
            reply.headers["Content-Base"] = f"{base}/"
        if "@" in asked.uri:
            self.complaints.append(f"{asked.method} says the login")
        return reply


class WrongClock(Quirk):
    """Declares a clock of milliseconds and stamps with the one of the RFC."""

    row, name = 46, "wrong-clock"

    def sdp(self) -> str:
        return super().sdp().replace("H264/90000", "H264/1000")


class NoRange(Quirk):
    """Plays to nobody who says from where."""

    row, name = 72, "no-range"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "PLAY" and "range" in asked.headers:
            reply.status, reply.phrase = 457, "Invalid Range"
        return reply


class FrozenNumbers(Quirk):
    """All its packets have one number."""

    row, name, habit = 89, "frozen-numbers", "repeated-packets"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        same = [packet[:2] + struct.pack(">H", 7) + packet[4:] for packet in packets]
        return super().frame(number, channel, same)
