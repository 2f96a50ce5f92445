/* The floor that bench/record.py measures against: the least a recorder can do.
 *
 * Takes connections on which RTP over RTSP already flows (file descriptors given as arguments), strips the
 * interleaved and the RTP headers, hashes the payload with SHA-256 and writes it, one pwrite a stream and
 * one syncfs a second. No depacketising, no index, no container, no tolerance: input is trusted.
 *
 *   floor DIRECTORY SECONDS FD...
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 4 << 20, SCRATCH = 256 << 10, CARRY = 65536 + 4, FILE_BYTES = 32 << 20 };

typedef struct stream {
    int fd, file;
    uint8_t carry[CARRY];
    size_t carried, filled;
    uint64_t offset;
    uint8_t *out;
} stream;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Consumes whole interleaved frames, returns the bytes used. */
static size_t strip(stream *s, const uint8_t *data, size_t size) {
    size_t at = 0;
    while (size - at >= 4) {
        const size_t length = (size_t)(data[at + 2] << 8 | data[at + 3]);
        if (size - at - 4 < length) break;
        if (data[at] == '$' && data[at + 1] == 0 && length > 12 && s->filled + length <= ROOM) {
            memcpy(s->out + s->filled, data + at + 16, length - 12);
            s->filled += length - 12;
        }
        at += 4 + length;
    }
    return at;
}

static void receive(stream *s, uint8_t *scratch) {
    memcpy(scratch, s->carry, s->carried);
    const ssize_t got = recv(s->fd, scratch + s->carried, SCRATCH, MSG_DONTWAIT);
    if (got <= 0) return;
    const size_t size = s->carried + (size_t)got;
    const size_t used = strip(s, scratch, size);
    s->carried = size - used;
    memcpy(s->carry, scratch + used, s->carried);
}

static void tick(stream *streams, int count, uint64_t *bytes) {
    uint8_t digest[32];
    for (int k = 0; k < count; k++) {
        stream *s = &streams[k];
        if (s->filled == 0) continue;
        EVP_Digest(s->out, s->filled, digest, NULL, EVP_sha256(), NULL);
        if (s->offset + s->filled > FILE_BYTES) s->offset = 0;
        if (pwrite(s->file, s->out, s->filled, (off_t)s->offset) < 0) perror("pwrite");
        s->offset += s->filled;
        *bytes += s->filled;
        s->filled = 0;
    }
    syncfs(streams[0].file);
}

int main(int argc, char **argv) {
    if (argc < 4) return fprintf(stderr, "usage: floor DIRECTORY SECONDS FD...\n"), 2;
    const int count = argc - 3;
    stream *streams = calloc((size_t)count, sizeof *streams);
    uint8_t *scratch = malloc(SCRATCH + CARRY);
    const int epoll = epoll_create1(0);
    if (streams == NULL || scratch == NULL || epoll < 0) return perror("floor"), 1;
    for (int k = 0; k < count; k++) {
        stream *s = &streams[k];
        char path[4096];
        snprintf(path, sizeof path, "%s/floor%d", argv[1], k);
        s->fd = atoi(argv[3 + k]);
        s->out = malloc(ROOM);
        s->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (s->out == NULL || s->file < 0 || posix_fallocate(s->file, 0, FILE_BYTES) != 0)
            return perror(path), 1;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
        epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event);
    }
    uint64_t bytes = 0;
    const int64_t end = now_ns() + (int64_t)atoi(argv[2]) * 1000000000;
    int64_t next = now_ns() + 1000000000;
    struct epoll_event events[64];
    for (int64_t now = now_ns(); now < end; now = now_ns()) {
        const int ready = epoll_wait(epoll, events, 64, now < next ? (int)((next - now) / 1000000) + 1 : 0);
        for (int k = 0; k < ready; k++) receive(events[k].data.ptr, scratch);
        if (now_ns() < next) continue;
        tick(streams, count, &bytes);
        next += 1000000000;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"cpu_s\": %ld.%06ld, \"bytes\": %llu}\n", usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000000,
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) % 1000000, (unsigned long long)bytes);
    return 0;
}
