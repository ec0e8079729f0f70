/* SPDX-License-Identifier: Apache-2.0 */
/* httpsockets.h - which sockets an epoll watches, with few system calls: a connection that is kept
 * stays watched between its requests, so that the next one on it needs no call at all. Not for use
 * outside core/http.c. */
#ifndef ALLOT_HTTPSOCKETS_H
#define ALLOT_HTTPSOCKETS_H
#include <stdint.h>
#include "liballot/err.h"

typedef struct {
    int epoll;            /* -1 = not open */
    unsigned char *state; /* owned [n], by file descriptor */
    int n;
} allot_sockets;

/* n_most: connections at the same time. The caller closes, also after a failure. */
ALLOT_MUST_CHECK allot_code allot_sockets_open(allot_sockets *s, int n_most, allot_err *err);
void allot_sockets_close(allot_sockets *s);

/* fd is a new connection, and allot_sockets_gone will be told before it is closed. Others are
 * watched from the moment they are wanted until they are not. */
void allot_sockets_made(allot_sockets *s, int fd);
void allot_sockets_gone(allot_sockets *s, int fd);

/* events: EPOLLIN, EPOLLOUT or both; 0 = fd is not wanted any more. tag comes back with an event.
 * 0 on success, -1 with errno. */
int allot_sockets_want(allot_sockets *s, int fd, uint32_t events, uint32_t tag);

typedef struct {
    int fd;
    uint32_t tag, events; /* as epoll's */
} allot_socket_event;

/* Waits, at most timeout_ms. Returns the number of events put into out[most], -1 with errno. */
int allot_sockets_wait(allot_sockets *s, allot_socket_event *out, int most, int timeout_ms);
#endif
