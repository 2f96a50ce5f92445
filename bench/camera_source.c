/* Cameras for benches: up to 1,024 RTSP sessions over TCP of one H.264 stream, for a fraction of
 * what a recorder costs. The stream was packetised before (camera_source.py writes the file); here
 * each access unit is renumbered once per frame time and its bytes are shared by all sessions.
 *
 *   camera_source CLIP PORT SECONDS        0: a free port; 0: until SIGTERM
 *
 * Prints "ready PORT" once it listens and one JSON object at the end. A session that cannot take an
 * access unit within RING frame times loses it: counted, and the bench is void. No login, any path.
 *
 * CLIP, big-endian: "VGCS" | u32 size, SDP | u32 ticks a frame | u32 frame time in ns | u32 access
 * units | for each: u32 packets, for each: u16 size, RTP packet.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    RING = 128, /* access units that a slow session may be behind */
    SLOTS = 8,  /* sessions are spread over a frame time, as cameras are */
    SESSIONS = 1024,
    REQUEST = 8192,
};

typedef struct unit {
    uint8_t *bytes; /* interleaved packets on channel 0 */
    size_t size, packets;
} unit;

typedef struct session {
    int fd;
    unsigned number, slot;
    bool playing;
    uint64_t first, next,
        limit;   /* access units: the first, the one being sent, up to which it may */
    size_t sent; /* bytes of `next` */
    uint64_t bytes, units, lost;
    size_t held; /* bytes of an unfinished request */
    char request[REQUEST + 1];
} session;

typedef struct source {
    uint8_t *file;
    const char *sdp;
    size_t sdp_size, unit_count;
    uint32_t frame_ticks, frame_ns;
    unit *clip;
    unit ring[RING];
    uint64_t produced; /* access units that stand, or stood, in the ring */
    uint16_t sequence;
    session *sessions[SESSIONS];
    unsigned opened, open, peak;
    uint64_t bytes, units, lost, late;
} source;

static _Noreturn void die(const char *what) {
    perror(what);
    exit(1);
}

static uint32_t u32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The file is our own: a broken one is a mistake, and said so. */
static const uint8_t *take(const uint8_t **at, const uint8_t *end, size_t size) {
    if ((size_t)(end - *at) < size) {
        fputs("camera_source: the clip is cut short\n", stderr);
        exit(1);
    }
    const uint8_t *const here = *at;
    *at += size;
    return here;
}

static void load(source *s, const char *path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) die(path);
    const size_t size = (size_t)status.st_size;
    s->file = malloc(size + 1);
    if (s->file == NULL || read(fd, s->file, size) != (ssize_t)size) die(path);
    close(fd);
    const uint8_t *at = s->file, *const end = at + size;
    if (memcmp(take(&at, end, 4), "VGCS", 4) != 0) {
        fputs("camera_source: not a clip\n", stderr);
        exit(1);
    }
    s->sdp_size = u32(take(&at, end, 4));
    s->sdp = (const char *)take(&at, end, s->sdp_size);
    s->frame_ticks = u32(take(&at, end, 4));
    s->frame_ns = u32(take(&at, end, 4));
    s->unit_count = u32(take(&at, end, 4));
    s->clip = calloc(s->unit_count + 1, sizeof(unit));
    if (s->clip == NULL) die("calloc");
    size_t largest = 0;
    for (size_t i = 0; i < s->unit_count; i++) {
        unit *u = &s->clip[i];
        u->packets = u32(take(&at, end, 4));
        const uint8_t *const first = at;
        for (size_t p = 0; p < u->packets; p++) {
            const uint8_t *const length = take(&at, end, 2);
            (void)take(&at, end, (size_t)(length[0] << 8 | length[1]));
        }
        u->size = (size_t)(at - first) + 2 * u->packets; /* `$` and the channel stand before each */
        u->bytes = malloc(u->size + 1);
        if (u->bytes == NULL) die("malloc");
        uint8_t *to = u->bytes;
        for (const uint8_t *from = first; from < at;) {
            const size_t bytes = 2 + (size_t)(from[0] << 8 | from[1]);
            *to++ = '$';
            *to++ = 0;
            memcpy(to, from, bytes);
            to += bytes;
            from += bytes;
        }
        if (u->size > largest) largest = u->size;
    }
    for (size_t i = 0; i < RING; i++) {
        s->ring[i].bytes = malloc(largest + 1);
        if (s->ring[i].bytes == NULL) die("malloc");
    }
}

