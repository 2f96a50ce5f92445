/* Sound of a stream, on channels of the same connection. */
#ifndef VG_SRC_LOOP_SOUND_H
#define VG_SRC_LOOP_SOUND_H

#include "loop_stream.h"
#include "vg/sound.h"

typedef struct sound_track {
    uint8_t payload_type, rtp_channel, rtcp_channel;
    reception rx;
    vg_sound_reader reader;
} sound_track;

/* Reads what ATTACH has of sound behind everything else, if it has any. False: it makes no sense.
 */
bool sound_parse(vg_bytes *r, attached_sound *out);
/* NULL, or why there will be none; the pictures go on. */
const char *sound_attach(stream *s, const attached_sound *a);
/* Whether it was the sound's. */
bool sound_take(stream *s, const vg_rtsp_item *item);
void sound_send_report(stream *s);
void sound_free(stream *s);

#endif
