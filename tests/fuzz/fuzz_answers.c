/* SPDX-License-Identifier: Apache-2.0 */
/* What servers answer: the first byte says how the rest is read, as a generation of a kind of
 * server, as rewards, or as metrics. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "lib/engine/generate.h"
#include "lib/engine/job.h"
#include "lib/engine/loadmetrics.h"
#include "liballot/jsontext.h"
#include "tests/fuzz/fuzz.h"

static void read_generation(const char *text, size_t n, int kind)
{
    static allot_engine e;
    const allot_generate_request request = {.stop_at_step = 1, .max_tokens = 100};
    allot_generate_reply reply = {0};
    allot_err err = {0};
    cJSON *json = NULL;
    e.profile = allot_profile_at(kind);
    if (allot_generate_parse(&e, &request, text, n, &json, &reply, &err))
        assert(err.code && err.msg[0]);
    else
        assert(strlen(reply.text) == reply.n && reply.n_tokens >= (reply.n > 0) &&
               reply.n_tokens <= 103 && reply.prompt_tokens >= 0 && reply.cached_tokens >= 0);
    cJSON_Delete(json);
}

static void read_rewards(const char *text, size_t n)
{
    enum { N_MARKS = 3 };
    double scores[N_MARKS];
    allot_err err = {0};
    cJSON *json = NULL;
    if (allot_jsontext_parse(text, n, "fuzz", &json, &err)) return;
    if (!allot_prm_pooling_rows(json, N_MARKS, scores, &err))
        for (int i = 0; i < N_MARKS; i++)
            assert(scores[i] >= 0 && scores[i] <= 1);
    cJSON_Delete(json);
}

static void read_metrics(const char *text, size_t n)
{
    allot_loadmetrics m;
    char *line = strndup(text, n);
    if (!line) return;
    allot_loadmetrics_parse(line, &m);
    assert(m.running >= 0 || m.running == -1);
    assert(m.cache_hits >= 0 || m.cache_hits == -1);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) return 0;
    const char *text = (const char *)data + 1;
    int how = data[0] - '0';
    if (allot_profile_at(how)) read_generation(text, n - 1, how);
    else if (how == 5) read_rewards(text, n - 1);
    else if (how == 6) read_metrics(text, n - 1);
    return 0;
}
