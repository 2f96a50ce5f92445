/* The turn: wait, read what came, tick at whole seconds, hand over, tell the parent. The streams'
 * sockets are read at the timer's pace and not when something is there; everybody else is heard at
 * once. */
#include "vg/ingest_loop.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "loop_udp.h"

enum {
    EVENTS_A_TURN = 256,
    CHECK_MS = 250, /* how often the watchdogs look */
    /* How often streams are read: what trickled in is taken together, in a fifth less time. A
     * viewer waits for it, so with one it is often, and a UDP socket without much room overflows.
     * Both divide a second: at a tick nothing is left unread. */
    READ_MS = 100,
    READ_OFTEN_MS = 20,
    QUIT_WAIT_MS = 2000,
    FLOOD_DEFAULT = 25000000, /* bytes a second; 200 Mbit/s */
    CALM_DEFAULT_S = 60,
};

static int say(const loop *l, const char *what) {
    (void)fprintf(stderr, "<3>loop %u: %s: %s\n", (unsigned)l->config.number, what,
                  strerror(errno));
    return 1;
}

static int epoll_of(const loop *l, const watched *w) {
    return w->kind == WATCHED_STREAM || w->kind == WATCHED_UDP ? l->streams_fd : l->epoll_fd;
}

bool loop_watch(loop *l, watched *w, uint32_t events) {
    if (w->fd < 0 || w->events == events) return true;
    struct epoll_event e = {.events = events, .data.ptr = w};
    const int operation = w->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(epoll_of(l, w), operation, w->fd, &e) != 0) return false;
    w->events = events;
    return true;
}

void loop_unwatch(loop *l, watched *w) {
    if (w->fd >= 0 && w->events != 0) (void)epoll_ctl(epoll_of(l, w), EPOLL_CTL_DEL, w->fd, NULL);
    w->events = 0;
}

/* True, or false with errno. */
static bool set_pace(loop *l) {
    const bool is_often = l->viewer_count > 0 || l->tight_count > 0;
    const int64_t every_ns = (is_often ? READ_OFTEN_MS : READ_MS) * NS_PER_MS;
    if (every_ns == l->read_every_ns) return true;
    const int64_t next_ns = (l->now_ns / every_ns + 1) * every_ns;
    const struct itimerspec spec = {
        .it_value = {.tv_sec = next_ns / NS_PER_S, .tv_nsec = next_ns % NS_PER_S},
        .it_interval = {.tv_nsec = every_ns},
    };
    if (timerfd_settime(l->timer.fd, TFD_TIMER_ABSTIME, &spec, NULL) != 0) return false;
    l->read_every_ns = every_ns;
    return true;
}

/* --- turns --- */

static void ready(loop *l, watched *w, uint32_t events) {
    switch (w->kind) {
    case WATCHED_CONTROL:
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) loop_control_ready(l);
        return;
    case WATCHED_TIMER: {
        uint64_t expirations;
        (void)!read(w->fd, &expirations, sizeof expirations); /* the clock tells which tick it is */
        l->reads_due = true;
        return;
    }
    case WATCHED_STREAM:
        stream_ready((stream *)(void *)w, events);
        return;
    case WATCHED_UDP:
        udp_ready((udp_socket *)(void *)w);
        return;
    case WATCHED_KEEPER:
        keeper_ready((keeper *)(void *)w, events);
        return;
    case WATCHED_VIEWER:
        live_ready((viewer *)(void *)w);
        return;
    }
}

/* At a whole second of CLOCK_MONOTONIC, the same in all loops: every chunk closes. */
static void tick(loop *l) {
    const uint64_t second = (uint64_t)(l->now_ns / NS_PER_S);
    if (second == l->last_tick) return;
    l->last_tick = second;
    arena_tick(l, second);
    for (stream *s = l->streams; s != NULL; s = s->next)
        stream_tick(s, second);
    for (uint32_t i = 0; i < LOOP_KEEPERS_MAX; i++) {
        l->keepers[i].tick = second;
        l->keepers[i].tick_due = l->keepers[i].w.fd >= 0;
    }
}

static void reap(loop *l) {
    stream **at = &l->streams;
    while (*at != NULL) {
        stream *s = *at;
        live_reap(s, s->dead);
        if (!s->dead) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        stream_free(s);
    }
}

/* Every stream, though only those with input were touched: too dear for each turn. */
static void watch_streams(loop *l) {
    if (l->now_ns < l->next_check_ns) return;
    l->next_check_ns = l->now_ns + CHECK_MS * NS_PER_MS;
    for (stream *s = l->streams; s != NULL; s = s->next)
        stream_check(s);
}

static void end_turn(loop *l) {
    watch_streams(l);
    for (uint32_t i = 0; i < LOOP_KEEPERS_MAX; i++)
        keeper_flush(&l->keepers[i]);
    loop_flush_parent(l);
    reap(l);
}

/* The number of them; -1 where epoll itself fails. */
static int take_events(loop *l, int epoll_fd, int timeout_ms) {
    struct epoll_event events[EVENTS_A_TURN];
    const int count = epoll_wait(epoll_fd, events, EVENTS_A_TURN, timeout_ms);
    if (count < 0 && errno != EINTR) return -1;
    loop_read_clocks(l);
    for (int i = 0; i < count; i++)
        ready(l, events[i].data.ptr, events[i].events);
    return count < 0 ? 0 : count;
}

