"""What cameras do against the rules, by name: noticed and counted, beside code that tolerates it.

A habit is one row of the table in docs/design/rtsp-interop.md. Nothing here changes how a camera is
treated: the parsers do that, and these functions only look at what they were given.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator

from vonggac.media.chunk import Codec
from vonggac.rtsp.messages import Response
from vonggac.rtsp.sdp import Description
from vonggac.rtsp.tracks import STATIC_JPEG, VideoTrack
from vonggac.rtsp.url import UrlForm


class Habit(enum.StrEnum):
    """Stable names: they stand in figures, on the camera's page and in field reports."""

    HEADER_SPELLING = "header-spelling"
    CSEQ = "cseq"
    NO_REASON = "no-reason-phrase"
    OPTIONS_REFUSED = "options-refused"
    METHOD_REFUSED = "method-refused"
    ASKS_CLIENT = "asks-client"
    REDIRECT = "redirect"
    BLANK_BYTES = "blank-bytes"
    GARBAGE = "garbage"
    ONE_DESCRIPTION = "one-description"
    CONTENT_TYPE = "content-type"
    CHALLENGE = "challenge"
    NONCE_AGED = "nonce-aged"
    CLOSES_WITH_CHALLENGE = "closes-with-challenge"
    LOGIN_REFUSED = "login-refused"
    SDP_INCOMPLETE = "sdp-incomplete"
    SDP_ORIGIN = "sdp-origin"
    SDP_CONNECTION = "sdp-connection"
    SDP_REPEATS = "sdp-repeats"
    SDP_MAP_ELSEWHERE = "sdp-map-elsewhere"
    SDP_FOREIGN_MEDIA = "sdp-foreign-media"
    SDP_BLANKS = "sdp-blanks"
    SDP_PARAMETER_SETS = "sdp-parameter-sets"
    SDP_SAME_TYPE = "sdp-same-type"
    CONTENT_BASE = "content-base"
    CONTROL_JOIN = "control-join"
    CONTROL_HOST = "control-host"
    CONTROL_MISSING = "control-missing"
    SENDONLY_VIDEO = "sendonly-video"
    CHANNELS = "channels"
    NO_CHANNELS = "no-channels"
    NO_TCP = "no-tcp"
    TRANSPORT_FIELDS = "transport-fields"
    OTHER_TRANSPORT = "other-transport"
    SESSION_FIELD = "session-field"
    SESSION_CHANGED = "session-changed"
    SESSION_LATE = "session-late"
    SHORT_TIMEOUT = "short-timeout"
    KEEPALIVE = "keepalive"
    BUSY = "busy"
    TEARDOWN = "teardown"
    EARLY_PACKETS = "early-packets"
    STRANGE_CHANNELS = "strange-channels"
    SWAPPED_REPORTS = "swapped-reports"
    BROKEN_REPORTS = "broken-reports"
    FOREIGN_REPORTS = "foreign-reports"
    ABSURD_CLOCK = "absurd-clock"
    STAMPS = "stamps"
    BYE = "bye"
    FOREIGN_PACKETS = "foreign-packets"
    REPEATED_PACKETS = "repeated-packets"
    MARKER = "marker"
    START_CODES = "start-codes-inside"
    FRAGMENTS = "fragments"
    SETS_CHANGE = "sets-change"
    LATE_KEYFRAME = "late-keyframe"
    NAL_UNITS = "nal-units"
    DECODING_ORDER = "decoding-order"

    @property
    def row(self) -> int:
        """The number of its row."""
        return ROWS[self]


