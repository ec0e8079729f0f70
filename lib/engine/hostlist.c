/* SPDX-License-Identifier: Apache-2.0 */
/* Asks every address what it serves, sets aside those that do not answer, and refuses a mixture. */
#include "lib/engine/hostlist.h"
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/log.h"
#include "lib/core/progress.h"
#include "liballot/mem.h"
#include "lib/engine/models.h"

/* The same server's key and another's address. */
static allot_code move_to(allot_endpoint *server, const char *root, allot_err *err)
{
    allot_buf v1 = {0};
    char *copy = allot_mem_text(root, strlen(root), err);
    if (!copy) return ALLOT_ERUNTIME;
    allot_buf_printf(&v1, "%s/v1", root);
    allot_code rc = allot_buf_check(&v1, err);
    if (rc) {
        free(copy);
        return rc;
    }
    free(server->root);
    free(server->v1);
    server->root = copy;
    server->v1 = v1.at;
    return ALLOT_OK;
}

static void set_aside(allot_hosts *hosts, int i)
{
    double now = allot_clock_s();
    hosts->at[i].outstanding++;
    allot_hosts_end(hosts, i, ALLOT_HOST_AWAY, now);
}

allot_code allot_hostlist_pick(allot_http *h, allot_hosts *hosts, allot_endpoint *server,
                               const char *wanted, const char *other, char **model, allot_err *err)
{
    allot_err failure = {0};
    int first = -1;
    for (int i = 0; i < hosts->n; i++) {
        char *found = NULL;
        int answered = 0;
        allot_code rc = move_to(server, hosts->at[i].root, err);
        if (rc) return rc;
        rc = allot_models_pick(h, server, *model ? *model : wanted, *model ? NULL : other, &found,
                               &answered, &failure);
        if (rc && (answered || rc != ALLOT_ESERVER || hosts->n == 1))
            return allot_fail(err, rc, "%s", failure.msg);
        if (rc) {
            allot_log_warn("%s; going on without it", failure.msg);
            set_aside(hosts, i);
            continue;
        }
        if (first < 0) first = i;
        hosts->seen = 1;
        if (*model) free(found);
        else *model = found;
    }
    if (first < 0) return allot_fail(err, failure.code, "%s", failure.msg);
    return move_to(server, hosts->at[first].root, err);
}
