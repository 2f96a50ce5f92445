"""Numbers, sizes, lengths of time and states in the words of the request's language."""

from __future__ import annotations

from datetime import datetime

from flask.sansio.app import App

from vonggac.ingest.states import State
from vonggac.media.chunk import gap_word
from vonggac_appliance.camera_list import StreamRow
from vonggac_web.texts import ZONE, language, t

__all__ = ["bits_per_s", "decimal", "how_long", "install", "size", "stream_facts"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_CODECS = {"h264": "H.264", "h265": "H.265", "mjpeg": "MJPEG"}
_MARKS: dict[str, str] = {
    State.RECORDING: "good",
    State.CONNECTING: "warn",
    State.PAUSED: "warn",
}
_DISK_MARKS = {"recording": "good", "starting": "warn", "slow": "warn"}
_SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
_RATES = (("Mbit/s", 1e6), ("kbit/s", 1e3))


def install(app: App) -> None:
    """Give templates these words as filters."""
    app.jinja_env.filters.update(
        bits_per_s=bits_per_s,
        decimal=decimal,
        disk_mark=_disk_mark,
        disk_words=lambda state: _words("disk", state),
        gap_words=_gap_words,
        how_long=how_long,
        iso_time=_iso_time,
        size=size,
        sound_words=lambda state: _words("sound", state),
        state_mark=_state_mark,
        state_words=lambda state: _words("state", state),
        stream_facts=stream_facts,
    )


def decimal(value: float, digits: int = 0) -> str:
    """A number with the language's comma and thousands."""
    text = f"{value:,.{digits}f}"
    return text if language() == "en" else text.translate(str.maketrans(",.", ".,"))


def size(size_bytes: float) -> str:
    """Bytes as disks are sold: 1 GB is 10⁹."""
    for unit, one in _SIZES:
        if size_bytes >= one:
            return f"{decimal(size_bytes / one, 1)} {unit}"
    return f"{decimal(size_bytes)} B"


def bits_per_s(rate: float) -> str:
    """A rate as cameras are set."""
    for unit, one in _RATES:
        if rate >= one:
            return f"{decimal(rate / one, 1)} {unit}"
    return f"{decimal(rate)} bit/s"


def how_long(seconds: float) -> str:
    """The two greatest units that matter: `3 ngày 4 giờ`, `12 phút`, `8 giây`."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return t("time.seconds", n=whole)
    if whole < _HOUR:
        return t("time.minutes", n=whole // _MINUTE)
    if whole < _DAY:
        return _two("hours", whole // _HOUR, "minutes", whole % _HOUR // _MINUTE)
    if whole < 10 * _DAY:
        return _two("days", whole // _DAY, "hours", whole % _DAY // _HOUR)
    return t("time.days", n=decimal(whole // _DAY))


def _two(first: str, many: int, second: str, few: int) -> str:
    words = t(f"time.{first}", n=many)
    return f"{words} {t(f'time.{second}', n=few)}" if few else words


def stream_facts(stream: StreamRow) -> str:
    """`H.264 · 1280×720 · 25,0 hình/giây · 1,8 Mbit/s`; why not, where it is not recorded."""
    facts = []
    if stream.codec is not None:
        facts.append(_CODECS.get(stream.codec, stream.codec))
    if stream.width:
        facts.append(f"{stream.width}×{stream.height}")
    if stream.rate is not None:
        facts.append(t("stream.fps", fps=decimal(stream.rate.samples_per_s, 1)))
        facts.append(bits_per_s(stream.rate.bits_per_s))
    elif stream.state != State.RECORDING:
        facts.append(_words("state", stream.state))
    return " · ".join(facts)


def _words(kind: str, word: str) -> str:
    """What another process says, in the page's words; as it said it, where it is newer than we."""
    try:
        return t(f"{kind}.{word.replace(' ', '-')}")
    except KeyError:
        return word


def _gap_words(reason: int | str) -> str:
    return _words("gap", gap_word(reason) if isinstance(reason, int) else reason)


def _state_mark(state: str) -> str:
    return _MARKS.get(state, "bad")


def _disk_mark(state: str) -> str:
    return _DISK_MARKS.get(state, "bad")


def _iso_time(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, ZONE).isoformat()
