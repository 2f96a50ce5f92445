#include "loop_udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assembler.h"
#include "loop_stream.h"
#include "loop_udp_order.h"

enum {
    BATCHES = 8, /* a stream's share of a turn, in calls of recvmmsg */
    DRAIN_BATCHES = 64,
    RECEIVE_ROOM = 4 << 20, /* what is asked of the system: 1,100 packets as it counts them */
    /* With less the socket is read often: key frames of half a megabyte come at line speed, and the
     * system counts a packet of 1,400 bytes as up to 3,900. */
    ROOM_FOR_SLOW_READS = 1 << 20,
    OVERRUN_EVERY_S = 60, /* between two events about it */
    BEHIND_MS = 1000,     /* a socket that is never empty holds up nothing for longer */
};

/* --- addresses --- */

/* The address as 16 bytes, and its port; false for what is neither IPv4 nor IPv6. */
static bool read_address(const struct sockaddr_storage *from, uint8_t out[16], uint16_t *port) {
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    if (from->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, from, sizeof v4);
        memcpy(out, mapped, sizeof mapped);
        memcpy(out + sizeof mapped, &v4.sin_addr, 4);
        *port = ntohs(v4.sin_port);
        return true;
    }
    if (from->ss_family != AF_INET6) return false;
    struct sockaddr_in6 v6;
    memcpy(&v6, from, sizeof v6);
    memcpy(out, &v6.sin6_addr, 16);
    *port = ntohs(v6.sin6_port);
    return true;
}

static socklen_t write_address(const udp_socket *u, struct sockaddr_storage *to) {
    const uint8_t *peer = u->pair->peer;
    memset(to, 0, sizeof *to);
    struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof own;
    if (getsockname(u->w.fd, (struct sockaddr *)&own, &size) != 0) return 0;
    if (own.ss_family == AF_INET) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(u->port)};
        memcpy(&v4.sin_addr, peer + 12, 4);
        memcpy(to, &v4, sizeof v4);
        return sizeof v4;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(u->port)};
    memcpy(&v6.sin6_addr, peer, 16);
    memcpy(to, &v6, sizeof v6);
    return sizeof v6;
}

/* --- the sockets --- */

static uint32_t overruns_of(struct msghdr *message, uint32_t before) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
            memcpy(&before, CMSG_DATA(c), sizeof before);
    return before;
}

static void note_overruns(udp_socket *u, uint32_t overruns) {
    udp_pair *udp = u->pair;
    if (overruns == u->overruns) return;
    udp->overruns += overruns - u->overruns;
    u->overruns = overruns;
    const int64_t now = udp->of->owner->now_ns;
    if (udp->told_overrun_ns != 0 && now - udp->told_overrun_ns < OVERRUN_EVERY_S * NS_PER_S)
        return;
    udp->told_overrun_ns = now;
    char count[24];
    (void)snprintf(count, sizeof count, "%llu", (unsigned long long)udp->overruns);
    stream_event(udp->of, VG_EVENT_OVERRUN, 0, count);
}

static void take(udp_socket *u, const struct sockaddr_storage *from, const uint8_t *bytes,
                 size_t size) {
    udp_pair *udp = u->pair;
    uint8_t peer[16];
    uint16_t port = 0;
    /* By address alone: ports are another than announced, or not announced (rtsp.md row 56). */
    if (!read_address(from, peer, &port) || memcmp(peer, udp->peer, sizeof peer) != 0) {
        udp->strangers++;
        return;
    }
    if (u->port == 0) u->port = port;
    stream_received(udp->of, size);
    udp_order_take(udp, bytes, size);
}

/* How many came; less than LOOP_DATAGRAMS: no more are there. */
static int read_batch(udp_socket *u) {
    stream *s = u->pair->of;
    loop *l = s->owner;
    struct mmsghdr messages[LOOP_DATAGRAMS];
    struct iovec parts[LOOP_DATAGRAMS];
    struct sockaddr_storage from[LOOP_DATAGRAMS];
    _Alignas(struct cmsghdr) uint8_t control[LOOP_DATAGRAMS][CMSG_SPACE(sizeof(uint32_t))];
    for (size_t i = 0; i < LOOP_DATAGRAMS; i++) {
        parts[i] = (struct iovec){l->datagrams + i * LOOP_DATAGRAM_MAX, LOOP_DATAGRAM_MAX};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &from[i],
            .msg_namelen = sizeof from[i],
            .msg_iov = &parts[i],
            .msg_iovlen = 1,
            .msg_control = control[i],
            .msg_controllen = sizeof control[i],
        };
    }
    int count;
    do
        count = recvmmsg(u->w.fd, messages, LOOP_DATAGRAMS, MSG_DONTWAIT, NULL);
    while (count < 0 && errno == EINTR);
    /* An unreachable port of the camera's is told here and is no failure of ours (row 57). */
    if (count <= 0) return 0;
    crash_page_set(s);
    uint32_t overruns = u->overruns;
    for (int i = 0; i < count && !s->dead; i++) {
        overruns = overruns_of(&messages[i].msg_hdr, overruns);
        take(u, &from[i], parts[i].iov_base, messages[i].msg_len);
    }
    crash_page_clear(s);
    note_overruns(u, overruns);
    return count;
}

