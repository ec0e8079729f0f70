/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers what epoll was told last, and tells it only what has changed. */
#include "lib/net/httpsockets.h"
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "liballot/mem.h"

#define MAX_EVENTS 256
#define OTHER_FILES 1024 /* file descriptors that may be below those of the connections */

/* Bits of a state; beside them EPOLLIN and EPOLLOUT: what the epoll watches fd for. */
enum { KEPT = 64, WANTED = 128 };

allot_code allot_sockets_open(allot_sockets *s, int n_most, allot_err *err)
{
    *s = (allot_sockets){.n = n_most + OTHER_FILES};
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->state = allot_mem_array((size_t)s->n, 1, err);
    if (s->state && s->epoll >= 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_ERUNTIME, "cannot wait for the network: %s", strerror(errno));
}

void allot_sockets_close(allot_sockets *s)
{
    if (s->epoll >= 0) close(s->epoll);
    free(s->state);
    *s = (allot_sockets){.epoll = -1};
}

void allot_sockets_made(allot_sockets *s, int fd)
{
    if (fd >= 0 && fd < s->n) s->state[fd] = KEPT;
}

/* The epoll forgets fd by itself when it is closed. */
void allot_sockets_gone(allot_sockets *s, int fd)
{
    if (fd >= 0 && fd < s->n) s->state[fd] = 0;
}

static int control(allot_sockets *s, int fd, uint32_t events, uint32_t tag, int is_watched)
{
    struct epoll_event ev = {.events = events, .data.u64 = (uint64_t)tag << 32 | (uint32_t)fd};
    if (events == 0) return epoll_ctl(s->epoll, EPOLL_CTL_DEL, fd, &ev);
    if (epoll_ctl(s->epoll, is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) == 0) return 0;
    /* Of a file that is not kept it is not known which of the two it is. */
    return epoll_ctl(s->epoll, is_watched ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev);
}

int allot_sockets_want(allot_sockets *s, int fd, uint32_t events, uint32_t tag)
{
    unsigned char *state = fd >= 0 && fd < s->n ? &s->state[fd] : NULL;
    if (!state || !(*state & KEPT)) {
        int rc = control(s, fd, events, tag, 0);
        return events ? rc : 0;
    }
    uint32_t watched = *state & (EPOLLIN | EPOLLOUT);
    int rc = 0;
    if (events && events != watched) rc = control(s, fd, events, tag, watched != 0);
    *state = (unsigned char)(KEPT | (events ? WANTED | events : watched));
    return rc;
}

/* A connection that lies idle has been closed by the server, or has said something unasked: it is
 * left alone until it is wanted again. */
static int is_stray(allot_sockets *s, int fd)
{
    if (fd >= s->n || (s->state[fd] & (KEPT | WANTED)) != KEPT) return 0;
    (void)control(s, fd, 0, 0, 1);
    s->state[fd] = KEPT;
    return 1;
}

int allot_sockets_wait(allot_sockets *s, allot_socket_event *out, int most, int timeout_ms)
{
    struct epoll_event ev[MAX_EVENTS];
    int n = epoll_wait(s->epoll, ev, most < MAX_EVENTS ? most : MAX_EVENTS, timeout_ms), kept = 0;
    for (int i = 0; i < n; i++) {
        int fd = (int)(uint32_t)ev[i].data.u64;
        if (is_stray(s, fd)) continue;
        out[kept++] = (allot_socket_event){fd, (uint32_t)(ev[i].data.u64 >> 32), ev[i].events};
    }
    return n < 0 ? n : kept;
}
