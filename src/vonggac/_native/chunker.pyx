"""Time and chunks of a stream (native/include/vg/timeline.h, chunker.h), for tests and tools; the
loop calls them in C."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from posix.mman cimport MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE
from posix.mman cimport mmap, munmap

from vonggac._native.carena cimport VG_NO_BLOCK, vg_arena, vg_arena_attach, vg_arena_send
from vonggac._native.cchunker cimport (
    vg_chunker, vg_chunker_begin_again, vg_chunker_closed, vg_chunker_drop, vg_chunker_end,
    vg_chunker_expect_sound, vg_chunker_hear, vg_chunker_init, vg_chunker_push, vg_chunker_read,
    vg_chunker_size, vg_chunker_state, vg_chunker_tick, vg_reorder, vg_reorder_init,
    vg_reorder_pull, vg_reorder_push, vg_run_start, vg_timeline, vg_timeline_media,
    vg_timeline_wall,
)
from vonggac._native.csegment cimport VG_CAMERA_CLOCK_UNKNOWN, vg_sets
from vonggac._native.csound cimport VG_SOUND_FRAME_MAX, vg_sound, vg_sound_frame
from vonggac._native.cvg cimport (
    VG_NALS_MAX, VG_OK, VG_SYSTEM, c_bool, vg_access_unit, vg_codec, vg_err, vg_fault,
    vg_nal_unit, vg_sync_kind,
)
from vonggac._native.fault cimport raise_fault
from vonggac._native.sound cimport sound_from

import os

CLOCK_UNKNOWN = VG_CAMERA_CLOCK_UNKNOWN


cdef class Timeline:
    """Where a stream stands in media and wall time."""

    cdef vg_timeline _c

    def __cinit__(self):
        memset(&self._c, 0, sizeof(self._c))

    def media(self, uint32_t rtp_timestamp):
        """The presentation time in ticks since the first call's."""
        return vg_timeline_media(&self._c, rtp_timestamp)

    def wall(self, int64_t decode_ticks, int64_t arrival_ns):
        """The wall time in ns, and whether it was set anew."""
        cdef c_bool reanchored = False
        wall_ns = vg_timeline_wall(&self._c, decode_ticks, arrival_ns, &reanchored)
        return wall_ns, bool(reanchored)

    @property
    def outliers(self):
        return self._c.counts_outlier


cdef class Reorder:
    """Decode times from presentation times."""

    cdef vg_reorder _c

    def __init__(self, int depth):
        vg_reorder_init(&self._c, depth)

    def push(self, int64_t presentation):
        """The decode times that this makes known, oldest first."""
        vg_reorder_push(&self._c, presentation)
        return self._pull(False)

    def flush(self):
        """All the others."""
        return self._pull(True)

    cdef list _pull(self, c_bool flush):
        cdef list known = []
        cdef int64_t decode = 0
        while vg_reorder_pull(&self._c, flush, &decode):
            known.append(decode)
        return known

    @property
    def depth(self):
        return self._c.depth