static void read_socket(udp_socket *u, int batches) {
    if (u->w.fd < 0) return;
    const stream *s = u->pair->of;
    loop *l = s->owner;
    for (int i = 0; i < batches; i++) {
        if (s->dead) return;
        if (read_batch(u) < LOOP_DATAGRAMS) {
            u->behind_since_ns = 0;
            return;
        }
    }
    if (u->behind_since_ns == 0) u->behind_since_ns = l->now_ns;
    l->reads_due = true;
}

/* What is waited for may still stand in a socket of its own. Others' floods do not matter, and one
 * that never ends must not hold back what came. */
static bool is_behind(const udp_pair *udp, int64_t now_ns) {
    for (int i = 0; i < 2; i++) {
        const int64_t since_ns = udp->sockets[i].behind_since_ns;
        if (since_ns != 0 && now_ns - since_ns < BEHIND_MS * NS_PER_MS) return true;
    }
    return false;
}

void udp_ready(udp_socket *u) {
    if (!u->pair->of->dead && !stream_is_held_back(u->pair->of)) read_socket(u, BATCHES);
}

static void release(udp_pair *udp) {
    if (udp == NULL || udp->of->dead || udp->order.held == 0) return;
    if (is_behind(udp, udp->of->owner->now_ns)) return;
    crash_page_set(udp->of);
    udp_order_release(udp, false);
    crash_page_clear(udp->of);
}

void udp_release(stream *s) {
    release(s->udp);
    release(s->sound_udp);
}

static void drain(udp_pair *udp) {
    for (int i = 0; udp != NULL && i < 2; i++)
        read_socket(&udp->sockets[i], DRAIN_BATCHES);
}

void udp_drain(stream *s) {
    drain(s->udp);
    drain(s->sound_udp);
}

void udp_flush(stream *s) {
    if (s->sound_udp != NULL) udp_order_release(s->sound_udp, true);
    if (s->udp == NULL) return;
    udp_order_release(s->udp, true);
    /* Nothing behind it will tell whether its last packets were lost. */
    if (s->udp->has_ssrc && !s->udp->ends_at_marker) vg_assembler_break(s->assembler);
}

void udp_send_report(udp_pair *udp, const uint8_t *bytes, size_t size) {
    const udp_socket *u = &udp->sockets[1];
    if (u->w.fd < 0 || u->port == 0) return;
    struct sockaddr_storage to;
    const socklen_t length = write_address(u, &to);
    /* It is said again in five seconds. */
    if (length > 0)
        (void)!sendto(u->w.fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                      (const struct sockaddr *)&to, length);
}

/* --- beginning and end --- */

/* Whether it has room enough to be read ten times a second. SO_RCVBUFFORCE wants CAP_NET_ADMIN;
 * SO_RCVBUF gives what net.core.rmem_max allows. */
static bool make_room(int fd) {
    const int wanted = RECEIVE_ROOM / 2; /* the system doubles it, for its own bookkeeping */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    int granted = 0;
    socklen_t size = sizeof granted;
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size) != 0) return false;
    return granted >= ROOM_FOR_SLOW_READS;
}

static udp_pair *make_pair(stream *s, const udp_address *address) {
    udp_pair *udp = calloc(1, sizeof *udp);
    if (udp == NULL) return NULL;
    udp->of = s;
    udp->is_sound = address->is_sound;
    memcpy(udp->peer, address->peer, sizeof udp->peer);
    vg_order_init(&udp->order);
    if (!udp->is_sound) vg_assembler_lossy(s->assembler);
    for (int i = 0; i < 2; i++)
        udp->sockets[i] =
            (udp_socket){.w = {.kind = WATCHED_UDP, .fd = -1}, .pair = udp, .is_rtcp = i == 1};
    return udp;
}

/* Of the pictures, or of the sound; NULL where there is no memory for one. */
static udp_pair *pair_for(stream *s, const udp_address *address) {
    udp_pair **at = address->is_sound ? &s->sound_udp : &s->udp;
    if (*at == NULL) *at = make_pair(s, address);
    return *at;
}

const char *udp_add(stream *s, const udp_address *address, int fd) {
    udp_socket *u = NULL;
    const char *why = NULL;
    if (address->is_sound && s->sound == NULL) {
        why = "nobody attached any";
    } else {
        udp_pair *udp = pair_for(s, address);
        if (udp != NULL) u = &udp->sockets[address->is_rtcp ? 1 : 0];
        if (u == NULL) why = "out of memory";
        if (u != NULL && u->w.fd >= 0) why = "attached already";
    }
    if (why != NULL) {
        (void)close(fd);
        return why;
    }
    u->w.fd = fd;
    u->port = address->port;
    const int yes = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes);
    /* Four seconds of sound find room in what the system gives anybody. */
    if (!address->is_sound) u->is_tight = !make_room(fd) && !u->is_rtcp;
    s->owner->tight_count += u->is_tight;
    return loop_watch(s->owner, &u->w, EPOLLIN) ? NULL : "epoll";
}

static void free_pair(udp_pair *udp) {
    if (udp == NULL) return;
    loop *l = udp->of->owner;
    for (int i = 0; i < 2; i++) {
        udp_socket *u = &udp->sockets[i];
        loop_unwatch(l, &u->w);
        if (u->w.fd >= 0) (void)close(u->w.fd);
        l->tight_count -= u->is_tight;
    }
    udp_order_free(udp);
    free(udp);
}

void udp_free(stream *s) {
    free_pair(s->udp);
    free_pair(s->sound_udp);
    s->udp = NULL;
    s->sound_udp = NULL;
}
