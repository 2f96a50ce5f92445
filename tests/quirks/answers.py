"""Answers and requests that are not written as RFC 2326 has them: rows 1 to 15."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quirk_camera import Asked, Quirk, Reply, Visit


class ByTheBook(Quirk):
    name = "book"


class HeaderSpelling(Quirk):
    row, name, habit = 1, "header-spelling", "header-spelling"

    def wire(self, data: bytes) -> bytes:
        return data.replace(b"CSeq: ", b"Cseq:   ").replace(b"\r\n", b" \r\n", 2)


class NoCseq(Quirk):
    row, name, habit = 2, "no-cseq", "cseq"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        del reply.headers["CSeq"]
        return reply


class OtherCseq(Quirk):
    """An answer to nothing in front of each."""

    row, name, habit = 2, "other-cseq", "cseq"

    def wire(self, data: bytes) -> bytes:
        return b"RTSP/1.0 404 Not Found\r\nCSeq: 9999\r\n\r\n" + data


class NoReason(Quirk):
    row, name, habit = 3, "no-reason", "no-reason-phrase"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        reply.phrase = ""
        return reply


class ExactCseq(Quirk):
    """Hears only of requests that spell it so."""

    row, name = 4, "exact-cseq"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        return reply if re.search(rb"\r\nCSeq: \d+\r\n", asked.raw) else None


class UserAgent(Quirk):
    row, name = 5, "user-agent"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if not asked.headers.get("user-agent"):
            self.complaints.append(f"{asked.method} without User-Agent")
        return reply


class NoOptions(Quirk):
    row, name, habit = 6, "no-options", "options-refused"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "OPTIONS":
            return Reply(501, "Not Implemented", {"CSeq": asked.headers["cseq"]})
        return reply


class RefusesAnnounced(Quirk):
    """GET_PARAMETER stands in Public, and is not implemented: OPTIONS has to follow."""

    row, name, habit, timeout_s = 7, "refuses-announced", "method-refused", 4

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "GET_PARAMETER":
            reply.status, reply.phrase = 551, "Option not supported"
        return reply


class AsksClient(Quirk):
    row, name, habit = 8, "asks-client", "asks-client"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "PLAY":
            for number, method in enumerate(("OPTIONS", "GET_PARAMETER"), 901):
                question = f"{method} rtsp://viewer/ RTSP/1.0\r\nCSeq: {number}\r\n\r\n"
                visit.later(0.3, question.encode())
        return reply


class BlankBytes(Quirk):
    row, name, habit = 10, "blank-bytes", "blank-bytes"

    def wire(self, data: bytes) -> bytes:
        return b"\r\n\r\n" + data

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        return b"\r\n" + super().frame(number, channel, packets) + b"\n"


class Garbage(Quirk):
    """Half a packet every second, its header lost."""

    row, name, habit = 11, "garbage", "garbage"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        whole = super().frame(number, channel, packets)
        return whole[4 : len(packets[0]) // 2] + whole if number % 12 == 7 else whole


class NoContentType(Quirk):
    row, name, habit = 14, "no-content-type", "content-type"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        reply.headers.pop("Content-Type", None)
        return reply


class NegativeLength(Quirk):
    """Has to be refused."""

    row, name = 15, "negative-length"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "DESCRIBE":
            reply.headers["Content-Length"] = "-1"
        return reply


class HugeLength(NegativeLength):
    name = "huge-length"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "DESCRIBE":
            reply.headers["Content-Length"] = "999999999"
        return reply
