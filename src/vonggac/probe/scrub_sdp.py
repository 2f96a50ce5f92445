"""A session description without anything that tells whose camera it is of.

Line by line, with line ends, blanks and broken lines as they came: those are what a fixture is for.
"""

from __future__ import annotations

import base64
import binascii
import re

from vonggac.media.chunk import Codec
from vonggac.probe.stand_ins import StandIns, without_long_numbers
from vonggac.rtsp.annexb import nal_type, split_annexb

__all__ = ["REMOVED", "scrub_sdp", "without_serials"]

REMOVED = "removed"
_BOM = "\xef\xbb\xbf"
_LINE = re.compile(r"(\s*)([A-Za-z])(\s*=[ \t]*)(.*)", re.DOTALL)
_BLANKS = " \t\r\n\f\v"
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_IPV4_TAIL = re.compile(rf"{_IPV4.pattern}((?:/\d{{1,3}}){{0,2}})", re.ASCII)
"""With the time to live and the count of addresses of a multicast one (RFC 4566 5.7)."""
_NO_ADDRESS = "0.0.0.0"  # noqa: S104 - compared, never bound
_PLAIN_NAMES = """
    cliprect framerate framesize height inactive length maxptime packetization-supported
    ptime quality range recvonly rtpmap rtppayload-supported sendonly sendrecv type width
    x-dimensions x-framerate
"""
_PLAIN = frozenset(_PLAIN_NAMES.split())
"""Attributes whose values are numbers and words of the protocol."""
_NAMES = """
    alt appversion charset control fmtp key-mgmt lang media_header mediatype rtcp rtcp-mux sdplang
    setup source-filter ssrc tool width x-onvif-track
"""
_ATTRIBUTES = _PLAIN | frozenset(_NAMES.split())
_MEDIA_NAMES = """
    application audio avp avpf data message meta metadata mp2t raw rtp savp savpf smart tcp text udp
    vana video
"""
_MEDIA_WORDS = frozenset(_MEDIA_NAMES.split())
_VALUE_NAMES = """
    aac ac3 amr broadcast clock clockrate dh g722 g726 g726-16 g726-24 g726-32 g726-40 gzip h263
    h263-1998 h264 h265 hevc jpeg l16 l8 mjpeg mp2t mp4a-latm mp4v-es mpa mpeg4-generic mpv npt now
    onvif opus pcm pcma pcmu rate recvonly sendonly sendrecv speex telephone-event vnd xml exi
    metadata mp3 vorbis vp8 vp9 av1 ip4 ip6 as tias rr rs ct
"""
_VALUE_WORDS = frozenset(_VALUE_NAMES.split())
"""What words the other values may hold."""
_PARAMETER_SETS = {
    "sprop-parameter-sets": (Codec.H264, (7, 8, 13, 15)),
    "sprop-vps": (Codec.H265, (32,)),
    "sprop-sps": (Codec.H265, (33,)),
    "sprop-pps": (Codec.H265, (34,)),
}
_SETS_MAX_CHARACTERS = 1000
_FORMAT_NAMES = """
    annexb bitrate config constantduration cpresent indexdeltalength indexlength interop-constraints
    level-asymmetry-allowed level-id maxdisplacement maxplaybackrate mode object objecttype
    octet-align packetization-mode profile profile-id profile-level-id profile-space sizelength
    sprop-deint-buf-req sprop-depack-buf-nalus sprop-interleaving-depth sprop-max-don-diff
    sprop-maxcapturerate sprop-stereo stereo streamtype tier-flag useinbandfec width height
"""
_FORMATS = frozenset((*_FORMAT_NAMES.split(), *_PARAMETER_SETS))
_FORMAT_VALUES = {
    "config": re.compile(r"[0-9A-Fa-f]{0,160}"),
    "interop-constraints": re.compile(r"[0-9A-Fa-f]{0,16}"),
    "mode": re.compile(r"(?i)(?:AAC-(?:hbr|lbr)|generic)"),
    "profile-level-id": re.compile(r"[\w+/=]{0,8}", re.ASCII),
}
"""Words that a value may be, beside a number. Some write the profile in base64 (row 35)."""


def scrub_sdp(text: str, names: StandIns) -> str:
    """`text`: bytes as latin-1, so that every one of them has a place."""
    bom = _BOM if text.startswith(_BOM) else ""
    parts = re.split(r"(\r\n|\r|\n)", text[len(bom) :])
    return bom + "".join(
        part if index % 2 else _line(part, names) for index, part in enumerate(parts)
    )


def without_serials(text: str) -> str:
    """A maker's or a program's name without addresses and long numbers, 100 characters at most."""
    text = _IPV4.sub("0", text[:100])
    text = re.sub(r"(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){3,}\b", "0", text)
    text = re.sub(r"[^\x20-\x7e]", "?", text)
    return re.sub(r"(?=\w*\d)\w{8,}", "0", text)


