/* SPDX-License-Identifier: Apache-2.0 */
/* serverload.h - how much the generation servers have to do, by its own metrics (Prometheus text).
 */
#ifndef ALLOT_SERVERLOAD_H
#define ALLOT_SERVERLOAD_H
#include "lib/net/endpoint.h"
#include "lib/net/hosts.h"
#include "lib/net/http.h"
#include "lib/engine/engine.h"
#include "lib/engine/loadmetrics.h"

typedef struct {
    allot_http *http;      /* owned */
    allot_endpoint server; /* has the key */
    allot_hosts hosts;     /* all of the generator */
} allot_serverload;

ALLOT_MUST_CHECK allot_code allot_serverload_open(allot_serverload *s, const allot_engine_config *c,
                                                  allot_err *err);
void allot_serverload_close(allot_serverload *s); /* safe on zero */
/* Requests running and waiting on the generator's servers; -1 if none tells. Blocks for one short
 * request to each. */
int allot_serverload_read(allot_serverload *s);

/* POSTs to a path below the root that empties the prefix cache; 1 if all did it. Blocks. */
int allot_serverload_reset(allot_serverload *s, const char *path);

/* All that it tells; -1 for what it does not. Blocks as well. */
void allot_serverload_metrics(allot_serverload *s, allot_loadmetrics *out);

/* 0 if no server answers at all, or a proxy says that there is none. Blocks. */
int allot_serverload_alive(allot_serverload *s);

#endif
