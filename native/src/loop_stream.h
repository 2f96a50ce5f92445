/* Inside of a stream, shared by its files:
 *   loop_stream.c   from attachment to end, by the clock, its numbers
 *   loop_socket.c   the socket both ways, floods
 *   loop_udp.c      datagrams, where the camera sends those; in order: loop_udp_order.c
 *   loop_units.c    from bytes to access units to chunks
 *   loop_sound.c    from packets of sound to frames */
#ifndef VG_SRC_LOOP_STREAM_H
#define VG_SRC_LOOP_STREAM_H

#include "loop.h"

enum {
    BURST_S = 2, /* a burst of so many seconds' worth is no flood */
    /* Nor is what a camera sent while a flood was sat out, or a disk waited for. */
    BACKLOG_S = 8,
};

/* loop_stream.c */

void stream_hand_over(stream *s);
void stream_event(stream *s, uint8_t kind, int error, const char *detail);
/* Says the event behind what was still to be pulled, then ends the run. */
void stream_end_with(stream *s, uint8_t kind, int error, const char *detail);
/* Whose bytes are being read, for whoever looks after a crash. */
void crash_page_set(const stream *s);
void crash_page_clear(const stream *s);

/* loop_socket.c */

/* `bytes` begins with the carry; `size` in all. */
void stream_take(stream *s, const uint8_t *bytes, size_t size);
/* So many bytes came: they count, also as a flood. */
void stream_received(stream *s, size_t size);
/* Nothing is read of it now. */
bool stream_is_held_back(stream *s);

/* loop_units.c */

/* How much of `data` is done with; SIZE_MAX where there is no way back into the stream. */
size_t stream_parse(stream *s, const uint8_t *data, size_t size, vg_fault *fault);
/* One packet. */
void stream_rtp(stream *s, const uint8_t *bytes, size_t size);
void stream_rtcp(stream *s, const uint8_t *bytes, size_t size);
/* Access units that are ready become samples. */
void stream_pull(stream *s);

#endif
