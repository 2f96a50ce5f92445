"""What is said of a camera's sound, and of what else it offers: in the log and to whoever asks."""

from __future__ import annotations

import logging

from vonggac.ingest.sound import SoundState, heard_state, missing_sound, sound_sentence
from vonggac.registry.camera import Camera
from vonggac.registry.rules import may_record_sound
from vonggac.rtsp.events import PlayReady
from vonggac_appliance.bus_rows import SoundStatus
from vonggac_appliance.loop_stats import NEVER_MS, StreamStats

__all__ = ["sound_status", "tell_offer"]

_log = logging.getLogger("vonggac.record")


def tell_offer(name: str, camera: Camera, play: PlayReady) -> None:
    """Once a connection: what of it is recorded beside the pictures, and what is not."""
    if play.sound is not None:
        _log.info("%s: its sound is recorded (%s)", name, play.sound.sound.codec.name)
    elif may_record_sound(camera):
        offered, unfit = _offered(play), play.sound_told.unfit
        state = missing_sound(offered, unfit, play.sound_told.was_asked)
        _log.warning("%s: %s", name, sound_sentence(state, offered, unfit))
    if play.metadata:
        _log.info("%s: it offers %s, which nobody asks for", name, ", ".join(play.metadata))


def sound_status(
    camera: Camera, play: PlayReady | None, stats: StreamStats | None, recorded_s: float
) -> SoundStatus | None:
    """Of a stream that is recorded; None where its basis allows no sound."""
    if play is None or not may_record_sound(camera):
        return None
    if play.sound is None:
        offered, unfit = _offered(play), play.sound_told.unfit
        state = missing_sound(offered, unfit, play.sound_told.was_asked)
        return SoundStatus(state, what=sound_sentence(state, offered, unfit))
    codec = play.sound.sound.codec.name.lower()
    if stats is None:
        return SoundStatus(SoundState.RECORDED, codec)
    age_ms = None if stats.sound_age_ms == NEVER_MS else stats.sound_age_ms
    state = heard_state(None if age_ms is None else age_ms / 1000, recorded_s)
    return SoundStatus(
        state,
        codec,
        sound_sentence(state),
        packets=stats.sound_packets,
        packets_lost=stats.sound_packets_lost,
        packets_odd=stats.sound_packets_odd,
        frames=stats.sound_frames,
        dropped=stats.sound_frames_dropped,
        holes=stats.sound_holes,
        missing_ms=stats.sound_missing_ms,
        last_frame_age_ms=age_ms,
    )


def _offered(play: PlayReady) -> list[str]:
    return [track.encoding for track in play.audio if not track.is_backchannel]
