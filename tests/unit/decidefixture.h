/* SPDX-License-Identifier: Apache-2.0 */
/* decidefixture.h - a bundle made by hand, and a server of embeddings that answers as a script
 * says. */
#ifndef ALLOT_DECIDEFIXTURE_H
#define ALLOT_DECIDEFIXTURE_H
#include <stdio.h>
#include "tests/unit/handmade_bundle.h"
/* cmocka comes before these */
#include "lib/decide/bundlesettings.h"
#include "lib/decide/decide.h"
#include "tests/faults/fault_server.h"

enum { MANY = 12 };
static const char *const texts[MANY] = {"1+1", "12*3-4", "é€🙂", "x",   "a b", "7",
                                        "88",  "999",    "0000",      "1-1", "2-2", "3-3"};
static int port;

/* What answers under /script/: embeddings of n_numbers numbers, to at least `together` requests at
 * once; notes the ports that clients come from. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t more;
    int n_numbers, together, waiting;
    int n_ports;
    in_port_t ports[64];
} script = {.mutex = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .n_numbers = 3};

static inline void note_port(const fault_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    in_port_t from = ((const struct sockaddr_in *)info->client_addr)->sin_port;
    for (int i = 0; i < script.n_ports; i++)
        if (script.ports[i] == from) return;
    if (script.n_ports < 64) script.ports[script.n_ports++] = from;
}

static inline enum MHD_Result scripted(const fault_request *r)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&script.mutex);
    int n_numbers = script.n_numbers, late = 0;
    note_port(r);
    script.waiting++;
    pthread_cond_broadcast(&script.more);
    while (script.waiting < script.together && !late)
        late = pthread_cond_timedwait(&script.more, &script.mutex, &until);
    pthread_mutex_unlock(&script.mutex);
    if (late) return fault_send(r, 500, NULL, NULL, "{\"error\":{\"message\":\"alone\"}}");
    if (n_numbers == 3) return fault_ok(r);
    return fault_send(r, 200, NULL, NULL, "{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}");
}

static inline void start_script(int n_numbers, int together)
{
    pthread_mutex_lock(&script.mutex);
    script.n_numbers = n_numbers;
    script.together = together;
    script.waiting = script.n_ports = 0;
    pthread_mutex_unlock(&script.mutex);
}

static inline int connections(void)
{
    pthread_mutex_lock(&script.mutex);
    int n = script.n_ports;
    pthread_mutex_unlock(&script.mutex);
    return n;
}

static char folder[] = "/tmp/allot-test-XXXXXX";

static inline int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static inline int leave(void **state)
{
    (void)state;
    return chdir("/") || rmdir(folder); /* fails if a test left something behind */
}

static inline void open_bundle(allot_bundle *b, const char *from, const char *to)
{
    allot_buf file = {0};
    allot_err err = {0};
    make_file(&file, from, to);
    if (allot_bundle_parse(file.at, file.n, "x", b, &err)) fail_msg("%s", err.msg);
    allot_buf_clear(&file);
}

static inline allot_vectorsource_config server_at(const char *path)
{
    static char url[128];
    allot_vectorsource_config c = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", port, path);
    allot_embedclient_defaults(&c.server);
    c.server.base_url = url;
    c.server.max_retries = 0;
    return c;
}

static inline void read_query(const char *text, allot_decide_query *q)
{
    allot_err err = {0};
    if (allot_decide_query_read(text, strlen(text), q, &err)) fail_msg("%s", err.msg);
}

static inline void open_decider(const allot_bundle *b, const allot_vectorsource_config *c,
                                allot_decider *d)
{
    allot_err err = {0};
    if (allot_decider_open(b, c, d, &err)) fail_msg("%s", err.msg);
}

/* One query's outcome. */
typedef struct {
    int n_calls, chosen;
    double accuracy[S];
    allot_err failure;
} outcome;

static inline void keep(const allot_decision *decision, const allot_err *failure, void *user)
{
    outcome *o = user;
    o->n_calls++;
    assert_true(!decision != !failure);
    if (failure) {
        o->failure = *failure;
        return;
    }
    o->chosen = decision->chosen;
    memcpy(o->accuracy, decision->accuracy, sizeof o->accuracy);
}
#endif
