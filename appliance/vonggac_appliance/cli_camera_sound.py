"""What `vonggac camera show` says of a camera's sound, where its basis allows any."""

from __future__ import annotations

from vonggac_appliance.bus_control import CameraStatus, SoundStatus

__all__ = ["sound_facts", "sound_rows"]


def sound_facts(status: CameraStatus | None) -> list[dict[str, object]]:
    """For `--json`; empty while nothing is recorded, and where no sound may be."""
    return [
        {
            "stream": stream.name,
            "state": stream.sound.state,
            "codec": stream.sound.codec,
            "what": stream.sound.what,
            "packets": stream.sound.packets,
            "packets_lost": stream.sound.packets_lost,
            "packets_odd": stream.sound.packets_odd,
            "frames": stream.sound.frames,
            "dropped": stream.sound.dropped,
            "holes": stream.sound.holes,
            "missing_ms": stream.sound.missing_ms,
            "last_frame_age_ms": stream.sound.last_frame_age_ms,
        }
        for stream in (() if status is None else status.streams)
        if stream.sound is not None
    ]


def sound_rows(status: CameraStatus | None) -> list[list[str]]:
    """For the table."""
    return [
        [f"{stream.name}'s sound", _words(stream.sound)]
        for stream in (() if status is None else status.streams)
        if stream.sound is not None
    ]


def _words(sound: SoundStatus) -> str:
    if sound.codec is None:
        return sound.what
    age_ms = sound.last_frame_age_ms
    newest = "none yet" if age_ms is None else f"the last {age_ms / 1000:.0f} s ago"
    return (
        f"{sound.what} ({sound.codec}): {sound.frames} frames, {newest}; "
        f"{sound.packets_lost} packets lost, {sound.packets_odd} and {sound.dropped} frames "
        f"dropped, {sound.holes} holes of {sound.missing_ms / 1000:.1f} s in all"
    )
