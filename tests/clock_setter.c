/* LD_PRELOAD: a process in which the box's clock stands elsewhere, by the nanoseconds (a native i64)
 * at the beginning of the file $CLOCK_SETTER names. Who writes there sets the clock of all processes
 * at once; CLOCK_MONOTONIC and CLOCK_BOOTTIME go on, as they do. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *offset;

__attribute__((constructor)) static void find(void) {
    const char *path = getenv("CLOCK_SETTER");
    const int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) offset = page;
    (void)close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    const long result = syscall(SYS_clock_gettime, clock, at);
    if (result != 0 || offset == NULL) return (int)result;
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return 0;
    const int64_t ns = at->tv_nsec + *offset % 1000000000;
    at->tv_sec += *offset / 1000000000 + (ns >= 1000000000) - (ns < 0);
    at->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (at != NULL) *at = now.tv_sec;
    return now.tv_sec;
}
