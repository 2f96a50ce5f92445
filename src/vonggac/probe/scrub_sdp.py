"""A session description without anything that tells whose camera it is of.

Line by line, with line ends, blanks and broken lines as they came: those are what a fixture is for.
"""

from __future__ import annotations

import base64
import binascii
import re

from vonggac.media.chunk import Codec
from vonggac.probe.stand_ins import StandIns
from vonggac.rtsp.annexb import nal_type, split_annexb

__all__ = ["REMOVED", "scrub_sdp", "without_serials"]

REMOVED = "removed"
_BOM = "\xef\xbb\xbf"
_LINE = re.compile(r"(\s*)([A-Za-z])(\s*=[ \t]*)(.*?)(\s*)", re.DOTALL)
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_NO_ADDRESS = "0.0.0.0"  # noqa: S104 - compared, never bound
_PLAIN_NAMES = """
    cliprect framerate framesize height inactive length maxptime packetization-supported
    ptime quality range recvonly rtpmap rtppayload-supported sendonly sendrecv type width
    x-dimensions x-framerate
"""
_PLAIN = frozenset(_PLAIN_NAMES.split())
"""Attributes whose values are numbers and words of the protocol."""
_PARAMETER_SETS = {
    "sprop-parameter-sets": (Codec.H264, (7, 8, 13, 15)),
    "sprop-vps": (Codec.H265, (32,)),
    "sprop-sps": (Codec.H265, (33,)),
    "sprop-pps": (Codec.H265, (34,)),
}
_SETS_MAX_CHARACTERS = 1000
_FORMAT_WORDS = ("config", "mode", "packetization-mode", "profile-level-id", "streamtype")


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
    indent, kind, equals, value, tail = match.groups()
    return f"{indent}{kind}{equals}{_value(kind, value, names)}{tail}"


def _value(kind: str, value: str, names: StandIns) -> str:
    if kind == "a":
        name, colon, text = value.partition(":")
        return f"{_token(name)}{colon}{_attribute(name.strip().lower(), text, names)}"
    if kind in "oc":
        return _origin(value, is_origin=kind == "o")
    if kind == "s":
        return names.words(value)
    if kind == "m":
        return re.sub(r"\S+", lambda found: _token(found[0]), value)
    if kind in "vtrbz":
        return _plain(value)
    return REMOVED if value else ""


def _token(text: str) -> str:
    return text if re.fullmatch(r"[\w ./+-]{0,40}", text, re.ASCII) else REMOVED


def _plain(text: str) -> str:
    return text if re.fullmatch(r"[\w\s.,:;/=+*-]{0,160}", text, re.ASCII) else REMOVED


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
            out.append(_IPV4.sub("192.0.2.1", word, count=1) if len(word) < 24 else "192.0.2.1")
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
    if not re.fullmatch(r"\s*[\w-]{0,40}\s*", key, re.ASCII):
        return REMOVED
    if name in _PARAMETER_SETS:
        return key + equals + _sets(value, *_PARAMETER_SETS[name])
    is_short = re.fullmatch(r"\s*-?[\d.]{0,10}\s*", value, re.ASCII)
    is_word = name in _FORMAT_WORDS and re.fullmatch(r'[\w\s"+/=-]{0,80}', value, re.ASCII)
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
