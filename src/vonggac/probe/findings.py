"""All that a probe found, as values and as facts for `--json`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from vonggac.media.chunk import Codec, GapReason
from vonggac.probe.figures import Figures
from vonggac.probe.maker import Said
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.sdp import Media
from vonggac.rtsp.tracks import AudioTrack

__all__ = ["Findings", "StreamFindings", "facts_of"]


@dataclass(frozen=True, slots=True)
class StreamFindings:
    """Of one address."""

    name: str
    """`main` or `sub`."""
    url: str
    """Without login."""
    said: Said = field(default_factory=Said)
    reason: GapReason | None = None
    """Why no video came about, or why it ended before its time; None: it did not."""
    what: str = ""
    """The same as a sentence."""
    is_busy: bool = False
    """It serves no more connections."""
    transport: str | None = None
    """`tcp` or `udp`: by which packets came."""
    codec: Codec | None = None
    """None where it did not play."""
    login: Scheme | None = None
    """How it had us log in; None: anybody may look."""
    audio: tuple[AudioTrack, ...] = ()
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Of one camera."""

    streams: tuple[StreamFindings, ...]
    habits: Counter[Habit] = field(default_factory=Counter)
    is_box_synced: bool = True
    """Whether the clock that the camera's was compared with is right itself."""

    @property
    def said(self) -> Said:
        """In the words of the first stream that said anything."""
        spoken = (one.said for one in self.streams if one.said != Said())
        return next(spoken, Said())


def facts_of(findings: Findings) -> dict[str, object]:
    """For `--json`; docs/ref/commands.md describes it."""
    said = findings.said
    return {
        "camera": {
            "server": said.server,
            "session_name": said.session_name,
            "tool": said.tool,
            "realm": said.realm,
            "maker": said.maker or None,
            "methods": list(said.methods),
        },
        "streams": [_stream(one) for one in findings.streams],
        "box_clock_synchronised": findings.is_box_synced,
        "habits": [
            {"name": habit.value, "row": habit.row, "count": count}
            for habit, count in sorted(findings.habits.items(), key=lambda one: one[0].row)
        ],
    }


def _stream(found: StreamFindings) -> dict[str, object]:
    description = found.said.description
    return {
        "name": found.name,
        "url": found.url,
        "reason": None if found.reason is None else found.reason.words,
        "what": found.what,
        "transport": found.transport,
        "login": None if found.login is None else found.login.word,
        "codec": None if found.codec is None else found.codec.name.lower(),
        "offered": [_medium(medium) for medium in description.media] if description else [],
        "figures": None if found.figures is None else _figures(found.figures),
    }


def _medium(medium: Media) -> dict[str, object]:
    return {
        "kind": medium.kind,
        "encodings": [one.encoding for one in medium.rtpmaps],
        "direction": medium.direction,
    }


def _figures(figures: Figures) -> dict[str, object]:
    gop, clock = figures.gop, figures.clock
    return {
        "measured_s": round(figures.measured_s, 1),
        "first_picture_s": _rounded(figures.first_picture_s, 2),
        "width": figures.width or None,
        "height": figures.height or None,
        "pictures": figures.pictures,
        "damaged": figures.damaged,
        "fps": _rounded(figures.fps, 2),
        "stamped_fps": _rounded(figures.stamped_fps, 2),
        "bitrate_bps": _rounded(figures.bitrate_bps, 0),
        "gop_s": None
        if gop is None
        else {
            "least": round(gop.least_s, 2),
            "median": round(gop.median_s, 2),
            "most": round(gop.most_s, 2),
            "pictures": gop.pictures,
        },
        "open_gop_s": round(figures.open_gop_s, 2),
        "pause_max_s": round(figures.pause_max_s, 2),
        "packets": figures.packets,
        "packets_lost": figures.packets_lost,
        "packets_late": figures.packets_late,
        "parameter_sets": figures.parameter_sets,
        "b_pictures": figures.has_b_pictures,
        "clock_offset_s": None if clock is None else round(clock.offset_s, 3),
        "clock_reports": 0 if clock is None else clock.reports,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
