/* Messages on Unix SEQPACKET sockets between the parent, its loops and its keepers. Big-endian, at
 * most 64 KiB each; docs/ref/sockets.md is the same in words. Every message starts with this
 * header of 12 bytes:
 *
 *   u16 version (1) | u16 kind | u32 request | u16 part | u16 last (1 on the last part)
 *
 * Blobs are u32 length + bytes. File descriptors travel by SCM_RIGHTS, at most one a message. */
#ifndef VG_WIRE_H
#define VG_WIRE_H

enum {
    VG_WIRE_VERSION = 1,
    VG_WIRE_HEADER = 12,
    VG_WIRE_MAX = 64 * 1024,
    VG_WIRE_ANY_SLOT = 0xFFFF,
};

typedef enum vg_wire_kind {
    /* parent -> loop */
    /* fd = the camera's socket. camera 16, stream 16, keeper u16, codec u8, payload_type u8,
       rtp_channel u8, rtcp_channel u8, clock_rate u32, stall_ms u32, flags u8 (1 references lost, 2
       inband, 4 waits for room: nothing is kept before a sync sample that finds half of what the
       slot may hold free, 8 H.265 with decoding order numbers), run u64, predecessor u64, reason
       u8, gap_start i64, vps blob, sps blob, pps blob (each: sets of the SDP joined as u16 length +
       bytes; of MJPEG the size alone, as a set of 4 bytes in the place of the sps), early blob
       (bytes already read); where sound is recorded, on the same connection: codec u8
       (vg_sound_codec), channels u8, payload_type u8, rtp_channel u8, rtcp_channel u8, size_bits
       u8, index_bits u8, delta_bits u8, clock_rate u32, sample_rate u32, frame_ticks u32, config
       blob. Where it comes as datagrams its channels stand for nothing */
    VG_WIRE_ATTACH = 1,
    VG_WIRE_DETACH = 2, /* stream 16, reason u8: end the run, close the socket, answer with ENDED */
    /* stream 16, bytes blob: write this RTSP message between two interleaved packets */
    VG_WIRE_SEND = 3,
    /* fd = socket to a keeper. slot u16, incarnation u32: (re)connect; hand over again what is SENT
       to that slot */
    VG_WIRE_KEEPER = 4,
    /* fd = the viewer's SEQPACKET socket. stream 16, until_ms u32 (the socket is closed so
       long from now: the receipt ends), header blob (already authorised, sent on first) */
    VG_WIRE_LIVE = 5,
    VG_WIRE_STATS = 6, /* asks for STATS_REPLY */
    VG_WIRE_QUIT = 7,  /* end all runs, hand over, exit 0 */
    VG_WIRE_CLOCK = 8, /* synced u8: whether the box's clock is synchronised */
    /* from u16 (VG_WIRE_ANY_SLOT: whichever), to u16, count u16, stream 16 each (none: all of
       them): these streams write to another slot from here on, and what of them is SENT and not
       durable is handed over there. A connection that was given any of it is closed. */
    VG_WIRE_MOVE = 9,
    /* fd = a bound UDP socket. stream 16, which u8 (0 RTP, 1 RTCP of the pictures, 2 RTP, 3 RTCP of
       the sound), the camera's address 16 (IPv4 mapped), its port u16 (0: it told none): after
       ATTACH, for a camera that does not send on its connection. Datagrams from any other address
       are dropped. */
    VG_WIRE_UDP = 10,
    /* loop -> parent */
    VG_WIRE_READY = 64,   /* pid u32 */
    VG_WIRE_MESSAGE = 65, /* stream 16, bytes blob: an RTSP message from the camera */
    VG_WIRE_EVENT = 66,   /* stream 16, event u8 (vg_wire_event), errno i32, detail blob (text) */
    /* parts; in each: count u16, then a record a stream (VG_WIRE_STATS_RECORD bytes, see below) */
    VG_WIRE_STATS_REPLY = 67,
    VG_WIRE_ENDED = 68, /* stream 16, run u64, next_sequence u64, last_wall_end i64 */
    /* loop -> keeper */
    /* fd = the arena, opened read-only. loop u16, incarnation u32, size u64 */
    VG_WIRE_HELLO = 96,
    VG_WIRE_CHUNK = 97, /* count u16, then header block u32 each: SENT, in order */
    /* tick u64 (CLOCK_MONOTONIC second): all chunks of that tick were handed over */
    VG_WIRE_TICK = 98,
    VG_WIRE_BYE = 99, /* nothing will follow in this incarnation */
    /* keeper -> loop */
    /* count u16, then header block u32 + status u8 each: 1 durable (or already was), 2 refused */
    VG_WIRE_ACK = 100,
    VG_WIRE_DRAINED = 101, /* incarnation u32: everything handed over is durable or refused */
} vg_wire_kind;

