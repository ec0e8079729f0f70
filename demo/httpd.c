/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to calls and calls to replies; a client that has left is noticed, and its work ends. */
#include "demo/httpd.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "demo/api.h"
#include "liballot/mem.h"

#define CONNECTIONS 4096
#define LOOK_STEPS 4

struct allot_httpd {
    allot_server *server;
    struct MHD_Daemon *daemon;
    allot_call *orphans; /* clients went away, sequences still run; HTTP thread only */
};

/* --- calls --- */

static allot_call *new_call(allot_server *server, struct MHD_Connection *connection)
{
    allot_call *c = allot_mem_array(1, sizeof *c, NULL);
    if (c == NULL) return NULL;
    c->server = server;
    c->connection = connection;
    c->content_type = "application/json";
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    c->fd = info == NULL ? -1 : (int)info->connect_fd;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void free_call(allot_call *c)
{
    for (int i = 0; i < c->n_seqs; i++)
        allot_seq_clear(&c->seqs[i]);
    free(c->seqs);
    free(c->streamed);
    free(c->gen.stops);
    cJSON_Delete(c->request);
    allot_buf_clear(&c->body);
    allot_buf_clear(&c->reply);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void cancel_all(allot_call *c)
{
    for (int i = 0; i < c->n_seqs; i++)
        atomic_store(&c->seqs[i].cancelled, 1);
}

/* libmicrohttpd does not watch the socket of a suspended connection: once in some steps we do. One
 * that has closed its half of the connection is gone, as for vLLM. */
static void look_after_client(allot_call *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
    if (c->fd < 0 || c->unseen++ < LOOK_STEPS * c->n_left) return;
    c->unseen = 0;
    if (poll(&p, 1, 0) <= 0) return;
    c->fd = -1;
    cancel_all(c);
}

/* From the engine, with the call's lock held. */
static void on_progress(allot_seq *s)
{
    allot_call *c = s->user;
    look_after_client(c);
    if (s->end != ALLOT_END_NONE) c->n_left--;
    if (!c->suspended || (!c->gen.stream && c->n_left > 0)) return;
    c->suspended = 0;
    MHD_resume_connection(c->connection);
}

int allot_call_seqs(allot_call *c, int n)
{
    c->seqs = allot_mem_array((size_t)n, sizeof *c->seqs, NULL);
    if (c->seqs == NULL) return 0;
    c->n_seqs = n;
    for (int i = 0; i < n; i++) {
        c->seqs[i].lock = &c->lock;
        c->seqs[i].progress = on_progress;
        c->seqs[i].user = c;
    }
    return 1;
}

/* The list is copied: by the time the call returns, the first sequences may have ended. */
static void submit_all(allot_call *c)
{
    allot_seq *at[256];
    const int total = c->n_seqs;
    allot_seq *seqs = c->seqs;
    for (int done = 0; done < total;) {
        int n = 0;
        while (n < 256 && done < total)
            at[n++] = &seqs[done++];
        allot_scheduler_submit(c->server->scheduler, c->model, at, n);
    }
}

void allot_call_submit(allot_call *c, void (*finish)(allot_call *c))
{
    c->finish = finish;
    c->n_left = c->n_seqs;
    c->suspended = 1;
    MHD_suspend_connection(c->connection);
    submit_all(c);
}

/* --- replies --- */

static enum MHD_Result queue_reply(allot_call *c)
{
    if (c->reply.failed) allot_api_refuse(c, 500, NULL, "out of memory");
    /* the call, and with it the text, outlives the response */
    struct MHD_Response *r =
        MHD_create_response_from_buffer(c->reply.n, c->reply.at, MHD_RESPMEM_PERSISTENT);
    if (r == NULL) return MHD_NO;
    if (c->reply.n > 0) MHD_add_response_header(r, "Content-Type", c->content_type);
    if (c->allow != NULL) MHD_add_response_header(r, "Allow", c->allow);
    enum MHD_Result queued = MHD_queue_response(c->connection, (unsigned)c->status, r);
    MHD_destroy_response(r);
    return queued;
}

/* Gives libmicrohttpd the next bytes of an event stream, or suspends until there are some. */
static ssize_t read_stream(void *user, uint64_t position, char *to, size_t most)
{
    allot_call *c = user;
    ssize_t n = 0;
    (void)position;
    pthread_mutex_lock(&c->lock);
    if (c->sent == c->reply.n) {
        allot_buf_reset(&c->reply);
        c->sent = 0;
        allot_api_stream_events(c);
    }
    if (c->reply.failed) {
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (c->sent < c->reply.n) {
        size_t left = c->reply.n - c->sent;
        n = (ssize_t)(left < most ? left : most);
        memcpy(to, c->reply.at + c->sent, (size_t)n);
        c->sent += (size_t)n;
    } else if (c->stream_closed) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        c->suspended = 1;
        MHD_suspend_connection(c->connection);
    }
    pthread_mutex_unlock(&c->lock);
    return n;
}

void allot_call_stream(allot_call *c)
{
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_stream, c, NULL);
    c->streamed = allot_mem_array((size_t)c->n_seqs, sizeof *c->streamed, NULL);
    if (r == NULL || c->streamed == NULL) {
        if (r != NULL) MHD_destroy_response(r);
        allot_api_refuse(c, 500, NULL, "out of memory");
        queue_reply(c);
        return;
    }
    MHD_add_response_header(r, "Content-Type", "text/event-stream; charset=utf-8");
    MHD_add_response_header(r, "Cache-Control", "no-cache");
    MHD_queue_response(c->connection, 200, r);
    MHD_destroy_response(r);
    c->n_left = c->n_seqs;
    submit_all(c);
}

/* --- requests --- */

/* Finds the route, or prepares the refusal that is sent when the body has been read. */
static void find_route(allot_call *c, const char *url, const char *method)
{
    for (const allot_route *r = allot_routes; r->path != NULL; r++) {
        if (strcmp(r->path, url) != 0) continue;
        c->path = r->path;
        int head = strcmp(method, "HEAD") == 0 && strcmp(r->method, "GET") == 0;
        if (head || strcmp(r->method, method) == 0) {
            c->handler = r->handler;
            c->allow = NULL;
            return;
        }
        c->allow = r->method;
    }
    if (c->allow != NULL) allot_api_refuse(c, 405, NULL, "Method Not Allowed");
    else allot_api_refuse(c, 404, NULL, "Not Found");
}

static int is_json(const allot_call *c)
{
    const char *type = MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, "Content-Type");
    return type == NULL || strncasecmp(type, "application/json", 16) == 0;
}

