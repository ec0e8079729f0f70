/* SPDX-License-Identifier: Apache-2.0 */
/* fault_server.h - serves the faults of faults.h in this process: for fault_server.c and unit
 * tests. */
#ifndef ALLOT_FAULT_SERVER_H
#define ALLOT_FAULT_SERVER_H
#include <netinet/in.h>
#include <pthread.h>
#include "tests/faults/faults.h"

#define FAULT_MAX_BODY (8 << 20)

/* What answers a path whose first part is no fault; a test may put its own script here. */
static fault_answer fault_other = fault_ok;

static struct {
    pthread_mutex_t mutex;
    int tries[N_FAULTS];
    int requests;     /* all so far */
    char last[65536]; /* body of the last POST */
    char auth[256];   /* Authorization of the last request, "" if none */
} fault_state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

typedef struct {
    char *at;
    size_t n;
} fault_body;

static enum MHD_Result fault_collect(fault_body *b, const char *bytes, size_t n)
{
    if (b->n + n > FAULT_MAX_BODY) return MHD_NO;
    char *more = realloc(b->at, b->n + n + 1);
    if (!more) return MHD_NO;
    b->at = more;
    memcpy(more + b->n, bytes, n);
    b->n += n;
    more[b->n] = '\0';
    return MHD_YES;
}

static enum MHD_Result fault_dispatch(struct MHD_Connection *c, const char *url,
                                      const fault_body *b)
{
    int which = -1;
    const char *path = strchr(url + 1, '/');
    for (int i = 0; path && i < N_FAULTS; i++)
        if (strlen(FAULTS[i].name) == (size_t)(path - url - 1) &&
            strncmp(FAULTS[i].name, url + 1, (size_t)(path - url - 1)) == 0)
            which = i;
    int spared = which >= 0 && b->n == 0 && !FAULTS[which].also_gets;
    const char *auth = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    fault_request r = {.connection = c,
                       .path = path ? path : url,
                       .json = b->n ? cJSON_ParseWithLength(b->at, b->n) : NULL};
    pthread_mutex_lock(&fault_state.mutex);
    fault_state.requests++;
    if (which >= 0 && !spared) r.tries = fault_state.tries[which]++;
    if (b->n) snprintf(fault_state.last, sizeof fault_state.last, "%s", b->at);
    snprintf(fault_state.auth, sizeof fault_state.auth, "%s", auth ? auth : "");
    pthread_mutex_unlock(&fault_state.mutex);
    enum MHD_Result ok = which < 0 ? fault_other(&r)
                         : spared  ? fault_ok(&r)
                                   : FAULTS[which].answer(&r);
    cJSON_Delete(r.json);
    return ok;
}

static enum MHD_Result fault_on_request(void *user, struct MHD_Connection *c, const char *url,
                                        const char *method, const char *version, const char *bytes,
                                        size_t *n, void **state)
{
    (void)user, (void)method, (void)version;
    fault_body *b = *state;
    if (!b) {
        *state = calloc(1, sizeof *b);
        return *state ? MHD_YES : MHD_NO;
    }
    if (*n > 0) {
        enum MHD_Result ok = fault_collect(b, bytes, *n);
        *n = 0;
        return ok;
    }
    return fault_dispatch(c, url, b);
}

static void fault_on_end(void *user, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode why)
{
    (void)user, (void)c, (void)why;
    fault_body *b = *state;
    if (b) free(b->at);
    free(b);
}

/* Starts on 127.0.0.1 and a free port; NULL on failure. */
static struct MHD_Daemon *fault_server_start(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL,
                         NULL, fault_on_request, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&a,
                         MHD_OPTION_NOTIFY_COMPLETED, fault_on_end, NULL, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    *port = info ? info->port : 0;
    return d;
}

#endif