/* The next access unit, with the sequence numbers and the timestamp that follow (RFC 3550 5.1). */
static void produce(source *s) {
    const unit *const from = &s->clip[s->produced % s->unit_count];
    unit *const to = &s->ring[s->produced % RING];
    memcpy(to->bytes, from->bytes, from->size);
    to->size = from->size;
    to->packets = from->packets;
    const uint32_t timestamp = (uint32_t)(s->produced * s->frame_ticks);
    for (size_t at = 0; at < to->size;) {
        uint8_t *const p = to->bytes + at;
        p[6] = (uint8_t)(s->sequence >> 8);
        p[7] = (uint8_t)s->sequence;
        p[8] = (uint8_t)(timestamp >> 24);
        p[9] = (uint8_t)(timestamp >> 16);
        p[10] = (uint8_t)(timestamp >> 8);
        p[11] = (uint8_t)timestamp;
        s->sequence++;
        at += 4 + (size_t)(p[2] << 8 | p[3]);
    }
    s->produced++;
}

static void close_session(source *s, session *c) {
    s->bytes += c->bytes;
    s->units += c->units;
    s->lost += c->lost;
    s->open--;
    printf("{\"session\": %u, \"first\": %llu, \"units\": %llu, \"lost\": %llu}\n", c->number,
           (unsigned long long)c->first, (unsigned long long)c->units, (unsigned long long)c->lost);
    close(c->fd);
    s->sessions[c->number % SESSIONS] = NULL;
    free(c);
}

/* Sends what the session may have. False: the connection is gone. */
static bool pump(source *s, session *c) {
    while (c->playing && c->next < c->limit) {
        if (s->produced - c->next >= RING) {
            if (c->sent > 0) { /* half of it is overwritten: nothing valid can follow */
                c->lost += c->limit - c->next;
                return false;
            }
            const uint64_t to = c->limit - 1;
            c->lost += to - c->next;
            c->next = to;
        }
        const unit *const u = &s->ring[c->next % RING];
        const ssize_t sent =
            send(c->fd, u->bytes + c->sent, u->size - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN || errno == EINTR;
        c->bytes += (uint64_t)sent;
        c->sent += (size_t)sent;
        if (c->sent == u->size) {
            c->sent = 0;
            c->next++;
            c->units++;
        }
    }
    return true;
}

/* Copies the value of a header field, without its line end; empty where it is absent. */
static void field(const char *head, const char *name, char *out, size_t room) {
    const size_t length = strlen(name);
    out[0] = 0;
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, length) != 0 || line[2 + length] != ':') continue;
        const char *value = line + 3 + length;
        value += strspn(value, " \t");
        const size_t size = strcspn(value, "\r\n");
        if (size < room) {
            memcpy(out, value, size);
            out[size] = 0;
        }
        return;
    }
}

/* Answers one request; `head` is terminated. False: the connection is to be closed. */
static bool answer(source *s, session *c, const char *head) {
    char cseq[32], extra[REQUEST + 512], out[2 * REQUEST + 65536];
    field(head, "CSeq", cseq, sizeof cseq);
    const char *const uri = strchr(head, ' ');
    const size_t uri_size = uri == NULL ? 0 : strcspn(uri + 1, " \r\n");
    const char *body = "";
    size_t body_size = 0;
    extra[0] = 0;
    const bool is_play = strncmp(head, "PLAY ", 5) == 0,
               is_teardown = strncmp(head, "TEARDOWN ", 9) == 0;
    if (strncmp(head, "OPTIONS ", 8) == 0) {
        snprintf(extra, sizeof extra,
                 "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n");
    } else if (strncmp(head, "DESCRIBE ", 9) == 0) {
        snprintf(extra, sizeof extra,
                 "Content-Base: %.*s/\r\nContent-Type: application/sdp\r\nContent-Length: %zu\r\n",
                 (int)uri_size, uri == NULL ? "" : uri + 1, s->sdp_size);
        body = s->sdp;
        body_size = s->sdp_size;
    } else if (strncmp(head, "SETUP ", 6) == 0) {
        snprintf(extra, sizeof extra,
                 "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: %u;timeout=60\r\n",
                 c->number);
    } else {
        snprintf(extra, sizeof extra, "Session: %u\r\n", c->number);
    }
    int size = snprintf(out, sizeof out, "RTSP/1.0 200 OK\r\nCSeq: %s\r\n%s\r\n", cseq, extra);
    if (size < 0 || (size_t)size + body_size > sizeof out) return false;
    memcpy(out + size, body, body_size);
    const size_t total = (size_t)size + body_size;
    /* Between access units only: a keep-alive's answer must not stand inside a packet. It waits for
     * none here, since the answer is small and the socket's buffer large; if it does not fit, it is
     * left out. */
    if (c->sent == 0 && send(c->fd, out, total, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)total)
        return false;
    if (is_play && !c->playing) {
        c->playing = true;
        c->first = c->next = c->limit = s->produced;
    }
    return !is_teardown;
}

