/* SPDX-License-Identifier: Apache-2.0 */
/* The blocking form of a request. */
#include "lib/net/http.h"

typedef struct {
    const allot_http_request *request;
    int done;
} fetch;

static void fetched(const allot_http_reply *reply, void *user)
{
    fetch *f = user;
    f->done = 1;
    f->request->done(reply, f->request->user);
}

allot_code allot_http_fetch(allot_http *h, const allot_http_request *r, allot_err *err)
{
    fetch f = {r, 0};
    allot_http_request copy = *r;
    copy.done = fetched;
    copy.drop = NULL;
    copy.user = &f;
    allot_code rc = allot_http_send(h, &copy, err);
    while (!rc && !f.done)
        rc = allot_http_poll(h, 1000, err);
    return rc;
}
