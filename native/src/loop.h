/* What the files of the ingest loop share. One loop, one thread; every object belongs to it. */
#ifndef VG_SRC_LOOP_H
#define VG_SRC_LOOP_H

#include <sys/types.h>

#include "bytes.h"
#include "vg/chunker.h"
#include "vg/ingest_loop.h"
#include "vg/rtcp.h"
#include "vg/rtsp_frame.h"
#include "vg/wire.h"

enum {
    LOOP_READ_MAX = 128 * 1024, /* a stream's share of a turn */
    LOOP_CARRY_MAX = VG_RTSP_HEADER_MAX + VG_RTSP_BODY_MAX +
        4, /* what vg_rtsp_next may ask to keep */
    LOOP_KEEPERS_MAX = 64,
    LOOP_VIEWERS_MAX = 16,         /* of a stream */
    LOOP_OUT_MAX = 64 * 1024,      /* RTSP and RTCP waiting for the camera */
    LOOP_DATAGRAMS = 32,           /* read together */
    LOOP_DATAGRAM_MAX = 64 * 1024, /* Tapo sends whole NAL units (rtsp.md row 75) */
    LOOP_PARENT_MAX = 8 << 20,     /* messages waiting for the parent */
};
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

typedef struct loop loop;
typedef struct stream stream;
typedef struct udp_pair udp_pair;       /* loop_udp.h */
typedef struct sound_track sound_track; /* loop_sound.h */

typedef enum watched_kind {
    WATCHED_CONTROL,
    WATCHED_TIMER,
    WATCHED_STREAM,
    WATCHED_UDP,
    WATCHED_KEEPER,
    WATCHED_VIEWER,
} watched_kind;

/* What epoll gives back; the first member of everything that has a descriptor. */
typedef struct watched {
    watched_kind kind;
    int fd;
    uint32_t events; /* as registered */
} watched;

/* A queue of whole messages. */
typedef struct parcel {
    struct parcel *next;
    size_t size;
    uint8_t bytes[];
} parcel;

typedef struct outbox {
    parcel *first, *last;
    size_t bytes;
} outbox;

/* RFC 3550 6.4.1 and A.3: what a receiver report says. */
typedef struct reception {
    uint32_t clock_rate; /* of the timestamps; 0: VG_TIMESCALE */
    bool started;
    uint32_t ssrc, other_ssrc;
    uint8_t other_count; /* packets in a row of other_ssrc */
    uint16_t highest;
    uint32_t cycles, base;
    uint64_t received;
    uint64_t expected_before, received_before; /* at the report before this one */
    int64_t transit;
    uint32_t jitter_16; /* in sixteenths of a tick */
    bool has_transit;
    /* sender reports */
    uint64_t last_ntp;
    uint32_t last_sr_rtp;
    int64_t last_sr_at_ns; /* monotonic */
    bool clock_is_known;   /* two reports agreed */
} reception;

/* What a camera does against the rules beside its pictures (docs/design/rtsp-interop.md); a count
 * each. */
typedef struct oddities {
    uint64_t channels_strange; /* packets on channels that were never set up: row 73 */
    uint64_t reports_swapped;  /* on the channel of the pictures: 74 */
    uint64_t reports_broken;   /* 76 */
    uint64_t reports_foreign;  /* of a source that is none of ours: 77 */
    uint64_t clocks_absurd;    /* sender reports without a time, or far from the one before: 78 */
} oddities;

typedef struct viewer {
    watched w;
    struct viewer *next;
    outbox out;
    uint32_t units;
    bool waits_for_sync, skipped, dead;
    int64_t until_ns; /* monotonic: what its receipt permits */
    uint64_t entries; /* the entry it was told last */
} viewer;

struct stream {
    watched w;
    loop *owner;
    stream *next;
    bool dead;
    uint8_t camera[VG_ID_SIZE], id[VG_ID_SIZE];
    uint64_t run;
    uint16_t keeper;
    uint8_t codec, payload_type, rtp_channel, rtcp_channel;
    uint32_t stall_ms;
    udp_pair *udp;       /* NULL: packets come on the connection */
    sound_track *sound;  /* NULL: none is recorded */
    udp_pair *sound_udp; /* NULL: it comes on the connection */

