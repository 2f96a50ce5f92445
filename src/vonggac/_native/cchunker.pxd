"""native/include/vg/timeline.h and chunker.h, in their order. Declarations only."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from vonggac._native.carena cimport vg_arena
from vonggac._native.csegment cimport vg_sets
from vonggac._native.csound cimport vg_sound, vg_sound_frame
from vonggac._native.cvg cimport c_bool, vg_access_unit, vg_err, vg_fault

cdef extern from "vg/timeline.h" nogil:
    ctypedef struct vg_timeline:
        int64_t media_ticks
        int64_t usual_delta
        int64_t wall_ns
        uint64_t counts_outlier
        uint64_t counts_reanchor

    int64_t vg_timeline_media(vg_timeline *t, uint32_t rtp_timestamp) noexcept
    int64_t vg_timeline_wall(vg_timeline *t, int64_t decode_ticks, int64_t arrival_ns,
                             c_bool *reanchored) noexcept

    ctypedef struct vg_reorder:
        uint8_t count
        uint8_t depth

    void vg_reorder_init(vg_reorder *r, int depth) noexcept
    void vg_reorder_push(vg_reorder *r, int64_t presentation) noexcept
    c_bool vg_reorder_pull(vg_reorder *r, c_bool flush, int64_t *decode) noexcept

cdef extern from "vg/chunker.h" nogil:
    ctypedef struct vg_run_start:
        uint8_t camera[16]
        uint8_t stream[16]
        uint64_t run
        uint64_t predecessor_run
        uint8_t gap_reason
        int64_t gap_start_ns
        c_bool references_lost
        c_bool inband

    ctypedef struct vg_chunker:
        pass

    size_t vg_chunker_size() noexcept
    void vg_chunker_init(vg_chunker *c, vg_arena *arena, const vg_run_start *start,
                         const vg_sets *sets) noexcept
    void vg_chunker_drop(vg_chunker *c) noexcept
    uint32_t vg_chunker_closed(vg_chunker *c) noexcept
    vg_err vg_chunker_push(vg_chunker *c, const vg_access_unit *au, int64_t arrival_wall_ns,
                           int64_t camera_clock_ns, c_bool clock_synced, vg_fault *fault) noexcept
    void vg_chunker_expect_sound(vg_chunker *c, const vg_sound *sound) noexcept
    void vg_chunker_hear(vg_chunker *c, const vg_sound_frame *frame, int64_t arrival_wall_ns,
                         int64_t camera_clock_ns) noexcept
    void vg_chunker_tick(vg_chunker *c) noexcept
    void vg_chunker_end(vg_chunker *c) noexcept
    c_bool vg_chunker_begin_again(vg_chunker *c, uint64_t run, uint8_t reason) noexcept

    ctypedef struct vg_chunker_state:
        uint64_t next_sequence
        uint64_t samples
        uint64_t bytes
        uint64_t skipped_before_sync
        uint64_t dropped_no_room
        uint64_t sets_dropped
        uint64_t entries
        int64_t last_wall_end_ns
        uint32_t width
        uint32_t height
        uint8_t codec
        c_bool inband
        uint64_t sounds
        uint64_t sounds_dropped

    void vg_chunker_read(const vg_chunker *c, vg_chunker_state *out) noexcept