cdef class Chunker:
    """A stream's chunker on an arena of its own process; chunks are handed over as they close."""

    cdef vg_chunker *_c
    cdef vg_arena _arena
    cdef void *_base
    cdef size_t _size

    def __cinit__(self):
        self._c = NULL
        self._base = MAP_FAILED

    def __init__(self, int arena_fd, int codec, *, bytes camera, bytes stream, uint64_t run,
                 uint64_t predecessor_run=0, uint8_t gap_reason=0, int64_t gap_start_ns=0,
                 bint references_lost=False, bint inband=False, sps=(), pps=(), sound=None):
        cdef vg_run_start start
        cdef vg_sound heard
        cdef vg_sets sets
        cdef bytes nal  # the caller's sequences keep them alive
        if len(camera) != 16 or len(stream) != 16 or len(sps) > 4 or len(pps) > 8:
            raise ValueError("ids have 16 bytes; at most 4 SPS and 8 PPS")
        self._size = os.fstat(arena_fd).st_size
        self._base = mmap(NULL, self._size, PROT_READ | PROT_WRITE, MAP_SHARED, arena_fd, 0)
        cdef void *memory = mmap(NULL, vg_chunker_size(), PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        if self._base == MAP_FAILED or memory == MAP_FAILED:
            raise_fault(VG_SYSTEM, NULL)
        if vg_arena_attach(&self._arena, <uint8_t *>self._base, self._size) != VG_OK:
            munmap(memory, vg_chunker_size())
            raise ValueError("not an arena")
        memset(&start, 0, sizeof(start))
        memset(&sets, 0, sizeof(sets))
        memcpy(start.camera, <const uint8_t *>camera, 16)
        memcpy(start.stream, <const uint8_t *>stream, 16)
        start.run = run
        start.predecessor_run = predecessor_run
        start.gap_reason = gap_reason
        start.gap_start_ns = gap_start_ns
        start.references_lost = references_lost
        start.inband = inband
        sets.codec = <vg_codec>codec
        for i, nal in enumerate(sps):
            sets.sps[i] = <const uint8_t *>nal
            sets.sps_size[i] = len(nal)
            sets.sps_count = i + 1
        for i, nal in enumerate(pps):
            sets.pps[i] = <const uint8_t *>nal
            sets.pps_size[i] = len(nal)
            sets.pps_count = i + 1
        self._c = <vg_chunker *>memory
        vg_chunker_init(self._c, &self._arena, &start, &sets)
        if sound is not None:
            sound_from(sound, &heard)
            vg_chunker_expect_sound(self._c, &heard)

    def __dealloc__(self):
        if self._c != NULL:
            while vg_chunker_closed(self._c) != VG_NO_BLOCK:
                pass
            vg_chunker_drop(self._c)
            munmap(<void *>self._c, vg_chunker_size())
        if self._base != MAP_FAILED:
            munmap(self._base, self._size)

    def push(self, nals, uint32_t timestamp, int kind, int64_t arrival_ns, *, bint damaged=False,
             bint leading=False, bint clock_synced=False, int64_t camera_clock_ns=CLOCK_UNKNOWN):
        """An access unit of (nal_unit_type, bytes); gives the header blocks it closed."""
        cdef vg_access_unit au
        cdef vg_fault fault
        cdef vg_err err
        cdef size_t offset = 0
        cdef bytes whole = b"".join(nal for _, nal in nals)
        if len(nals) > VG_NALS_MAX:
            raise ValueError("VG_NALS_MAX")
        cdef vg_nal_unit *units = <vg_nal_unit *>calloc(VG_NALS_MAX, sizeof(vg_nal_unit))
        if units == NULL:
            raise MemoryError
        for i, (nal_type, nal) in enumerate(nals):
            units[i].offset = offset
            units[i].size = len(nal)
            units[i].type = nal_type
            offset += len(nal)
        au.bytes = whole
        au.nals = units
        au.nal_count = len(nals)
        au.timestamp = timestamp
        au.kind = <vg_sync_kind>kind
        au.damaged = damaged
        au.leading = leading
        au.is_picture = True
        err = vg_chunker_push(self._c, &au, arrival_ns, camera_clock_ns, clock_synced, &fault)
        free(units)
        closed = self._closed()
        if err != VG_OK:
            raise_fault(err, &fault)
        return closed

    def hear(self, bytes data not None, uint32_t timestamp, uint32_t ticks, int64_t arrival_ns,
             int64_t camera_clock_ns=CLOCK_UNKNOWN):
        """A frame of sound, if the chunker was given a `sound`."""
        cdef vg_sound_frame frame
        if len(data) > VG_SOUND_FRAME_MAX:
            raise ValueError("VG_SOUND_FRAME_MAX")
        frame.bytes = data
        frame.size = len(data)
        frame.timestamp = timestamp
        frame.ticks = ticks
        vg_chunker_hear(self._c, &frame, arrival_ns, camera_clock_ns)

    def sounds(self):
        """(frames of sound that stand in chunks, frames that were dropped)."""
        cdef vg_chunker_state state
        vg_chunker_read(self._c, &state)
        return state.sounds, state.sounds_dropped

    def tick(self):
        """A second ends; gives the header blocks it closed."""
        vg_chunker_tick(self._c)
        return self._closed()

    def end(self):
        """The run ends; gives the header blocks it closed."""
        vg_chunker_end(self._c)
        return self._closed()

    def begin_again(self, uint64_t run, uint8_t reason):
        """The run ends and another begins, in a time of its own.

        Gives the header blocks that the first one closed, and whether there is another: a run in
        which nothing was kept goes on.
        """
        is_new = bool(vg_chunker_begin_again(self._c, run, reason))
        return self._closed(), is_new

    def state(self):
        """(next sequence, samples, skipped, dropped, sets dropped, entries, in band)."""
        cdef vg_chunker_state state
        vg_chunker_read(self._c, &state)
        return (state.next_sequence, state.samples, state.skipped_before_sync,
                state.dropped_no_room, state.sets_dropped, state.entries, bool(state.inband))

    cdef list _closed(self):
        cdef list headers = []
        cdef uint32_t header
        while True:
            header = vg_chunker_closed(self._c)
            if header == VG_NO_BLOCK:
                return headers
            vg_arena_send(&self._arena, header)
            headers.append(header)