static bool read_streams(loop *l) {
    l->reads_due = false;
    const int count = take_events(l, l->streams_fd, 0);
    if (count == EVENTS_A_TURN) { /* what is missing may stand in a socket that was not looked at */
        l->reads_due = true;
        return true;
    }
    for (stream *s = l->streams; s != NULL; s = s->next)
        udp_release(s);
    return count >= 0;
}

/* False where the system refuses what a loop needs. */
static bool turn(loop *l) {
    if (take_events(l, l->epoll_fd, l->reads_due ? 0 : -1) < 0) return false;
    if (l->reads_due && !read_streams(l)) return false;
    tick(l);
    end_turn(l);
    return set_pace(l);
}

static bool is_drained(const loop *l) {
    for (uint32_t i = 0; i < LOOP_KEEPERS_MAX; i++) {
        const keeper *k = &l->keepers[i];
        if (k->w.fd >= 0 && (k->outstanding > 0 || k->queue_count > 0 || k->bye_due)) return false;
    }
    return l->parent.first == NULL;
}

/* Ends all runs and waits until what was handed over is durable, or for two seconds: then the arena
 * keeps it for a successor. */
static void quit(loop *l) {
    loop_read_clocks(l);
    for (stream *s = l->streams; s != NULL; s = s->next) {
        stream_drain(s);
        stream_end(s);
    }
    for (uint32_t i = 0; i < LOOP_KEEPERS_MAX; i++)
        l->keepers[i].bye_due = l->keepers[i].w.fd >= 0;
    end_turn(l);
    loop_unwatch(l, &l->control); /* its end would wake us for nothing */
    const int64_t until = l->now_ns + (int64_t)QUIT_WAIT_MS * NS_PER_MS;
    while (!is_drained(l) && l->now_ns < until)
        if (!turn(l)) return;
}

/* --- beginning --- */

static bool open_crash_page(loop *l) {
    if (l->config.crash_page_fd < 0) return true;
    void *page = mmap(NULL, sizeof(vg_crash_page), PROT_READ | PROT_WRITE, MAP_SHARED,
                      l->config.crash_page_fd, 0);
    if (page == MAP_FAILED) return false;
    l->crash = page;
    l->crash->busy = 0;
    return true;
}

static bool open_timer(loop *l) {
    l->timer = (watched){.kind = WATCHED_TIMER};
    l->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return l->timer.fd >= 0 && set_pace(l) && loop_watch(l, &l->timer, EPOLLIN);
}

static bool open_loop(loop *l) {
    loop_read_clocks(l);
    l->last_tick = (uint64_t)(l->now_ns / NS_PER_S);
    if (getrandom(&l->own_ssrc, sizeof l->own_ssrc, 0) != sizeof l->own_ssrc) return false;
    for (uint32_t i = 0; i < LOOP_KEEPERS_MAX; i++)
        l->keepers[i] =
            (keeper){.w = {.kind = WATCHED_KEEPER, .fd = -1}, .owner = l, .slot = (uint16_t)i};
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->streams_fd = epoll_create1(EPOLL_CLOEXEC);
    l->scratch = malloc(LOOP_CARRY_MAX + LOOP_READ_MAX);
    l->datagrams = malloc((size_t)LOOP_DATAGRAMS * LOOP_DATAGRAM_MAX);
    l->control = (watched){.kind = WATCHED_CONTROL, .fd = l->config.control_fd};
    return l->epoll_fd >= 0 && l->streams_fd >= 0 && l->scratch != NULL && l->datagrams != NULL &&
           open_timer(l) && loop_watch(l, &l->control, EPOLLIN) && open_crash_page(l);
}

static void close_loop(loop *l) {
    for (uint32_t i = 0; i < LOOP_KEEPERS_MAX; i++) {
        keeper_drop(&l->keepers[i]);
        free(l->keepers[i].queue);
    }
    outbox_clear(&l->parent);
    if (l->crash != NULL) (void)munmap((void *)l->crash, sizeof(vg_crash_page));
    arena_close(l);
    if (l->timer.fd >= 0) (void)close(l->timer.fd);
    if (l->epoll_fd >= 0) (void)close(l->epoll_fd);
    if (l->streams_fd >= 0) (void)close(l->streams_fd);
    free(l->scratch);
    free(l->datagrams);
    free(l);
}

int vg_ingest_loop(const vg_loop_config *config) {
    assert(config != NULL);
    loop *l = calloc(1, sizeof *l);
    if (l == NULL) return 1;
    l->config = *config;
    if (l->config.flood_bytes_per_second == 0) l->config.flood_bytes_per_second = FLOOD_DEFAULT;
    if (l->config.calm_s == 0) l->config.calm_s = CALM_DEFAULT_S;
    l->epoll_fd = -1;
    l->streams_fd = -1;
    l->timer.fd = -1;
    int status = 0;
    if (!open_loop(l)) {
        status = say(l, "cannot start");
    } else if (!arena_open(l)) {
        status = say(l, "its arena cannot be used");
    } else {
        loop_say_ready(l);
        while (!l->quits && status == 0) {
            if (!turn(l)) status = say(l, "epoll or timer");
        }
        quit(l);
        reap(l);
    }
    close_loop(l);
    return status;
}
