/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h - where a server is and with which key it is spoken to. */
#ifndef ALLOT_ENDPOINT_H
#define ALLOT_ENDPOINT_H
#include "liballot/err.h"

typedef struct {
    char *root;    /* owned: "http://host:8000", where /version, /pooling and /metrics are */
    char *v1;      /* owned: root and "/v1" */
    char *api_key; /* owned; NULL = none. Never to be logged */
} allot_endpoint;

/* The address of the servers' paths: base_url with or without /v1, up to its first comma. The
 * caller frees it. */
ALLOT_MUST_CHECK allot_code allot_endpoint_root(const char *base_url, char **out, allot_err *err);

/* base_url: with or without /v1; a whole path such as ".../v1/completions" is cut, and of a
 * comma-separated list the first is taken (hosts.h). The key is read from the file, else from the
 * environment variable (NULL: OPENAI_API_KEY, which may be unset). */
ALLOT_MUST_CHECK allot_code allot_endpoint_open(const char *base_url, const char *api_key_env,
                                                const char *api_key_file, allot_endpoint *out,
                                                allot_err *err);
/* Whether each address of one comma-separated list is on a server (scheme, name and port) of the
 * other: only there may a key go that was given for these. */
int allot_endpoint_within(const char *urls, const char *others);
/* Speaks without the key from now on. */
void allot_endpoint_forget_key(allot_endpoint *e);
void allot_endpoint_clear(allot_endpoint *e);
#endif