    vg_rtsp_splitter splitter;
    vg_assembler *assembler;
    uint8_t *units; /* the assembler's buffer: VG_AU_MAX of address space */
    vg_chunker *chunker;

    uint8_t *carry; /* the head of an item that was cut by a read */
    size_t carry_size, carry_capacity;
    uint8_t *out;
    size_t out_size, out_sent;

    reception rx;
    oddities odd;
    int64_t tokens; /* bytes that may still come before it is a flood */
    int64_t tokens_at_ns;
    bool is_flood, flood_waits_for_sync;
    bool waits_for_room; /* nothing is kept until there is */
    uint32_t messages;   /* told to the parent since the last tick */

    int64_t attached_ns, last_picture_ns, last_sync_ns; /* monotonic; 0: none yet */
    uint32_t last_sync_rtp, keyframe_interval_ms;
    bool is_stalled, told_late_keyframe, told_first, had_bye;
    uint8_t clock_runs; /* how often a run began on this connection because the clock was set */
    /* Monotonic: since when it is this run's own room that ran out; 0: its parent had it begin
     * like that. */
    int64_t no_room_ns;
    uint64_t bytes, sync_samples, skipped_bytes, entries;
    uint64_t dropped; /* access units in a flood or without room, before they reached the chunker */
    int64_t camera_clock_ns; /* of the newest access unit */
    /* The box's clock was set by so much, and this run is still in the old time; 0: it was not.
     * Until `clock_until_ns` (monotonic) a sync sample is waited for. */
    int64_t clock_held_ns, clock_until_ns;
    const char *set_rule; /* why the parameter sets cannot be used; NULL if they can */

    viewer *viewers;
};

typedef struct keeper {
    watched w; /* fd -1: not connected */
    loop *owner;
    uint16_t slot;
    bool hello_due, tick_due, bye_due;
    uint64_t tick;
    uint32_t *queue; /* headers to hand over, in order */
    uint32_t queue_first, queue_count, queue_capacity;
    uint32_t outstanding; /* handed over, not acknowledged */
} keeper;

struct loop {
    vg_loop_config config;
    int epoll_fd, streams_fd; /* the streams' own, looked at when `reads_due` */
    watched control, timer;
    vg_arena arena;
    uint16_t *handed; /* a header: slot + 1 of the connection it was handed to; 0: not */
    uint32_t *sent;   /* room for all headers */
    volatile vg_crash_page *crash;
    stream *streams;
    uint32_t stream_count, viewer_count;
    uint32_t tight_count; /* UDP sockets without room for slow reads */
    keeper keepers[LOOP_KEEPERS_MAX];
    uint32_t held[LOOP_KEEPERS_MAX]; /* blocks that are SENT to a slot */
    outbox parent;
    uint64_t parent_lost;
    bool clock_synced, quits, reads_due;
    int64_t read_every_ns;
    int64_t wall_ns, now_ns; /* of this turn: UTC, CLOCK_MONOTONIC */
    int64_t clock_offset_ns; /* of the turn before: UTC less CLOCK_MONOTONIC */
    bool has_clock_offset;
    uint64_t last_tick;
    int64_t next_check_ns; /* when the watchdogs look again */
    uint32_t own_ssrc;
    uint64_t refused;
    uint8_t *scratch;   /* LOOP_CARRY_MAX + LOOP_READ_MAX, of whichever stream is read */
    uint8_t *datagrams; /* LOOP_DATAGRAMS of LOOP_DATAGRAM_MAX, likewise */
};

/* loop_wire.c */
typedef struct wire_writer {
    uint8_t bytes[VG_WIRE_MAX];
    size_t size;
} wire_writer;
void wire_start(wire_writer *w, uint16_t kind, uint32_t request, uint16_t part, bool last);
void wire_u8(wire_writer *w, uint8_t value);
void wire_u16(wire_writer *w, uint16_t value);
void wire_u32(wire_writer *w, uint32_t value);
void wire_u64(wire_writer *w, uint64_t value);
void wire_bytes(wire_writer *w, const void *bytes, size_t size);
void wire_blob(wire_writer *w, const void *bytes, size_t size);
/* One message, with at most one descriptor (not const because iovec is not; nothing is written):
 * true, or false with errno. */
