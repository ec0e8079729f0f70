/* SPDX-License-Identifier: Apache-2.0 */
/* hostlist.h - the servers of one model, checked before the work begins: those that answer must
 * serve the same; those that do not are set aside, and may come back. */
#ifndef ALLOT_HOSTLIST_H
#define ALLOT_HOSTLIST_H
#include "lib/net/endpoint.h"
#include "lib/net/hosts.h"
#include "lib/net/http.h"

/* server has the key, and becomes the first of the hosts that answers. *model (the caller frees):
 * as by allot_models_pick for that one; the others must serve it, too. Fails when none answers. */
ALLOT_MUST_CHECK allot_code allot_hostlist_pick(allot_http *h, allot_hosts *hosts,
                                                allot_endpoint *server, const char *wanted,
                                                const char *other, char **model, allot_err *err);
#endif