ROWS: dict[Habit, int] = {
    Habit.HEADER_SPELLING: 1,
    Habit.CSEQ: 2,
    Habit.NO_REASON: 3,
    Habit.OPTIONS_REFUSED: 6,
    Habit.METHOD_REFUSED: 7,
    Habit.ASKS_CLIENT: 8,
    Habit.REDIRECT: 9,
    Habit.BLANK_BYTES: 10,
    Habit.GARBAGE: 11,
    Habit.ONE_DESCRIPTION: 12,
    Habit.CONTENT_TYPE: 14,
    Habit.CHALLENGE: 21,
    Habit.NONCE_AGED: 22,
    Habit.CLOSES_WITH_CHALLENGE: 25,
    Habit.LOGIN_REFUSED: 27,
    Habit.SDP_INCOMPLETE: 28,
    Habit.SDP_ORIGIN: 29,
    Habit.SDP_CONNECTION: 30,
    Habit.SDP_REPEATS: 31,
    Habit.SDP_MAP_ELSEWHERE: 32,
    Habit.SDP_FOREIGN_MEDIA: 33,
    Habit.SDP_BLANKS: 34,
    Habit.SDP_PARAMETER_SETS: 36,
    Habit.SDP_SAME_TYPE: 39,
    Habit.CONTENT_BASE: 40,
    Habit.CONTROL_JOIN: 41,
    Habit.CONTROL_HOST: 42,
    Habit.CONTROL_MISSING: 43,
    Habit.SENDONLY_VIDEO: 44,
    Habit.CHANNELS: 49,
    Habit.NO_CHANNELS: 50,
    Habit.NO_TCP: 51,
    Habit.TRANSPORT_FIELDS: 52,
    Habit.OTHER_TRANSPORT: 54,
    Habit.SESSION_FIELD: 58,
    Habit.SESSION_CHANGED: 59,
    Habit.SESSION_LATE: 60,
    Habit.SHORT_TIMEOUT: 61,
    Habit.KEEPALIVE: 62,
    Habit.BUSY: 66,
    Habit.TEARDOWN: 69,
    Habit.EARLY_PACKETS: 70,
    Habit.STRANGE_CHANNELS: 73,
    Habit.SWAPPED_REPORTS: 74,
    Habit.BROKEN_REPORTS: 76,
    Habit.FOREIGN_REPORTS: 77,
    Habit.ABSURD_CLOCK: 78,
    Habit.STAMPS: 79,
    Habit.BYE: 84,
    Habit.FOREIGN_PACKETS: 88,
    Habit.REPEATED_PACKETS: 89,
    Habit.MARKER: 95,
    Habit.START_CODES: 97,
    Habit.FRAGMENTS: 99,
    Habit.SETS_CHANGE: 103,
    Habit.LATE_KEYFRAME: 104,
    Habit.NAL_UNITS: 106,
    Habit.DECODING_ORDER: 109,
}

_SHORT_TIMEOUT_S = 30
_LINE = re.compile(r"\r\n|\r|\n")
_ORIGIN = re.compile(r"o=\S+ \d+ \d+ IN IP[46] \S+")
_CONNECTION = re.compile(r"c=IN IP[46] \S+")


def of_response(response: Response) -> Iterator[Habit]:
    """What is odd about any answer."""
    names = [name for name, _ in response.headers.fields]
    if any(name.lower() == "cseq" and name != "CSeq" for name in names):
        yield Habit.HEADER_SPELLING
    if not response.reason.strip():
        yield Habit.NO_REASON
    for value in response.headers.get_all("WWW-Authenticate"):
        if value.count('"') % 2 or not re.match(r"(?i)(basic|digest)\s", value):
            yield Habit.CHALLENGE
    session = response.headers.get("Session")
    if session is not None:
        yield from _of_session(session)


def _of_session(value: str) -> Iterator[Habit]:
    match = re.fullmatch(r"[^;\s]+(?:;timeout=(\d+))?", value, re.ASCII)
    if match is None or match[1] == "0":
        yield Habit.SESSION_FIELD
    elif match[1] and int(match[1][:9]) < _SHORT_TIMEOUT_S:
        yield Habit.SHORT_TIMEOUT