typedef enum vg_wire_event {
    VG_EVENT_FIRST_VIDEO = 1, /* first complete access unit of the run; detail empty */
    /* no complete access unit for stall_ms; sent once, again after recovery */
    VG_EVENT_STALLED = 2,
    VG_EVENT_RESUMED = 3,
    /* the camera closed the connection, or errno says why; the run has ended, ENDED follows */
    VG_EVENT_CLOSED = 4,
    VG_EVENT_BYE = 5,        /* RTCP BYE */
    VG_EVENT_BAD_STREAM = 6, /* no way back into the byte stream; as CLOSED */
    /* more bytes than the stream may send (limits); packets are dropped at access units */
    VG_EVENT_FLOOD = 7,
    /* The arena is full. The rest of the run is dropped: end it and attach another that waits for
       room. Without an answer for 5 s the run goes on. */
    VG_EVENT_NO_ROOM = 8,
    VG_EVENT_LATE_KEYFRAME = 9,  /* no sync sample for 30 s */
    VG_EVENT_ENTRY_CHANGED = 10, /* another sample entry (resolution, parameter sets) */
    /* the box's clock was set: from here on the stream is in a run of this number (detail,
       decimal), one higher than the one before, to which nothing is added */
    VG_EVENT_NEW_RUN = 11,
    /* the system had no room for datagrams: so many (detail, decimal) are lost in this box; at most
       once a minute */
    VG_EVENT_OVERRUN = 12,
} vg_wire_event;

/* Numbers above an ATTACH's run that are the loop's to give: for VG_EVENT_NEW_RUN. */
enum { VG_CLOCK_RUNS_MAX = 15 };

/* STATS record: stream 16, run u64, next_sequence u64, bytes u64, access_units u64, sync_samples
 * u64, packets u64, packets_lost u64, damaged u64, skipped u64 (garbage bytes), dropped u64
 * (samples without room), last_au_age_ms u32, width u16, height u16, codec u8, keyframe_interval_ms
 * u32, jitter_ticks u32, last_wall_end i64, camera_clock i64; of datagrams: duplicates u64, late
 * u64 (or of no known sequence), strangers u64 (from another address), overruns u64; habits
 * (vg_nal_counts): foreign packets u64, repeated packets u64, wrong markers u64, start codes inside
 * u64, odd fragments u64, dropped NAL units u64, odd decoding order u64, odd timestamps u64;
 * packets on strange channels u64, reports on the pictures' channel u64, broken reports u64,
 * foreign reports u64, absurd clocks u64; of sound: packets u64, lost packets u64, dropped packets
 * u64, frames u64, frames without room or too late u64, holes u64, missing ms u64, age of the last
 * frame u32 ms (2^32-1: none yet, or no sound) */
enum {
    VG_WIRE_STATS_RECORD = 16 + 8 * 10 + 4 + 2 + 2 + 1 + 4 + 4 + 8 + 8 + 8 * 4 + 8 * 13 + 8 * 7 + 4,
};

/* Live, loop -> viewer: the header blob as the first message; then a message a part of an access
 * unit: header with kind VG_WIRE_LIVE_UNIT, request = number of the unit, part/last; body of part
 * 0: run u64, sequence u64 (of the chunk it will be in), sample u32 (in that chunk), kind u8, flags
 * u8 (1 damaged, 2 skipped: units before this one were not sent to this viewer), media u64 (ticks),
 * wall i64, total u32 (bytes of the unit); then bytes (NAL units with 4-byte lengths, as in mdat).
 * A viewer whose socket is full gets nothing until the next sync sample, then flag 2.
 * VG_WIRE_LIVE_HEAD carries ftyp+moov before the first unit and after an entry change. The first
 * units are the samples of the chunk being filled and of chunks not yet durable, from the newest
 * sync sample on; without one among them, from the first of a chunk whose GOP began in the ring. */
enum { VG_WIRE_LIVE_HEAD = 128, VG_WIRE_LIVE_UNIT = 129 };

#endif
