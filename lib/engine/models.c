/* SPDX-License-Identifier: Apache-2.0 */
/* Asks /v1/models, and chooses the one that is named, or the only one. */
#include "lib/engine/models.h"
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "liballot/mem.h"

#define MOST_SHOWN 10

typedef struct {
    cJSON *json; /* the list, NULL if none came */
    int status;
    allot_err err;
} listing;

static void take_list(const allot_http_reply *reply, void *user)
{
    listing *l = user;
    l->status = reply->status;
    l->err = (allot_err){0};
    if (allot_http_verdict(reply, &l->err)) return;
    if (allot_json_parse(reply->body, reply->n, "the list of models", &l->json, &l->err)) {
        l->err.code = ALLOT_ESERVER;
        (void)allot_fail_in(&l->err, "'%s'", reply->url);
    }
}

/* The first try is not repeated when nobody answers, so that a wrong address is told at once; a
 * server that is busy or loading is waited for. */
static allot_code fetch_list(allot_http *h, const allot_endpoint *server, listing *l,
                             allot_err *err)
{
    allot_buf url = {0};
    allot_buf_printf(&url, "%s/models", server->v1);
    allot_http_request r = {
        .url = url.at, .api_key = server->api_key, .no_retry = 1, .done = take_list, .user = l};
    allot_code rc = allot_buf_check(&url, err);
    if (!rc) rc = allot_http_fetch(h, &r, err);
    if (!rc && l->err.code && l->status != 0) {
        r.no_retry = 0;
        rc = allot_http_fetch(h, &r, err);
    }
    allot_buf_clear(&url);
    return rc;
}

static const char *id_of(const cJSON *model)
{
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(model, "id"));
    return id ? id : "";
}

/* "'a', 'b' and 3 more" */
static void list_names(const cJSON *models, allot_buf *out)
{
    int n = 0;
    const cJSON *m;
    cJSON_ArrayForEach(m, models) if (n++ < MOST_SHOWN)
        allot_buf_printf(out, "%s'%s'", n > 1 ? ", " : "", id_of(m));
    if (n > MOST_SHOWN) allot_buf_printf(out, " and %d more", n - MOST_SHOWN);
    if (n == 0) allot_buf_str(out, "nothing");
}

/* The model to use, or NULL. */
static const char *choose(const cJSON *models, const char *wanted, const char *other)
{
    const char *only = NULL;
    int n = 0;
    const cJSON *m;
    cJSON_ArrayForEach(m, models)
    {
        const char *id = id_of(m);
        if (wanted && strcmp(id, wanted) == 0) return wanted;
        if (other && strcmp(id, other) == 0) continue;
        only = id;
        n++;
    }
    return !wanted && n == 1 ? only : NULL;
}

static allot_code pick(const cJSON *json, const allot_endpoint *server, const char *wanted,
                       const char *other, char **out, allot_err *err)
{
    const cJSON *models = cJSON_GetObjectItemCaseSensitive(json, "data");
    const char *chosen = choose(models, wanted, other);
    if (chosen) {
        *out = allot_mem_text(chosen, strlen(chosen), err);
        return *out ? ALLOT_OK : ALLOT_ERUNTIME;
    }
    allot_buf names = {0};
    list_names(models, &names);
    const char *served = names.at ? names.at : "";
    if (wanted)
        (void)allot_fail(err, ALLOT_ESERVER, "'%s' does not serve the model '%s' (it serves %s)",
                         server->v1, wanted, served);
    else
        (void)allot_fail(err, ALLOT_EUSAGE, "'%s' serves %s (choose one with --model)", server->v1,
                         served);
    allot_buf_clear(&names);
    return wanted ? ALLOT_ESERVER : ALLOT_EUSAGE;
}

allot_code allot_models_pick(allot_http *h, const allot_endpoint *server, const char *wanted,
                             const char *other, char **out, int *answered, allot_err *err)
{
    listing l = {0};
    allot_code rc = fetch_list(h, server, &l, err);
    if (rc) return rc;
    *answered = l.status != 0;
    if (l.status == 404 && wanted) {
        allot_log_debug("'%s/models' is not there, so '%s' is taken as served", server->v1, wanted);
        *out = allot_mem_text(wanted, strlen(wanted), err);
        return *out ? ALLOT_OK : ALLOT_ERUNTIME;
    }
    if (l.err.code) rc = allot_fail(err, l.err.code, "%s", l.err.msg);
    else rc = pick(l.json, server, wanted, other, out, err);
    cJSON_Delete(l.json);
    return rc;
}
