/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"
#include <stdio.h>
#include <string.h>
#include "core/buf.h"

/* Detection asks in this order; the last row is what is left. */
static const allot_profile PROFILES[] = {
    {.kind = "vllm",
     .probe_path = "/version",
     .probe_field = "version",
     .keep_stop = "include_stop_str_in_output",
     .salt = "cache_salt",
     .bos_field = 1,
     .continues = ALLOT_CONTINUE_FIELDS,
     .eos = ALLOT_EOS_NO_REASON},
    {.kind = "sglang",
     .probe_path = "/get_server_info",
     .probe_field = "version",
     .keep_stop = "no_stop_trim",
     .salt = "cache_salt",
     .continues = ALLOT_CONTINUE_FIELD,
     .eos = ALLOT_EOS_MATCHED_TOKEN},
    {.kind = "llama.cpp",
     .probe_path = "/props",
     .probe_field = "default_generation_settings",
     .salt = "cache_prompt",
     .salt_is_switch = 1,
     .continues = ALLOT_CONTINUE_AUTO,
     .eos = ALLOT_EOS_UNKNOWN},
    {.kind = "tgi",
     .probe_path = "/info",
     .probe_field = "model_id",
     .always_keeps_stop = 1,
     .continues = ALLOT_CONTINUE_AUTO,
     .eos = ALLOT_EOS_FINISH},
    {.kind = "openai", .continues = ALLOT_CONTINUE_NONE, .eos = ALLOT_EOS_UNKNOWN},
};
enum { N_PROFILES = sizeof PROFILES / sizeof *PROFILES };

const allot_profile *allot_profile_find(const char *kind)
{
    for (int i = 0; i < N_PROFILES; i++)
        if (strcmp(PROFILES[i].kind, kind) == 0) return &PROFILES[i];
    return NULL;
}

void allot_profile_kinds(char *out, size_t n)
{
    size_t at = 0;
    for (int i = 0; i < N_PROFILES && at < n; i++)
        at += (size_t)snprintf(out + at, n - at, "%s%s", i ? ", " : "", PROFILES[i].kind);
}

typedef struct {
    const char *field;
    cJSON *found;
} probe;

static void probed(const allot_http_reply *reply, void *user)
{
    probe *p = user;
    if (allot_http_verdict(reply, NULL)) return;
    cJSON *o = cJSON_ParseWithLength(reply->body, reply->n);
    if (cJSON_GetObjectItemCaseSensitive(o, p->field)) p->found = o;
    else cJSON_Delete(o);
}

allot_code allot_profile_detect(allot_http *h, const allot_endpoint *server,
                                const allot_profile **out, cJSON **about, allot_err *err)
{
    *about = NULL;
    *out = &PROFILES[N_PROFILES - 1];
    for (const allot_profile *p = PROFILES; p->probe_path; p++) {
        probe ask = {.field = p->probe_field};
        allot_buf url = {0};
        allot_buf_printf(&url, "%s%s", server->root, p->probe_path);
        allot_http_request r = {
            .url = url.at, .api_key = server->api_key, .no_retry = 1, .done = probed, .user = &ask};
        allot_code rc = allot_buf_check(&url, err);
        if (!rc) rc = allot_http_fetch(h, &r, err);
        allot_buf_clear(&url);
        if (rc) return rc;
        if (!ask.found) continue;
        *out = p;
        *about = ask.found;
        break;
    }
    return ALLOT_OK;
}
