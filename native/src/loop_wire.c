#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loop.h"

void wire_start(wire_writer *w, uint16_t kind, uint32_t request, uint16_t part, bool last) {
    w->size = 0;
    wire_u16(w, VG_WIRE_VERSION);
    wire_u16(w, kind);
    wire_u32(w, request);
    wire_u16(w, part);
    wire_u16(w, last ? 1 : 0);
}

void wire_bytes(wire_writer *w, const void *bytes, size_t size) {
    assert(size <= sizeof w->bytes - w->size);
    if (size > 0) memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

void wire_u8(wire_writer *w, uint8_t value) {
    wire_bytes(w, &value, 1);
}

void wire_u16(wire_writer *w, uint16_t value) {
    uint8_t bytes[2];
    vg_store_u16(bytes, value);
    wire_bytes(w, bytes, sizeof bytes);
}

void wire_u32(wire_writer *w, uint32_t value) {
    uint8_t bytes[4];
    vg_store_u32(bytes, value);
    wire_bytes(w, bytes, sizeof bytes);
}

void wire_u64(wire_writer *w, uint64_t value) {
    uint8_t bytes[8];
    vg_store_u64(bytes, value);
    wire_bytes(w, bytes, sizeof bytes);
}

void wire_blob(wire_writer *w, const void *bytes, size_t size) {
    wire_u32(w, (uint32_t)size);
    wire_bytes(w, bytes, size);
}

typedef union control_buffer {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
} control_buffer;

bool wire_send(int fd, uint8_t *bytes, size_t size, int passed_fd) {
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    control_buffer control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed_fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &passed_fd, sizeof passed_fd);
    }
    ssize_t sent;
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

ssize_t wire_receive(int fd, uint8_t *bytes, size_t capacity, int *passed_fd) {
    *passed_fd = -1;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    control_buffer control = {0};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t size;
    do
        size = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size <= 0) return size;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(passed_fd, CMSG_DATA(c), sizeof *passed_fd);
    return size;
}

bool outbox_put(outbox *o, const uint8_t *bytes, size_t size) {
    parcel *p = malloc(sizeof *p + size);
    if (p == NULL) return false;
    p->next = NULL;
    p->size = size;
    memcpy(p->bytes, bytes, size);
    if (o->last != NULL)
        o->last->next = p;
    else
        o->first = p;
    o->last = p;
    o->bytes += size;
    return true;
}

static void outbox_pop(outbox *o) {
    parcel *p = o->first;
    o->first = p->next;
    if (o->first == NULL) o->last = NULL;
    o->bytes -= p->size;
    free(p);
}

bool outbox_flush(outbox *o, int fd) {
    while (o->first != NULL) {
        if (!wire_send(fd, o->first->bytes, o->first->size, -1))
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
        outbox_pop(o);
    }
    return true;
}

void outbox_clear(outbox *o) {
    while (o->first != NULL)
        outbox_pop(o);
}