bool wire_send(int fd, uint8_t *bytes, size_t size, int passed_fd);
/* Its size; 0 at the end; -1 with errno. `*passed_fd` is -1 without one and belongs to the caller.
 */
ssize_t wire_receive(int fd, uint8_t *bytes, size_t capacity, int *passed_fd);
bool outbox_put(outbox *o, const uint8_t *bytes, size_t size);
/* Sends what goes. True, or false with errno of a broken connection. */
bool outbox_flush(outbox *o, int fd);
void outbox_clear(outbox *o);

/* ingest_loop.c */
bool loop_watch(loop *l, watched *w, uint32_t events);
void loop_unwatch(loop *l, watched *w);

/* loop_parent.c */
void loop_tell_parent(loop *l, const wire_writer *w);
void loop_event(loop *l, const uint8_t *stream_id, uint8_t event, int error, const char *detail);
void loop_say_ready(loop *l);
void loop_flush_parent(loop *l);
void loop_control_ready(loop *l);

/* loop_stream.c, loop_socket.c */
typedef struct attached_sound {
    vg_sound sound; /* codec 0: there is none */
    uint8_t payload_type, rtp_channel, rtcp_channel;
} attached_sound;
typedef struct attachment {
    const uint8_t *camera, *stream, *early;
    uint16_t keeper;
    uint8_t codec, payload_type, rtp_channel, rtcp_channel, flags, reason;
    uint32_t clock_rate, stall_ms;
    uint64_t run, predecessor;
    int64_t gap_start_ns;
    size_t early_size;
    vg_sets sets;
    attached_sound sound;
} attachment;
/* Takes the descriptor. NULL, or why it cannot be done. */
const char *stream_attach(loop *l, const attachment *a, int fd);
stream *stream_find(loop *l, const uint8_t *id);
void stream_ready(stream *s, uint32_t events);
void stream_send(stream *s, const uint8_t *message, size_t size);
void stream_tick(stream *s, uint64_t tick);
void stream_check(stream *s); /* stall, late key frames */
/* Reads what has come already, before an end. */
void stream_drain(stream *s);
/* Ends the run and says ENDED; the object lives until the end of the turn. */
void stream_end(stream *s);
void stream_free(stream *s);
void stream_stats(const stream *s, wire_writer *w);

/* loop_keeper.c */
void keeper_connect(keeper *k, int fd);
void keeper_ready(keeper *k, uint32_t events);
void keeper_hand_over(loop *l, uint16_t slot, uint32_t header);
/* A chunk that a predecessor handed over. */
void keeper_inherit(loop *l, uint32_t header);
/* Which streams of which slot go to another one. */
typedef struct move {
    uint16_t from, to; /* from: VG_WIRE_ANY_SLOT for whichever */
    const uint8_t *streams;
    uint32_t count; /* 0: all streams */
} move;
void keeper_move(loop *l, const move *m);
/* Closes the arena to those who write for a slot that holds too much of it. */
void keeper_room(loop *l, uint16_t slot);
/* Whether there is so much room that a stream which ran out of it may begin again. */
bool keeper_has_room(const loop *l, uint16_t slot);
void keeper_flush(keeper *k);
void keeper_drop(keeper *k);

/* loop_arena.c */
/* False with errno. */
bool arena_open(loop *l);
void arena_close(loop *l);
void arena_tick(loop *l, uint64_t second);

/* loop_clock.c */
/* At the beginning of a turn. */
void loop_read_clocks(loop *l);
/* The time in which an access unit is recorded; may begin a run. */
int64_t stream_arrival(stream *s, const vg_access_unit *au);

/* loop_live.c */
/* Takes the descriptor. NULL, or why it cannot be done. */
const char *live_add(stream *s, int fd, uint32_t until_ms, const uint8_t *header, size_t size);
void live_ready(viewer *v);
void live_reap(stream *s, bool all);

#endif
