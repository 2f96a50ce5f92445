/* Sound of a stream, on channels of the same connection or as datagrams (loop_udp.h). */
#ifndef VG_SRC_LOOP_SOUND_H
#define VG_SRC_LOOP_SOUND_H

#include "loop_stream.h"
#include "vg/sound.h"

typedef struct sound_track {
    uint8_t payload_type, rtp_channel, rtcp_channel;
    reception rx;
    bool is_followed;        /* a frame came before: the next one begins where it ended, or there is
                              * a hole */
    uint32_t next_timestamp; /* where it ended */
    uint64_t holes;
    int64_t missing_ticks;
    int64_t last_ns; /* monotonic: of the newest frame; 0: none yet */
    vg_sound_reader reader;
} sound_track;

/* Reads what ATTACH has of sound behind everything else, if it has any. False: it makes no sense.
 */
bool sound_parse(vg_bytes *r, attached_sound *out);
/* NULL, or why there will be none; the pictures go on. */
const char *sound_attach(stream *s, const attached_sound *a);
/* Whether it was the sound's. */
bool sound_take(stream *s, const vg_rtsp_item *item);
/* One packet of it, one report. */
void sound_rtp(stream *s, const uint8_t *bytes, size_t size);
void sound_rtcp(stream *s, const uint8_t *bytes, size_t size);
void sound_send_report(stream *s);
/* Its part of the record, zeros where there is none. */
void sound_stats(const stream *s, wire_writer *w);
void sound_free(stream *s);

#endif
