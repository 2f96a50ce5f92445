/* Stands between a process and its disk (LD_PRELOAD): records every call that changes what lies
 * under one directory, makes a chosen one fail, and syncs slow.
 *
 * Control is a file of 4 KiB named by INTERPOSE_CONTROL and mapped by every process that loads
 * this: one count over all of them, and a test can arm it while they run. preload.py writes it.
 * The tape is memory of the recording process, read through interpose_tape(). Calls reach the
 * kernel directly, so nothing is looked up in the C library that this replaces. What is written
 * through a mapping is not seen (LMDB does that to its lock file only). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CONTROL_BYTES = 4096, PATH_BYTES = 512 };

/* What a call does. `counted` in the control is a mask of these; names stand for files that come,
 * go, are renamed or change their size. */
typedef enum kind { WRITE = 1, ZERO = 2, SYNC = 4, NAMES = 8 } kind;

typedef struct control {
    _Atomic int64_t calls;   /* counted so far */
    _Atomic int64_t fail_at; /* which of them fails; 0: none */
    _Atomic int64_t failed;  /* how many have */
    int32_t counted;
    int32_t error;
    int32_t is_lasting;   /* so do all after it */
    int32_t is_torn;      /* a write that fails has written its first half */
    int32_t is_recording; /* to the tape */
    int32_t is_light;     /* no sync reaches the kernel, and room is a hole */
    int32_t syncfs_ms;    /* each takes at least so long */
    char under[PATH_BYTES];
} control;

static control *shared; /* NULL: nothing is watched */

static pthread_mutex_t tape_lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t *tape;
static size_t tape_size, tape_room;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("INTERPOSE_CONTROL");
    if (path == NULL) return;
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return;
    void *map = mmap(NULL, CONTROL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)syscall(SYS_close, fd);
    if (map != MAP_FAILED) shared = map;
}

/* --- what is watched */

