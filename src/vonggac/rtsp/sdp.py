"""Session descriptions (RFC 4566) as cameras write them: text to values.

Nothing is mandatory but `m=`; unknown and broken lines are skipped. What is asked for of all that
is `tracks`'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vonggac.errors import MediaError

_MEDIA_MAX = 16
"""Media of one description; a camera has four."""
_FORMATS_MAX = 32
"""Payload types of one medium, and attributes that tell of them: each is looked for among all."""


@dataclass(frozen=True, slots=True)
class RtpMap:
    """`a=rtpmap`: what a payload type carries."""

    payload_type: int
    encoding: str
    """Upper case."""
    clock_rate: int
    """0 where it does not parse."""
    channels: int = 1
    """Of audio."""


@dataclass(frozen=True, slots=True)
class Media:
    """One `m=` line and what follows it."""

    kind: str
    """`video`, `audio`, `application` or whatever the camera wrote, lower case."""
    protocol: str
    formats: tuple[str, ...]
    control: str | None = None
    direction: str | None = None
    """`recvonly`, `sendonly`, `sendrecv` or `inactive`."""
    rtpmaps: tuple[RtpMap, ...] = ()
    fmtps: tuple[tuple[int, str], ...] = ()
    dimensions: tuple[int, int] | None = None
    """`a=x-dimensions`: what RTP/JPEG cannot tell of more than 2040 columns or lines."""

    @property
    def payload_types(self) -> tuple[int, ...]:
        """The formats that are payload types."""
        return tuple(int(text) for text in self.formats if _is_payload_type(text))


@dataclass(frozen=True, slots=True)
class Description:
    """What a camera offers."""

    control: str | None
    """Of the whole session; absent on many."""
    media: tuple[Media, ...]


def parse_sdp(data: bytes) -> Description:
    """A session description. Raises MediaError where no `m=` line can be read."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    control: str | None = None
    blocks: list[list[str]] = []
    media: list[Media] = []
    for line in re.split(r"[\r\n]+", text):
        line = line.strip().removeprefix("\ufeff")
        if re.match(r"m\s*=", line):
            blocks.append([line])
        elif blocks:
            blocks[-1].append(line)
        elif (told := _attribute(line))[0] == "control":
            control = told[1]  # the last one wins
    for block in blocks[:_MEDIA_MAX]:
        parsed = _parse_media(block)
        if parsed is not None:
            media.append(parsed)
    if not media:
        raise MediaError("value", "RFC 4566 5.14 m=")
    return Description(control, tuple(media))


def _parse_media(block: list[str]) -> Media | None:
    """One medium; None for lines such as `m=vana`."""
    words = block[0].partition("=")[2].split()
    if len(words) < 2:
        return None
    control: str | None = None
    direction: str | None = None
    rtpmaps: list[RtpMap] = []
    fmtps: list[tuple[int, str]] = []
    dimensions: tuple[int, int] | None = None
    for line in block[1:]:
        name, value = _attribute(line)
        if name == "control":
            control = value
        elif name == "rtpmap":
            rtpmap = _parse_rtpmap(value)
            rtpmaps += [rtpmap] if rtpmap and len(rtpmaps) < _FORMATS_MAX else []
        elif name == "fmtp":
            number, _, parameters = value.partition(" ")
            is_told = _is_payload_type(number) and parameters.strip()
            if is_told and len(fmtps) < _FORMATS_MAX:
                fmtps.append((int(number), parameters.strip()))
        elif name == "x-dimensions":
            dimensions = _parse_dimensions(value)
        elif line in ("a=sendonly", "a=recvonly", "a=sendrecv", "a=inactive"):
            direction = line[2:]
    return Media(
        kind=words[0].lower(),
        protocol=words[2].upper() if len(words) > 2 else "",
        formats=tuple(words[3 : 3 + _FORMATS_MAX]),
        control=control,
        direction=direction,
        rtpmaps=tuple(rtpmaps),
        fmtps=tuple(fmtps),
        dimensions=dimensions,
    )


_ATTRIBUTE = re.compile(r"(?i)a\s*=\s*([^\s:]+)\s*:(.*)")


def _attribute(line: str) -> tuple[str, str]:
    """Name, lower case, and value of `a=name:value`; empty ones for another line."""
    match = _ATTRIBUTE.match(line)
    return (match[1].lower(), match[2].replace("\t", " ").strip()) if match else ("", "")


def _parse_rtpmap(value: str) -> RtpMap | None:
    number, _, mapping = value.partition(" ")
    encoding, _, rest = mapping.strip().partition("/")
    if not _is_payload_type(number) or not encoding:
        return None
    rate = re.match(r"\s*(\d{1,9})(?:\s*/\s*(\d{1,2}))?", rest, re.ASCII)
    channels = int(rate[2] or 1) if rate else 1
    return RtpMap(int(number), encoding.strip().upper(), int(rate[1]) if rate else 0, channels)


def _parse_dimensions(value: str) -> tuple[int, int] | None:
    match = re.match(r"(\d{1,5})\s*,\s*(\d{1,5})", value, re.ASCII)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    return size if 0 < size[0] <= 0xFFFF and 0 < size[1] <= 0xFFFF else None


def _is_payload_type(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3 and int(text) < 128
