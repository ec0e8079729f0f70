/* SPDX-License-Identifier: Apache-2.0 */
/* embedclient.h - vectors of texts from any /v1/embeddings server: floats or base64, placed by
 * index, constant dimension checked, finite. */
#ifndef ALLOT_EMBEDCLIENT_H
#define ALLOT_EMBEDCLIENT_H
#include <stddef.h>
#include "lib/net/hosts.h"
#include "lib/core/options.h"

typedef struct {
    const char *base_url;     /* ".../v1" or without, several behind commas; required */
    allot_hosts *hosts;       /* its servers, if calls are to know what others met; borrowed; NULL =
                                 each call begins anew */
    const char *model;        /* name on the server; required */
    const char *api_key_env;  /* NULL = OPENAI_API_KEY if set */
    const char *api_key_file; /* NULL = none */
    const char *key_of;       /* the key is that of these servers (behind commas), and goes to no
                                 other; NULL = it was given for base_url */
    int max_concurrency;      /* requests in flight, default 8 */
    int batch;                /* texts in one request, at most; default 32 */
    int batch_tokens;         /* and tokens, each text counted as the longest; default 16384.
                                 Estimated: 2, and one for each 3 bytes. A longer one goes alone */
    int max_retries;
    double max_outage_s; /* how long servers that are away are waited for; 0 = not */
    double timeout_s;    /* of a request, all its tries */
    int insecure;
    const char *cacert;
    allot_list headers; /* "Name: value" */
} allot_embedclient;

void allot_embedclient_defaults(allot_embedclient *c);

/* Called with rows [count][dim] of the texts from `from` on, in whatever order they come. A failure
 * ends the run. */
typedef allot_code (*allot_embed_arrived)(long from, long count, const float *rows, long dim,
                                          void *user, allot_err *err);

/* texts[n] with lengths[n]; *out [n][*dim] is allocated, the caller frees. Blocks. Neighbours share
 * a request: texts in order of length waste least of the server's time. arrived may be NULL. */
ALLOT_MUST_CHECK allot_code allot_embedclient_run(const allot_embedclient *c,
                                                  const char *const *texts, const size_t *lengths,
                                                  long n, float **out, long *dim,
                                                  allot_embed_arrived arrived, void *user,
                                                  allot_err *err);
#endif
