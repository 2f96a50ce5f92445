"""Descriptions, and the addresses that they name: rows 28 to 48."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quirk_camera import Asked, Quirk, Reply, Visit


class BareDescription(Quirk):
    row, name, habit = 28, "bare-description", "sdp-incomplete"

    def sdp(self) -> str:
        lines = super().sdp().split("\r\n")
        return "\n".join(line for line in lines if line[:2] not in ("v=", "o=", "s=", "t=")).strip()


class OddOrigin(Quirk):
    row, name, habit = 29, "odd-origin", "sdp-origin"

    def sdp(self) -> str:
        return super().sdp().replace("o=- 1 1 IN IP4 127.0.0.1", "o=- -1.5 0x3f 9 IN IPV4")


class OddLines(Quirk):
    row, name, habit = 30, "odd-lines", "sdp-connection"

    def sdp(self) -> str:
        sdp = super().sdp().replace("c=IN IP4 0.0.0.0", "c=IN\r\nb=TIAS:x\r\nr=0 0")
        return sdp.replace("t=0 0", "t=now-")


class Repeats(Quirk):
    row, name, habit = 31, "repeats", "sdp-repeats"

    def sdp(self) -> str:
        return super().sdp() + "s=again\r\ni=again\r\n" + f"a=control:{self.path_form}\r\n"


class MapElsewhere(Quirk):
    """The video's lines stand under the audio."""

    row, name, habit = 32, "map-elsewhere", "sdp-map-elsewhere"

    def sdp(self) -> str:
        sdp = super().sdp()
        moved = "".join(re.findall(r"a=(?:rtpmap|fmtp).*\r\n", sdp))
        bare = re.sub(r"a=(?:rtpmap|fmtp).*\r\n", "", sdp)
        return f"{bare}m=audio 0 RTP/AVP 8\r\n{moved}a=control:audio\r\n"


class ForeignMedia(Quirk):
    row, name, habit = 33, "foreign-media", "sdp-foreign-media"

    def sdp(self) -> str:
        head, video = super().sdp().split("m=video", 1)
        odd = "m=application/TP-LINK 0 RTP/AVP smart/1/90000\r\nm=vana\r\nm=meta 0\r\n"
        return f"{head}{odd}m=video{video}"


class Blanks(Quirk):
    row, name, habit = 34, "blanks", "sdp-blanks"

    def sdp(self) -> str:
        return super().sdp().replace("H264/90000", "H264/90000 ").replace(" 96\r", " 96\t \r")


class WrongProfile(Quirk):
    row, name = 35, "wrong-profile"

    def sdp(self) -> str:
        return super().sdp().replace("mode=1;", "mode=1;profile-level-id=5046314;")


class SpoiledSets(Quirk):
    row, name, habit = 36, "spoiled-sets", "sdp-parameter-sets"

    def sdp(self) -> str:
        return re.sub(r"sprop-parameter-sets=.*", "sprop-parameter-sets=!!,AAAAAQ==", super().sdp())


class TrailingBytes(Quirk):
    """Bytes behind the stop bit of the SPS, in the stream too."""

    row, name = 37, "trailing-bytes"

    def units(self, units: Sequence[bytes]) -> Sequence[bytes]:
        return [unit + b"\x12\x34" if unit[0] & 31 == 7 else unit for unit in units]


class SameType(Quirk):
    """Audio with the video's payload type."""

    row, name = 39, "same-type"
    habit: str | None = "sdp-same-type"
    more = "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 MPEG4-GENERIC/16000\r\na=control:track2\r\n"

    def sdp(self) -> str:
        return super().sdp() + self.more


class NoBase(Quirk):
    row, name, habit, base = 40, "no-base", "content-base", ""

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "DESCRIBE":
            del reply.headers["Content-Base"]
            if self.base:
                reply.headers["Content-Base"] = self.base.format(uri=asked.uri)
        return reply


class DoubleBase(NoBase):
    name, base = "double-base", "rtsp://{uri}/"


class RelativeBase(NoBase):
    name, base = "relative-base", "/relative-base/"


class QueryAtEnd(Quirk):
    """Its track stands behind the query."""

    row, name, query = 41, "query-at-end", "?channel=1&subtype=0"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "DESCRIBE":
            reply.headers["Content-Base"] = asked.uri
        if asked.method == "SETUP" and not self.is_right(asked.uri):
            reply.status, reply.phrase = 404, "Not Found"
            del reply.headers["Session"]
        return reply

    def is_right(self, uri: str) -> bool:
        return uri.endswith("subtype=0/track1")


class QueryBehindPath(QueryAtEnd):
    """Its track stands in the path: the second form that is tried, and then remembered."""

    name, habit = "query-behind-path", "control-join"

    def is_right(self, uri: str) -> bool:
        return uri.endswith("query-behind-path/track1?channel=1&subtype=0")


class OtherHost(Quirk):
    """Its control names an address that must never be dialled; asked for at its own it answers."""

    row, name, habit = 42, "other-host", "control-host"
    path_form = "rtsp://127.0.0.9:9/other-host/track1"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP" and "127.0.0.9" in asked.uri:
            reply.status, reply.phrase = 404, "Not Found"
            del reply.headers["Session"]
        return reply


class NoControl(Quirk):
    row, name, habit = 43, "no-control", "control-missing"

    def sdp(self) -> str:
        return re.sub(r"a=control:.*\r\n", "", super().sdp())


class LeadingSlash(Quirk):
    row, name, path_form = 43, "leading-slash", "/track1"


class SendonlyVideo(Quirk):
    row, name, habit = 44, "sendonly-video", "sendonly-video"

    def sdp(self) -> str:
        return super().sdp() + "a=sendonly\r\n"


class BackChannel(SameType):
    """Gives no session to whoever sets its loudspeaker up."""

    row, name, habit = 45, "back-channel", None
    more = "m=audio 0 RTP/AVP 0\r\na=control:track2\r\na=sendonly\r\n"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP" and asked.uri.endswith("track2"):
            self.complaints.append("its loudspeaker was set up")
        return reply


class WrongRate(Quirk):
    row, name = 46, "wrong-rate"

    def sdp(self) -> str:
        return super().sdp() + "a=framerate:0S\r\na=x-framerate: 60\r\n"


class Metadata(SameType):
    row, name, habit = 47, "metadata", None
    more = (
        "a=Media_header:MEDIAINFO=494D4B48;\r\na=appversion:1.0\r\n"
        "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n"
        "a=control:meta\r\n"
    )

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        private = b"\x80\x70" + packets[0][2:12] + b"private"
        return super().frame(number, channel, [private, *packets])


class StaticType(Quirk):
    row, name, payload_type = 48, "static-type", 35
