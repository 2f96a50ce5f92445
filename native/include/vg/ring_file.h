/* The writing of a tick: every chunk with pwritev, then one syncfs. The only native code that opens
 * or writes disks. */
#ifndef VG_RING_FILE_H
#define VG_RING_FILE_H

#include "vg/err.h"
#include <stdint.h>
#include <sys/uio.h>

typedef struct vg_write {
    int fd;
    int error; /* out: errno of this write, 0 if whole */
    uint64_t offset;
    const struct iovec *parts; /* all of them are written, short writes continued */
    int part_count;            /* any count; cut into IOV_MAX pieces */
} vg_write;

/* Writes all; a write that fails does not stop the others. Returns the number that failed. */
int vg_writes(vg_write *writes, int count);
/* syncfs(fd): 0 or errno. Also reports write-back errors since the file descriptor was opened
 * (Linux >= 5.8). */
int vg_sync(int fd);
/* FALLOC_FL_ZERO_RANGE over [offset, offset + size) without changing the file's size; writes zeros
 * where the file system cannot. 0 or errno. */
int vg_zero(int fd, uint64_t offset, uint64_t size);

#endif
