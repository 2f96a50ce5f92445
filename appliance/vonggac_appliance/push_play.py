"""What a publisher says will come, checked: who passes his words on is not trusted."""

from __future__ import annotations

from vonggac.errors import MediaError
from vonggac.media.chunk import Codec
from vonggac.rtsp.events import PlayReady
from vonggac.rtsp.sound import SoundReady
from vonggac.rtsp.tracks import AudioTrack
from vonggac_appliance.messages_push import PushRecords

__all__ = ["play_of"]

_SETS_MAX_BYTES = 16 * 1024
_AUDIO_MAX = 8
_CONFIG_MAX_BYTES = 64
_CLOCK_RATE_MAX = 1_000_000


def play_of(records: PushRecords) -> PlayReady:
    """What will come, checked. Raises MediaError for what no description of ours can say."""
    sets = (records.vps, records.sps, records.pps)
    channels = (records.rtp_channel, records.rtcp_channel)
    is_well = (
        records.codec in tuple(Codec)
        and 0 <= records.payload_type < 128
        and 0 < records.clock_rate <= _CLOCK_RATE_MAX
        and all(0 <= channel < 256 for channel in channels)
        and channels[0] != channels[1]
        and sum(len(unit) + 2 for units in sets for unit in units) <= _SETS_MAX_BYTES
        and len(records.audio) <= _AUDIO_MAX
        and len(records.session) <= 64
        and records.session.isascii()
        and records.session.isalnum()  # it stands in a header of every answer
        and (records.sound is None or _is_sound(records.sound, channels))
    )
    if not is_well:
        raise MediaError("value", "PushRecords")
    vps, sps, pps = (tuple(units) for units in sets)
    return PlayReady(
        codec=Codec(records.codec),
        payload_type=records.payload_type,
        clock_rate=records.clock_rate,
        rtp_channel=channels[0],
        rtcp_channel=channels[1],
        vps=vps,
        sps=sps,
        pps=pps,
        session_timeout_s=60,
        keepalive_method="",
        scheme=None,
        server=records.agent[:100],
        audio=tuple(AudioTrack(name[:32], rate, False) for name, rate in records.audio),
        has_donl=records.has_donl,
        sound=records.sound,
    )


def _is_sound(ready: SoundReady, of_video: tuple[int, int]) -> bool:
    sound, channels = ready.sound, (ready.rtp_channel, ready.rtcp_channel)
    small = (sound.channels, sound.size_bits, sound.index_bits, sound.delta_bits, *channels)
    rates = (sound.clock_rate, sound.sample_rate, sound.frame_ticks)
    return (
        0 <= ready.payload_type < 128
        and all(0 <= number < 256 for number in small)
        and all(0 <= rate <= _CLOCK_RATE_MAX for rate in rates)
        and len({*channels, *of_video}) == 4
        and len(sound.config) <= _CONFIG_MAX_BYTES
    )