def of_description(
    response: Response, description: Description, track: VideoTrack
) -> Iterator[Habit]:
    """What is odd about the answer to DESCRIBE and the video that was chosen of it."""
    kind = response.headers.get("Content-Type") or ""
    if kind.strip().lower() != "application/sdp":
        yield Habit.CONTENT_TYPE
    base = response.headers.get("Content-Base") or ""
    if not re.match(r"(?i)rtsps?://(?!rtsps?://)[^/]", base):
        yield Habit.CONTENT_BASE
    yield from _of_lines(response.body.decode("utf-8", "replace"))
    yield from _of_media(description, track)


def _of_lines(text: str) -> Iterator[Habit]:
    lines = _LINE.split(text)
    starts = [line[:2] for line in lines]
    if not {"v=", "o=", "s=", "t="} <= set(starts) or text.startswith("\ufeff"):
        yield Habit.SDP_INCOMPLETE
    if any(line[:2] == "o=" and not _ORIGIN.fullmatch(line) for line in lines):
        yield Habit.SDP_ORIGIN
    if any(line[:2] == "c=" and not _CONNECTION.fullmatch(line) for line in lines):
        yield Habit.SDP_CONNECTION
    if starts.count("s=") > 1 or _repeats_control(lines):
        yield Habit.SDP_REPEATS
    if any(line != line.strip() for line in lines) or re.search(r"a=fmtp:\d+\s*$", text, re.M):
        yield Habit.SDP_BLANKS


def _repeats_control(lines: list[str]) -> bool:
    """Whether one block has two control attributes."""
    seen = 0
    for line in lines:
        if line.startswith("m="):
            seen = 0
        elif line.startswith("a=control:"):
            seen += 1
            if seen > 1:
                return True
    return False


def _of_media(description: Description, track: VideoTrack) -> Iterator[Habit]:
    media = description.media
    if any(one.kind not in ("video", "audio", "application") for one in media):
        yield Habit.SDP_FOREIGN_MEDIA
    types = [kind for one in media for kind in set(one.payload_types) if kind >= 96]
    if len(types) != len(set(types)):
        yield Habit.SDP_SAME_TYPE
    videos = [one for one in media if track.payload_type in one.payload_types]
    own = [m.payload_type for one in videos if one.kind == "video" for m in one.rtpmaps]
    is_static = track.codec is Codec.MJPEG and track.payload_type == STATIC_JPEG
    if track.payload_type not in own and not is_static:
        yield Habit.SDP_MAP_ELSEWHERE
    if any(one.kind == "video" and one.direction == "sendonly" for one in media):
        yield Habit.SENDONLY_VIDEO
    if not track.sps and track.codec is not Codec.MJPEG:
        yield Habit.SDP_PARAMETER_SETS
    if not (track.control or "").strip("* "):
        yield Habit.CONTROL_MISSING


def of_transport(value: str | None, asked: tuple[int, int]) -> Iterator[Habit]:
    """What is odd about the Transport field that answers SETUP over TCP."""
    parts = [part.strip() for part in (value or "").split(";")]
    fields = dict(part.lower().partition("=")[::2] for part in parts)
    if "interleaved" not in fields:
        yield Habit.NO_CHANNELS
    elif fields["interleaved"].strip('"') != f"{asked[0]}-{asked[1]}":
        yield Habit.CHANNELS
    if value and not parts[0].upper().endswith("/TCP"):
        yield Habit.NO_TCP
    ssrc = fields.get("ssrc")
    is_odd = ssrc is not None and not re.fullmatch(r"[0-9a-f]{8}", ssrc, re.ASCII)
    if is_odd or fields.get("source") == "" or '"' in fields.get("mode", ""):
        yield Habit.TRANSPORT_FIELDS


def of_form(form: UrlForm) -> Iterator[Habit]:
    """What is odd about the address at which SETUP was granted."""
    if form is UrlForm.DIALLED_HOST:
        yield Habit.CONTROL_HOST
    elif form in (UrlForm.IN_PATH, UrlForm.RFC_3986):
        yield Habit.CONTROL_JOIN
