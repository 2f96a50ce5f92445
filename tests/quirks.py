"""The rules that cameras break, one class each, for `quirk_server`.

Numbers are rows of the table in docs/design/rtsp-interop.md; the names of devices stand there.

A quirk of which nothing else is said has to be recorded. `complaints` holds what a recorder did
that the camera would not have borne.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from quirk_server import Asked, Quirk, Reply, Visit
from vonggac_appliance.camera_clip import Clip

DIGEST = 'Digest realm="cam", nonce="{nonce}"'


class ByTheBook(Quirk):
    name = "book"


# --- messages (A1) ----------------------------------------------------------------------------


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


class WakesUp(Quirk):
    """No picture for longer than a stall is borne."""

    row, name, first_video_s = 16, "wakes-up", 7.0


# --- log-ins (A2) -----------------------------------------------------------------------------


class BasicFirst(Quirk):
    """Weakest first; the strongest has to be answered."""

    row, name = 17, "basic-first"
    challenges = ('Basic realm="cam"', DIGEST, DIGEST + ", algorithm=SHA-256")

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if "authorization" in asked.headers and "SHA-256" not in asked.headers["authorization"]:
            self.complaints.append("a weaker login than was offered")
        return reply


class BasicOnly(Quirk):
    row, name, challenges = 17, "basic-only", ('Basic realm="cam"',)


class QuotedSha256(Quirk):
    row, name, challenges = 18, "quoted-sha256", (DIGEST + ', algorithm="SHA-256"',)

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        given = asked.headers.get("authorization", 'algorithm="SHA-256"')
        if 'algorithm="SHA-256"' not in given:
            self.complaints.append("the algorithm is not written as it was asked for")
        return reply


class Sha512(Quirk):
    row, name = 18, "sha512"
    challenges = (DIGEST + ", algorithm=SHA-512-256, qop=auth",)


class QopAuth(Quirk):
    row, name = 19, "qop-auth"
    challenges = (DIGEST + ', algorithm=SHA-256, qop="auth,auth-int"',)


class UnquotedOnly(Quirk):
    row, name, challenges = 20, "unquoted-only", (DIGEST + ', algorithm=MD5, qop="auth"',)

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        given = asked.headers.get("authorization", "")
        if re.search(r'(qop|nc|algorithm)="', given):
            self.complaints.append("quotes that it does not bear")
        return reply


class OddChallenge(Quirk):
    row, name, habit = 21, "odd-challenge", "challenge"
    challenges = ('Digest realm="cam, nonce="{nonce}", opaque="", stale="FALSE"',)


class AgingNonce(Quirk):
    """Every keep-alive meets a 401 with a new nonce first."""

    row, name, habit, timeout_s, challenges = 22, "aging-nonce", "nonce-aged", 4, (DIGEST,)

    def stale(self, asked: Asked, visit: Visit) -> bool:
        if asked.method != "GET_PARAMETER":
            return False
        is_new, visit.renewed = visit.nonce == visit.renewed, ""
        return not is_new


class SignedKeepalive(Quirk):
    """Falls silent behind a keep-alive that is not signed."""

    row, name, timeout_s, challenges = 23, "signed-keepalive", 4, (DIGEST,)

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        is_first = asked.method in ("OPTIONS", "DESCRIBE") and len(visit.asked) < 3
        if not is_first and "authorization" not in asked.headers:
            self.complaints.append(f"{asked.method} is not signed")
            visit.silence()
        return reply


class ExactUri(Quirk):
    """The Digest's uri is compared byte by byte (the server does); the address is a hard one."""

    row, name, query, challenges = 24, "exact-uri", "/a%24b/?profile=1&x=%2F", (DIGEST,)


class ClosesWithChallenge(Quirk):
    row, name, habit, challenges = 25, "closes-with-401", "closes-with-challenge", (DIGEST,)
    nonce = "0123456789abcdef"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        reply.closes = reply.status == 401
        return reply


class WrongPassword(Quirk):
    """Has to be refused; counts what would lock it."""

    row, name, habit, challenges = 27, "wrong-password", "login-refused", (DIGEST,)

    def __init__(self, *clip: Clip) -> None:
        super().__init__(*clip)
        self.refusals = 0

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if "authorization" in asked.headers:
            self.refusals += 1
            reply.status, reply.phrase = 401, "Unauthorized"
            reply.headers["WWW-Authenticate"] = DIGEST.replace("{nonce}", f"{self.refusals:08}")
        return reply


# --- descriptions and addresses (A3) ----------------------------------------------------------


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

    row, name, habit = 39, "same-type", "sdp-same-type"
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


# --- SETUP, sessions, keep-alives (A4) --------------------------------------------------------


class OddTransport(Quirk):
    """Answers SETUP with another transport field."""

    transport = ""

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP":
            reply.headers["Transport"] = self.transport
        return reply


class OtherChannels(OddTransport):
    row, name, habit = 49, "other-channels", "channels"
    transport = "RTP/AVP/TCP;unicast;interleaved=8-9"


class SingleChannel(OddTransport):
    row, name, habit = 49, "single-channel", "channels"
    transport = "RTP/AVP/TCP;unicast;interleaved=5"


class NoChannels(OddTransport):
    row, name, habit = 50, "no-channels", "no-channels"
    transport = "RTP/AVP/TCP;unicast"


class NoTcp(OddTransport):
    row, name, habit = 51, "no-tcp", "no-tcp"
    transport = "RTP/AVP;unicast;interleaved=0-1"


class OddFields(OddTransport):
    row, name, habit = 52, "odd-fields", "transport-fields"
    transport = 'ssrc= d6d6627;mode="play";RTP/AVP/TCP; interleaved=0-1;source=;unicast'


class OtherSsrc(OddTransport):
    row, name = 53, "other-ssrc"
    transport = "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=0BADF00D"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        super().spoil(asked, reply, visit)
        if asked.method == "PLAY":
            reply.headers["RTP-Info"] = f"url={asked.uri};seq=7;rtptime=7;ssrc=12AB34CD"
        return reply


class UnicastOnly(Quirk):
    """Multicast where `unicast` is missing, an error where `mode` stands."""

    row, name = 55, "unicast-only"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP":
            wanted = asked.headers["transport"]
            if "unicast" not in wanted or "mode" in wanted:
                self.complaints.append(wanted)
        return reply


class OddSession(Quirk):
    row, name, habit = 58, "odd-session", "session-field"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP":
            reply.headers["Session"] = f"   {visit.session} ; timeout=0"
        return reply


class LatestSession(Quirk):
    """Names another session with its 454, and means that one."""

    row, name, habit = 59, "latest-session", "session-changed"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method in ("PLAY", "TEARDOWN", "GET_PARAMETER"):
            reply.headers["Session"] = visit.session + "b"
            if asked.headers.get("session") != visit.session + "b":
                reply.status, reply.phrase = 454, "Session Not Found"
        return reply


class LateSession(Quirk):
    """Tells its session with the answer to PLAY, and wants it from then on."""

    row, name, habit, timeout_s = 60, "late-session", "session-late", 4

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "SETUP":
            del reply.headers["Session"]
        if asked.method == "PLAY":
            reply.headers["Session"] = f"{visit.session};timeout=4"
        if asked.method == "GET_PARAMETER" and asked.headers.get("session") != visit.session:
            self.complaints.append("a keep-alive without the session")
        return reply


class ShortTimeout(Quirk):
    """Closes when it has heard nothing for its time-out, of one kind or the other."""

    row, name, habit, timeout_s = 61, "short-timeout", "short-timeout", 4
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


# --- packets (A6) --------------------------------------------------------------------------------


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