static void name_call(allot_call *c)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    c->created = (long)now.tv_sec;
    const char *kind = strstr(c->path, "chat")          ? "chatcmpl"
                       : strstr(c->path, "completions") ? "cmpl"
                       : strstr(c->path, "pooling")     ? "pool"
                                                        : "embd";
    snprintf(c->id, sizeof c->id, "%s-%016llx%08llx", kind, (unsigned long long)c->server->run_id,
             (unsigned long long)atomic_fetch_add(&c->server->next_id, 1));
}

static enum MHD_Result dispatch(allot_call *c)
{
    if (c->too_long)
        allot_api_refuse(c, 413, NULL, "the request's body is longer than %zu bytes",
                         ALLOT_MAX_BODY);
    else if (c->body.failed) allot_api_refuse(c, 500, NULL, "out of memory");
    else if (c->handler != NULL && c->body.n > 0 && !is_json(c))
        allot_api_refuse(c, 400, NULL,
                         "Unsupported Media Type: only 'application/json' is "
                         "allowed");
    else if (c->handler != NULL) {
        name_call(c);
        if (c->handler(c) == 0) return MHD_YES; /* the engine is at work */
    }
    return queue_reply(c);
}

static enum MHD_Result begin(allot_server *server, struct MHD_Connection *connection,
                             const char *url, const char *method, void **context)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    allot_call *c = new_call(server, connection);
    if (c == NULL) return MHD_NO;
    *context = c;
    find_route(c, url, method);
    if (length == NULL || strtoull(length, NULL, 10) <= ALLOT_MAX_BODY) return MHD_YES;
    c->too_long = 1;
    return dispatch(c);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **context)
{
    allot_httpd *h = user;
    allot_call *c = *context;
    (void)version;
    if (c == NULL) return begin(h->server, connection, url, method, context);
    if (*upload_n > 0) {
        /* a body without Content-Length is read to its end, but not kept, and not for ever */
        if (c->body.n + *upload_n > ALLOT_MAX_BODY) c->too_long++;
        if (c->too_long > 4096) return MHD_NO;
        if (!c->too_long) allot_buf_add(&c->body, upload, *upload_n);
        *upload_n = 0;
        return MHD_YES;
    }
    if (!c->read_whole) {
        c->read_whole = 1;
        return dispatch(c);
    }
    if (c->finish == NULL) return MHD_YES;
    pthread_mutex_lock(&c->lock); /* the engine's last words are written */
    int left = c->n_left;
    pthread_mutex_unlock(&c->lock);
    if (left > 0) return MHD_YES;
    c->finish(c);
    return queue_reply(c);
}

