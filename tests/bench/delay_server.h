/* SPDX-License-Identifier: Apache-2.0 */
/* delay_server.h - a server for benchmarks of clients: one thread, epoll, each request is answered
 * after a fixed delay with the same completion of about 1.5 KB. Thousands of connections. It looks
 * at them every half millisecond: a server that slept in between would be woken by every single
 * request of a client slower than itself, and the waking is the client's processor time. */
#ifndef ALLOT_DELAY_SERVER_H
#define ALLOT_DELAY_SERVER_H
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DELAY_MAX_FD 65536
#define DELAY_MAX_REQUEST 65536

/* One connection has one request at a time. */
typedef struct {
    char *in; /* owned [n], at most DELAY_MAX_REQUEST: of the request that is coming */
    size_t n;
    double due_s; /* the answer is to be sent; 0 = none is */
    int is_get;
    int next; /* with the next later due time; the delay is fixed, so this is a queue */
} delay_connection;

static struct {
    delay_connection at[DELAY_MAX_FD];
    int first, last; /* of the queue; -1 = empty */
    double delay_s;
    char answer[4096];
} delay;

#define DELAY_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
/* To every GET. */
static const char delay_models[] = DELAY_HEAD "21\r\n\r\n{\"data\":[{\"id\":\"m\"}]}";

static double delay_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void delay_make_answer(void)
{
    char text[1300], body[2048];
    static const char words[] = "We add the two numbers and get a sum that is even.\\n\\n";
    size_t n = 0;
    while (n + sizeof words < sizeof text) {
        memcpy(text + n, words, sizeof words - 1);
        n += sizeof words - 1;
    }
    text[n] = '\0';
    int bytes = snprintf(body, sizeof body,
                         "{\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1,"
                         "\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\"%s\\\\boxed{4}\","
                         "\"logprobs\":null,\"finish_reason\":\"stop\",\"stop_reason\":null}],"
                         "\"usage\":{\"prompt_tokens\":40,\"total_tokens\":340,"
                         "\"completion_tokens\":300}}",
                         text);
    snprintf(delay.answer, sizeof delay.answer, DELAY_HEAD "%d\r\n\r\n%s", bytes, body);
}

static void delay_close(int fd)
{
    free(delay.at[fd].in);
    delay.at[fd].in = NULL;
    delay.at[fd].n = 0;
    close(fd);
}

/* Bytes of the whole request, 0 if it is not there yet. */
static size_t delay_request_size(const delay_connection *c)
{
    const char *end = memmem(c->in, c->n, "\r\n\r\n", 4), *length;
    if (!end) return 0;
    size_t size = (size_t)(end - c->in) + 4;
    for (length = c->in; length < end; length++)
        if (strncasecmp(length, "\r\ncontent-length:", 17) == 0)
            size += strtoul(length + 17, NULL, 10);
    return size <= c->n ? size : 0;
}

static void delay_read(int fd)
{
    delay_connection *c = &delay.at[fd];
    if (!c->in && !(c->in = calloc(1, DELAY_MAX_REQUEST + 1))) exit(1);
    ssize_t got = read(fd, c->in + c->n, DELAY_MAX_REQUEST - c->n);
    if (got <= 0) {
        if (c->due_s == 0) delay_close(fd);
        return;
    }
    c->n += (size_t)got;
    size_t size = delay_request_size(c);
    if (size == 0 || c->due_s > 0) return;
    c->is_get = strncmp(c->in, "GET", 3) == 0;
    memmove(c->in, c->in + size, c->n - size);
    c->n -= size;
    c->in[c->n] = '\0';
    c->due_s = delay_now() + delay.delay_s;
    c->next = -1;
    if (delay.first < 0) delay.first = fd;
    else delay.at[delay.last].next = fd;
    delay.last = fd;
}

static void delay_answer_due(void)
{
    double now = delay_now();
    while (delay.first >= 0 && delay.at[delay.first].due_s <= now) {
        int fd = delay.first;
        delay.first = delay.at[fd].next;
        delay.at[fd].due_s = 0;
        const char *answer = delay.at[fd].is_get ? delay_models : delay.answer;
        if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) != (ssize_t)strlen(answer))
            delay_close(fd);
    }
}

static void delay_accept(int epoll, int listener)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= DELAY_MAX_FD) exit(1);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        delay.at[fd] = (delay_connection){0};
        struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
    }
}

/* A socket that listens on 127.0.0.1, -1 on failure. */
static int delay_listen(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 8192) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return -1;
    *port = ntohs(a.sin_port);
    return fd;
}

/* Serves until it is killed. */
static void delay_serve(int listener, double delay_s)
{
    struct epoll_event ev[1024] = {{.events = EPOLLIN, .data.fd = listener}};
    const struct timespec tick = {.tv_nsec = 500000};
    int epoll = epoll_create1(0);
    delay.first = delay.last = -1;
    delay.delay_s = delay_s;
    delay_make_answer();
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener, ev);
    for (;;) {
        nanosleep(&tick, NULL);
        int n = epoll_wait(epoll, ev, 1024, delay.first >= 0 ? 0 : -1);
        if (n < 0 && errno != EINTR) exit(1);
        for (int i = 0; i < n; i++)
            if (ev[i].data.fd == listener) delay_accept(epoll, listener);
            else delay_read(ev[i].data.fd);
        delay_answer_due();
    }
}
#endif
