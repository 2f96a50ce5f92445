#include "vg/ring_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors for one pwritev: at most IOV_MAX of them, 16 bytes each, on the stack. */
enum { PARTS_AT_ONCE = 256 };

/* Where in a write's parts we are: `part` bytes of part `index` are written. */
typedef struct progress {
    int index;
    size_t part;
    uint64_t total;
} progress;

static int gather(const vg_write *w, const progress *at, struct iovec out[PARTS_AT_ONCE]) {
    int count = 0;
    for (int i = at->index; i < w->part_count && count < PARTS_AT_ONCE; i++) {
        const size_t skip = i == at->index ? at->part : 0;
        if (w->parts[i].iov_len == skip) continue;
        out[count].iov_base = (uint8_t *)w->parts[i].iov_base + skip;
        out[count].iov_len = w->parts[i].iov_len - skip;
        count++;
    }
    return count;
}

static void advance(const vg_write *w, progress *at, size_t written) {
    at->total += written;
    while (at->index < w->part_count) {
        const size_t left = w->parts[at->index].iov_len - at->part;
        if (written < left) {
            at->part += written;
            return;
        }
        written -= left;
        at->index++;
        at->part = 0;
    }
    assert(written == 0);
}

static int write_whole(const vg_write *w) {
    progress at = {0};
    for (;;) {
        struct iovec parts[PARTS_AT_ONCE];
        const int count = gather(w, &at, parts);
        if (count == 0) return 0;
        const ssize_t n = pwritev(w->fd, parts, count, (off_t)(w->offset + at.total));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO; /* no progress and no reason: not a device to trust */
        advance(w, &at, (size_t)n);
    }
}

int vg_writes(vg_write *writes, int count) {
    assert(count >= 0 && (writes != NULL || count == 0));
    int failed = 0;
    for (int i = 0; i < count; i++) {
        writes[i].error = write_whole(&writes[i]);
        if (writes[i].error != 0) failed++;
    }
    return failed;
}

int vg_sync(int fd) {
    return syncfs(fd) == 0 ? 0 : errno;
}

static int write_zeros(int fd, uint64_t offset, uint64_t size) {
    static const uint8_t zeros[256 * 1024];
    uint64_t done = 0;
    while (done < size) {
        const uint64_t left = size - done;
        const size_t piece = left < sizeof zeros ? (size_t)left : sizeof zeros;
        const ssize_t n = pwrite(fd, zeros, piece, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO;
        done += (uint64_t)n;
    }
    return 0;
}

int vg_zero(int fd, uint64_t offset, uint64_t size) {
    struct stat st;
    if (fstat(fd, &st) != 0) return errno;
    if (size == 0) return 0;
    /* Nothing is ever extended (promise 2): a range behind the end is a mistake, not a request. */
    const uint64_t file = (uint64_t)st.st_size;
    if (offset > file || size > file - offset) return EINVAL;
    const int mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
    if (fallocate(fd, mode, (off_t)offset, (off_t)size) == 0) return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    return write_zeros(fd, offset, size); /* tmpfs, NFS, FAT */
}