def _line(line: str, names: StandIns) -> str:
    match = _LINE.fullmatch(line)
    if match is None:
        return REMOVED if line.strip() else line
    indent, kind, equals, rest = match.groups()
    value = rest.rstrip()
    tail = rest[len(value) :]
    return f"{indent}{kind}{equals}{_value(kind, value, names)}{tail}"


def _value(kind: str, value: str, names: StandIns) -> str:
    if kind == "a":
        name, colon, text = value.partition(":")
        key = name.strip().lower()
        known = name if key in _ATTRIBUTES else f"x-{REMOVED}" if key else name
        return f"{known}{colon}{_attribute(key, text, names)}"
    if kind in "oc":
        return _origin(value, is_origin=kind == "o")
    if kind == "s":
        return names.words(value)
    if kind == "m":
        return re.sub(r"[^\s/]+", lambda found: _media_word(found[0], names), value)
    if kind in "vtrbz":
        return _plain(value)
    return REMOVED if value else ""


def _media_word(text: str, names: StandIns) -> str:
    is_number = text.isascii() and text.isdigit() and len(text) <= 6
    return text if is_number or text.lower() in _MEDIA_WORDS else names.word(text)


def _plain(text: str) -> str:
    """Numbers, signs and words of the protocol; any other word goes."""
    if not re.fullmatch(r"[\w\s.,:;/=+*-]{0,160}", text, re.ASCII):
        return REMOVED
    return without_long_numbers(re.sub(r"[A-Za-z][\w-]*", _plain_word, text))


def _plain_word(match: re.Match[str]) -> str:
    return match[0] if match[0].lower() in _VALUE_WORDS else REMOVED


def _origin(value: str, *, is_origin: bool) -> str:
    """User, ids and addresses; how many words there are, and of what kind, stays."""
    words = re.split(r"(\s+)", value)
    out = []
    for index, word in enumerate(words):
        if index % 2 or word in ("", "-", "IN", "IP", "IP4", "IP6", "IPV4", _NO_ADDRESS):
            out.append(word)
        elif is_origin and index == 0:
            out.append("name")
        elif _IPV4.match(word):
            tail = _IPV4_TAIL.fullmatch(word)
            out.append("192.0.2.1" + (tail[1] if tail is not None else ""))
        elif ":" in word:
            out.append("2001:db8::1")
        elif re.fullmatch(r"-?[0-9A-Fa-f.]+", word):
            out.append(re.sub(r"[A-Fa-f]", "a", re.sub(r"\d", "1", word)))
        else:
            out.append("host")
    return "".join(out)


def _attribute(name: str, text: str, names: StandIns) -> str:
    if name == "control":
        return names.uri(text)
    if name == "fmtp":
        return _format(text)
    if name == "tool":
        return without_serials(text)
    if name in _PLAIN:
        return _plain(text)
    return REMOVED if text else ""


def _format(text: str) -> str:
    """Format parameters: numbers, words of the protocol, and parameter sets that are such."""
    number = re.match(r"\s*\d*\s*", text)
    assert number is not None  # it matches nothing as well
    parameters = text[number.end() :].split(";")
    return number[0] + ";".join(_parameter(one) for one in parameters)


def _parameter(text: str) -> str:
    key, equals, value = text.partition("=")
    name = key.strip().lower()
    if name and name not in _FORMATS:
        return f"x-{REMOVED}{equals}{REMOVED if value else ''}"
    if name in _PARAMETER_SETS:
        return key + equals + _sets(value, *_PARAMETER_SETS[name])
    is_short = re.fullmatch(r"-?[\d.]{0,10}", value.strip(_BLANKS), re.ASCII)
    known = _FORMAT_VALUES.get(name)
    is_word = known is not None and known.fullmatch(value.strip(_BLANKS + '"'))
    return key + equals + (value if is_short or is_word else REMOVED)


def _sets(value: str, codec: Codec, kinds: tuple[int, ...]) -> str:
    if len(value) > _SETS_MAX_CHARACTERS or not re.fullmatch(r'[\w\s"+/=,-]*', value, re.ASCII):
        return REMOVED
    return ",".join(one if _holds_only(one, codec, kinds) else REMOVED for one in value.split(","))


def _holds_only(text: str, codec: Codec, kinds: tuple[int, ...]) -> bool:
    """Whether nothing but parameter sets stands in it, if it can be read at all.

    What is no base64 stays: it is a camera's mistake, and too short for a picture.
    """
    text = text.strip().strip('"').rstrip("=")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return len(text) <= 100
    units = split_annexb(b"\x00\x00\x01" + raw)
    return all(nal_type(codec, unit) in kinds for unit in units)
