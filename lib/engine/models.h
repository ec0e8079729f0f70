/* SPDX-License-Identifier: Apache-2.0 */
/* models.h - which models a server has. */
#ifndef ALLOT_MODELS_H
#define ALLOT_MODELS_H
#include "lib/net/endpoint.h"
#include "lib/net/http.h"

/* *out (the caller frees) = wanted, if the server lists it; with wanted NULL the only model listed
 * besides `other` (NULL = none). Else an error that lists what is served. A server without
 * /v1/models is trusted to have the wanted one. *answered: 0 if no answer came at all. */
ALLOT_MUST_CHECK allot_code allot_models_pick(allot_http *h, const allot_endpoint *server,
                                              const char *wanted, const char *other, char **out,
                                              int *answered, allot_err *err);
#endif