static bool is_under(const char *path) {
    if (shared == NULL || shared->under[0] == '\0') return false;
    const size_t size = strnlen(shared->under, sizeof shared->under);
    return strncmp(path, shared->under, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* The path of a watched descriptor; false if it is another one. */
static bool path_of(int fd, char path[PATH_BYTES]) {
    if (shared == NULL || fd < 0) return false;
    char name[32];
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(name, path, PATH_BYTES - 1);
    if (n < 0) return false;
    path[n] = '\0';
    return is_under(path);
}

/* Whether this call is the one to fail; errno is set then. */
static bool fails(kind what) {
    if (((uint32_t)shared->counted & (uint32_t)what) == 0) return false;
    const int64_t number = atomic_fetch_add(&shared->calls, 1) + 1;
    const int64_t wanted = atomic_load(&shared->fail_at);
    const bool is_it = number == wanted || (shared->is_lasting != 0 && number > wanted);
    if (wanted == 0 || !is_it) return false;
    atomic_fetch_add(&shared->failed, 1);
    errno = shared->error;
    return true;
}

/* --- the tape: what, size of the path, size of the bytes, offset, length; path; bytes */

typedef struct entry {
    uint32_t what;
    uint32_t path_size;
    uint64_t bytes_size;
    uint64_t offset;
    uint64_t length;
} entry;

static void put(const void *bytes, size_t size) {
    if (size == 0) return;
    if (tape_room - tape_size < size) {
        tape_room = (tape_size + size) * 2;
        tape = realloc(tape, tape_room);
        if (tape == NULL) abort();
    }
    memcpy(tape + tape_size, bytes, size);
    tape_size += size;
}

static void note_parts(char what, const char *path, uint64_t offset, uint64_t length,
                       const struct iovec *parts, int count, uint64_t written) {
    if (shared->is_recording == 0) return;
    const int error = errno;
    const entry e = {(uint32_t)what, (uint32_t)strlen(path), written, offset, length};
    pthread_mutex_lock(&tape_lock);
    put(&e, sizeof e);
    put(path, e.path_size);
    for (int i = 0; i < count && written > 0; i++) {
        const size_t size = parts[i].iov_len < written ? parts[i].iov_len : (size_t)written;
        put(parts[i].iov_base, size);
        written -= size;
    }
    pthread_mutex_unlock(&tape_lock);
    errno = error;
}

static void note(char what, const char *path, uint64_t offset, uint64_t length) {
    note_parts(what, path, offset, length, NULL, 0, 0);
}

/* The recording process's tape so far. */
size_t interpose_tape(const uint8_t **start);
size_t interpose_tape(const uint8_t **start) {
    *start = tape;
    return tape_size;
}

void interpose_rewind(void);
void interpose_rewind(void) {
    tape_size = 0;
}

/* --- writing */

static ssize_t put_at(int fd, const struct iovec *parts, int count, off_t offset) {
    return syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

static void write_half(int fd, const struct iovec *parts, int count, off_t offset) {
    size_t left = 0;
    for (int i = 0; i < count; i++)
        left += parts[i].iov_len;
    left /= 2;
    for (int i = 0; i < count && left > 0; i++) {
        const struct iovec one = {parts[i].iov_base,
                                  parts[i].iov_len < left ? parts[i].iov_len : left};
        if (put_at(fd, &one, 1, offset) != (ssize_t)one.iov_len) return;
        offset += (off_t)one.iov_len;
        left -= one.iov_len;
    }
}

/* `is_here`: at the descriptor's own position. */
static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset,
                           bool is_here) {
    char path[PATH_BYTES];
    const bool is_watched = path_of(fd, path);
    if (is_watched && is_here) offset = lseek(fd, 0, SEEK_CUR);
    if (is_watched && fails(WRITE)) {
        const int error = errno;
        if (shared->is_torn != 0) write_half(fd, parts, count, offset);
        errno = error;
        return -1;
    }
    const ssize_t n =
        is_here ? syscall(SYS_writev, fd, parts, count) : put_at(fd, parts, count, offset);
    if (!is_watched || n < 0) return n;
    const bool is_synced = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    note_parts(is_synced ? 'd' : 'w', path, (uint64_t)offset, 0, parts, count, (uint64_t)n);
    return n;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return write_parts(fd, parts, count, offset, false);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    return write_parts(fd, parts, count, offset, false);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    const struct iovec one = {(void *)(uintptr_t)bytes, size};
    return write_parts(fd, &one, 1, offset, false);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    return pwrite(fd, bytes, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    return write_parts(fd, parts, count, 0, true);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    if (shared == NULL) return syscall(SYS_write, fd, bytes, size);
    const struct iovec one = {(void *)(uintptr_t)bytes, size};
    return write_parts(fd, &one, 1, 0, true);
}

/* --- room and sizes */

int ftruncate(int fd, off_t size) {
    char path[PATH_BYTES];
    const bool is_watched = path_of(fd, path);
    if (is_watched && fails(NAMES)) return -1;
    const int result = (int)syscall(SYS_ftruncate, fd, size);
    if (is_watched && result == 0) note('t', path, 0, (uint64_t)size);
    return result;
}

int ftruncate64(int fd, off64_t size) {
    return ftruncate(fd, size);
}

/* Zeroing is recorded; where a file system cannot do it a hole does, which reads the same. */
int fallocate(int fd, int mode, off_t offset, off_t size) {
    char path[PATH_BYTES];
    const bool is_watched = path_of(fd, path);
    if (is_watched && fails(ZERO)) return -1;
    const bool is_zero = (mode & (FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE)) != 0;
    int real = mode;
    if (is_watched && is_zero && shared->is_light != 0)
        real = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    const int result = (int)syscall(SYS_fallocate, fd, real, offset, size);
    if (is_watched && result == 0)
        note(is_zero ? 'z' : 'a', path, (uint64_t)offset, (uint64_t)size);
    return result;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
    return fallocate(fd, mode, offset, size);
}

static int grow(int fd, off_t size) {
    struct stat now;
    if (fstat(fd, &now) != 0) return -1;
    return now.st_size >= size ? 0 : (int)syscall(SYS_ftruncate, fd, size);
}

int posix_fallocate(int fd, off_t offset, off_t size) {
    char path[PATH_BYTES];
    const bool is_watched = path_of(fd, path);
    if (is_watched && fails(NAMES)) return errno;
    const bool is_hole = is_watched && shared->is_light != 0;
    const int result =
        is_hole ? grow(fd, offset + size) : (int)syscall(SYS_fallocate, fd, 0, offset, size);
    if (result != 0) return errno;
    if (is_watched) note('a', path, (uint64_t)offset, (uint64_t)size);
    return 0;
}

int posix_fallocate64(int fd, off64_t offset, off64_t size) {
    return posix_fallocate(fd, offset, size);
}

/* --- syncs: 's' all of the file system, 'f' a file, 'g' a file's bytes, 'l' one that failed */

static int sync_by(long number, int fd, char what) {
    char path[PATH_BYTES];
    const bool is_watched = path_of(fd, path);
    if (is_watched && fails(SYNC)) {
        note('l', path, 0, 0);
        return -1;
    }
    const bool is_skipped = is_watched && shared->is_light != 0;
    const int result = is_skipped ? 0 : (int)syscall(number, fd);
    if (is_watched && result == 0) note(what, path, 0, 0);
    return result;
}

static void wait_ms(int32_t ms) {
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};
    while (ms > 0 && nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

int syncfs(int fd) {
    char path[PATH_BYTES];
    if (path_of(fd, path)) wait_ms(shared->syncfs_ms);
    return sync_by(SYS_syncfs, fd, 's');
}

int fsync(int fd) {
    return sync_by(SYS_fsync, fd, 'f');
}

int fdatasync(int fd) {
    return sync_by(SYS_fdatasync, fd, 'g');
}

int msync(void *start, size_t size, int flags) {
    /* Nothing of ours writes through a mapping: were that to change, a tape would be wrong. */
    if (shared != NULL && shared->is_recording != 0) abort();
    return (int)syscall(SYS_msync, start, size, flags);
}

/* --- names: 'c' made, 'u' removed, 'r' renamed (the bytes are its new name), 'k' a directory */

static int open_at(int directory, const char *path, int flags, mode_t mode) {
    const bool is_watched = path[0] == '/' && is_under(path);
    const bool was_there =
        is_watched && (flags & O_CREAT) != 0 && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
    const bool is_made = is_watched && (flags & O_CREAT) != 0 && !was_there;
    const bool is_emptied = is_watched && was_there && (flags & O_TRUNC) != 0;
    if ((is_made || is_emptied) && fails(NAMES)) return -1;
    const int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    if (fd >= 0 && is_made) note('c', path, 0, 0);
    if (fd >= 0 && is_emptied) note('t', path, 0, 0);
    return fd;
}

static mode_t mode_of(int flags, va_list rest) {
    return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? (mode_t)va_arg(rest, int) : 0;
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_at(AT_FDCWD, path, flags, mode);
}

int unlink(const char *path) {
    const bool is_watched = is_under(path);
    if (is_watched && fails(NAMES)) return -1;
    const int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (is_watched && result == 0) note('u', path, 0, 0);
    return result;
}

int rename(const char *from, const char *to) {
    const bool is_watched = is_under(from) && is_under(to);
    if (is_watched && fails(NAMES)) return -1;
    const int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    const struct iovec name = {(void *)(uintptr_t)to, strlen(to)};
    if (is_watched && result == 0) note_parts('r', from, 0, 0, &name, 1, name.iov_len);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    const bool is_watched = is_under(path);
    if (is_watched && fails(NAMES)) return -1;
    const int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (is_watched && result == 0) note('k', path, 0, 0);
    return result;
}
