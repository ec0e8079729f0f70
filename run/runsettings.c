/* SPDX-License-Identifier: Apache-2.0 */
#include "run/runsettings.h"
#include <stdio.h>
#include <string.h>
#include "lib/store/fingerprint.h"
#include "lib/store/embeddings.h"
#include "lib/core/json.h"
#include "lib/engine/engineflags.h"

allot_code allot_run_settings_read(const allot_bundle *b, const char *name, allot_run_settings *s,
                                   allot_err *err)
{
    char where[512];
    snprintf(where, sizeof where, "manifest of '%s'", name);
    *s = (allot_run_settings){.embed_prefix = "", .embed_pooling = "last"};
    cJSON *fingerprint, *embedding;
    allot_code rc = allot_json_parse(b->manifest, strlen(b->manifest), where, &s->manifest, err);
    if (!rc) rc = allot_fingerprint_settle(s->manifest, where, err);
    if (!rc) rc = allot_json_object(s->manifest, "fingerprint", where, &fingerprint, err);
    if (!rc) rc = allot_json_object(s->manifest, "embedding", where, &embedding, err);
    if (rc) {
        allot_run_settings_clear(s);
        return rc;
    }
    s->fingerprint = fingerprint;
    take_text(embedding, "prefix", &s->embed_prefix);
    take_text(embedding, "pooling", &s->embed_pooling);
    return ALLOT_OK;
}

void allot_run_settings_clear(allot_run_settings *s)
{
    cJSON_Delete(s->manifest);
    memset(s, 0, sizeof *s);
}

allot_code allot_run_settings_embedding(allot_run_settings *s, const allot_bundle *b,
                                        const char *prefix, const char *pooling, allot_err *err)
{
    if (prefix) s->embed_prefix = prefix;
    if (pooling) s->embed_pooling = pooling;
    for (s->embed_normalized = 0; s->embed_normalized < 2; s->embed_normalized++) {
        char id[17];
        allot_embeddings e = {.model = b->embedding_model,
                              .pooling = (char *)s->embed_pooling,
                              .prefix = (char *)s->embed_prefix,
                              .dim = b->probe.d,
                              .normalized = s->embed_normalized};
        allot_embeddings_id(&e, id);
        if (strcmp(id, b->embedding_id) == 0) return ALLOT_OK;
    }
    s->embed_normalized = 0;
    return allot_fail(err, ALLOT_EMISMATCH,
                      "the bundle was trained with another embedding by '%s' than prefix '%s' and "
                      "pooling '%s' give (say --embed-prefix and --embed-pooling as in "
                      "'allot-datasets embed', or --force)",
                      b->embedding_model, s->embed_prefix, s->embed_pooling);
}

allot_code allot_run_settings_engine(const allot_run_settings *s, const allot_engine_config *given,
                                     allot_engine_config *out, allot_err *err)
{
    allot_engine_defaults(out);
    allot_code rc =
        allot_settings_from_fingerprint(s->fingerprint, "manifest of the bundle", out, err);
    if (rc) return rc;
    return allot_engine_flags_apply(given, out, err);
}
