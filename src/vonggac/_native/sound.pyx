"""Packets of sound to frames (native/include/vg/sound.h), for tests and tools; the ingest loop
calls the same C without Python."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from vonggac._native.csound cimport (
    VG_SOUND_CONFIG_MAX, vg_sound, vg_sound_init, vg_sound_push, vg_sound_reader, vg_sound_refuse,
)
from vonggac._native.cvg cimport VG_OK, vg_err, vg_fault, vg_rtp_packet
from vonggac._native.fault cimport raise_fault

from vonggac.errors import MediaError


cdef int sound_from(sound, vg_sound *out) except -1:
    """The C form of a Sound. Raises MediaError where no file can carry it."""
    cdef bytes config = sound.config
    cdef const char *why
    if len(config) > VG_SOUND_CONFIG_MAX:
        raise MediaError("limit", "VG_SOUND_CONFIG_MAX", len(config))
    memset(out, 0, sizeof(vg_sound))
    out.codec = sound.codec
    out.channels = sound.channels
    out.size_bits = sound.size_bits
    out.index_bits = sound.index_bits
    out.delta_bits = sound.delta_bits
    out.clock_rate = sound.clock_rate
    out.sample_rate = sound.sample_rate
    out.frame_ticks = sound.frame_ticks
    out.config_size = <uint8_t>len(config)
    memcpy(out.config, <const uint8_t *>config, len(config))
    why = vg_sound_refuse(out)
    if why != NULL:
        raise MediaError("value", why.decode("ascii"), 0)
    return 0


def refusal(sound):
    """Why no file can carry it; None where one can."""
    cdef vg_sound out
    try:
        sound_from(sound, &out)
    except MediaError as error:
        return error.rule
    return None


cdef class SoundReader:
    """The packets of one track."""

    cdef vg_sound_reader _c

    def __init__(self, sound):
        cdef vg_sound told
        sound_from(sound, &told)
        vg_sound_init(&self._c, &told)

    def push(self, bytes payload not None, uint16_t sequence, uint32_t timestamp,
             uint32_t ssrc=1):
        """The frames that a packet completes, as (bytes, timestamp, ticks). Raises MediaError."""
        cdef vg_rtp_packet packet
        cdef vg_fault fault
        cdef vg_err err
        memset(&packet, 0, sizeof(packet))
        packet.sequence = sequence
        packet.timestamp = timestamp
        packet.ssrc = ssrc
        packet.payload = payload
        packet.payload_size = len(payload)
        err = vg_sound_push(&self._c, &packet, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)
        return [
            (
                <bytes>self._c.frames[i].bytes[:self._c.frames[i].size],
                self._c.frames[i].timestamp,
                self._c.frames[i].ticks,
            )
            for i in range(self._c.frame_count)
        ]

    def counts(self):
        """(packets, lost, repeated, frames, odd)."""
        c = self._c.counts
        return c.packets, c.lost, c.repeated, c.frames, c.odd