static void free_orphans(allot_httpd *h)
{
    for (allot_call **at = &h->orphans; *at != NULL;) {
        allot_call *c = *at;
        pthread_mutex_lock(&c->lock);
        int left = c->n_left;
        pthread_mutex_unlock(&c->lock);
        if (left > 0) {
            at = &c->next_orphan;
            continue;
        }
        *at = c->next_orphan;
        free_call(c);
    }
}

/* A client that went away leaves sequences behind: they are told to end, and the call is
 * freed when the engine has let go of the last. */
static void on_completed(void *user, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    allot_httpd *h = user;
    allot_call *c = *context;
    (void)connection;
    (void)why;
    free_orphans(h);
    if (c == NULL) return;
    *context = NULL;
    pthread_mutex_lock(&c->lock);
    int left = c->n_left;
    c->suspended = 0;
    c->fd = -1; /* closed soon, and then another's */
    if (left > 0) cancel_all(c);
    pthread_mutex_unlock(&c->lock);
    if (left == 0) {
        free_call(c);
        return;
    }
    c->next_orphan = h->orphans;
    h->orphans = c;
}

/* --- the daemon --- */

static void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= CONNECTIONS + 64) return;
    rlim_t wish = CONNECTIONS + 64;
    limit.rlim_cur = limit.rlim_max < wish ? limit.rlim_max : wish;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

allot_code allot_httpd_start(allot_server *server, int port, allot_httpd **out, int *port_used,
                             allot_err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    allot_httpd *h = allot_mem_array(1, sizeof *h, err);
    if (h == NULL) return ALLOT_ERUNTIME;
    allow_many_files();
    h->server = server;
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, (uint16_t)port, NULL, NULL,
        on_request, h, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, 300u, MHD_OPTION_LISTEN_BACKLOG_SIZE,
        1024u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)64 * 1024, MHD_OPTION_END);
    if (h->daemon == NULL) {
        free(h);
        return allot_fail(err, ALLOT_ERUNTIME,
                          "cannot listen on 127.0.0.1 port %d (is it in use? '--port 0' takes a "
                          "free one)",
                          port);
    }
    *port_used = (int)MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    *out = h;
    return ALLOT_OK;
}

void allot_httpd_stop(allot_httpd *h)
{
    const struct timespec moment = {0, 100 * 1000 * 1000};
    MHD_socket listening = MHD_quiesce_daemon(h->daemon);
    if (listening != MHD_INVALID_SOCKET) close(listening);
    /* every suspended connection is resumed by the end of its sequences, and gets its answer */
    allot_scheduler_stop(h->server->scheduler);
    nanosleep(&moment, NULL);
    MHD_stop_daemon(h->daemon);
    free_orphans(h);
    free(h);
}