/* Reads requests; skips RTCP reports. False: the connection is gone. */
static bool listen_to(source *s, session *c) {
    for (;;) {
        const ssize_t got = recv(c->fd, c->request + c->held, REQUEST - c->held, MSG_DONTWAIT);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        c->held += (size_t)got;
        size_t at = 0;
        while (at < c->held) {
            const uint8_t *const p = (const uint8_t *)c->request + at;
            const size_t left = c->held - at;
            if (*p == '$') {
                const size_t size = left < 4 ? 0 : 4 + (size_t)(p[2] << 8 | p[3]);
                if (size == 0 || left < size) break;
                at += size;
                continue;
            }
            char *const end = memmem(c->request + at, left, "\r\n\r\n", 4);
            if (end == NULL) break;
            end[2] = 0;
            if (!answer(s, c, c->request + at)) return false;
            at = (size_t)(end + 4 - c->request);
        }
        memmove(c->request, c->request + at, c->held - at);
        c->held -= at;
        if (c->held == REQUEST) return false;
    }
}

static void open_session(source *s, int poll, int listener) {
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        session *const c = calloc(1, sizeof *c);
        unsigned number = s->opened;
        for (unsigned i = 0; i < SESSIONS && s->sessions[number % SESSIONS] != NULL; i++)
            number++;
        if (c == NULL || s->sessions[number % SESSIONS] != NULL) {
            free(c);
            close(fd);
            continue;
        }
        c->fd = fd;
        c->number = number;
        c->slot = number % SLOTS;
        s->opened = number + 1;
        s->sessions[number % SESSIONS] = c;
        if (++s->open > s->peak) s->peak = s->open;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
    }
}

/* One slot of a frame time: its sessions may have everything produced so far. */
static void turn(source *s, uint64_t tick) {
    if (tick % SLOTS == 0) produce(s);
    for (unsigned i = (unsigned)(tick % SLOTS); i < SESSIONS; i += SLOTS) {
        session *const c = s->sessions[i];
        if (c == NULL) continue;
        c->limit = s->produced;
        if (!pump(s, c)) close_session(s, c);
    }
}

static int listening(uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, SESSIONS) < 0)
        die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) die("getsockname");
    printf("ready %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void report(source *s) {
    for (unsigned i = 0; i < SESSIONS; i++)
        if (s->sessions[i] != NULL) close_session(s, s->sessions[i]);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("{\"cpu_s\": %.3f, \"frames\": %llu, \"sessions_peak\": %u, \"bytes\": %llu, \"units\": "
           "%llu, "
           "\"lost\": %llu, \"late_ticks\": %llu}\n",
           cpu, (unsigned long long)s->produced, s->peak, (unsigned long long)s->bytes,
           (unsigned long long)s->units, (unsigned long long)s->lost, (unsigned long long)s->late);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fputs("usage: camera_source CLIP PORT SECONDS\n", stderr);
        return 2;
    }
    static source s;
    load(&s, argv[1]);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    const int told = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    const int listener = listening((uint16_t)atoi(argv[2]));
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    const struct itimerspec every = {{0, s.frame_ns / SLOTS}, {0, s.frame_ns / SLOTS}};
    if (timer < 0 || told < 0 || timerfd_settime(timer, 0, &every, NULL) < 0) die("timerfd");
    const int poll = epoll_create1(EPOLL_CLOEXEC);
    int *const kinds[] = {&(int){told}, &(int){listener}, &(int){timer}};
    for (size_t i = 0; i < 3; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = kinds[i]};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, *kinds[i], &event) < 0) die("epoll_ctl");
    }
    const uint64_t last = (uint64_t)atoi(argv[3]) * 1000000000U / (s.frame_ns / SLOTS);
    for (uint64_t tick = 0; last == 0 || tick < last;) {
        struct epoll_event events[64];
        const int count = epoll_wait(poll, events, 64, -1);
        uint64_t passed = 0;
        bool stop = false;
        for (int i = 0; i < count; i++) {
            void *const what = events[i].data.ptr;
            if (what == kinds[0])
                stop = true;
            else if (what == kinds[1])
                open_session(&s, poll, listener);
            else if (what == kinds[2]) {
                if (read(timer, &passed, sizeof passed) != sizeof passed) passed = 0;
            } else {
                session *const c = what;
                if (!listen_to(&s, c) || !pump(&s, c)) close_session(&s, c);
            }
        }
        if (stop) break;
        if (passed > 1) s.late += passed - 1;
        for (; passed > 0; passed--)
            turn(&s, tick++);
    }
    report(&s);
    return 0;
}
