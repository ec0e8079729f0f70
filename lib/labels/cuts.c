/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/labels/cuts.h"
#include <stdio.h>

void allot_cuts_settings(allot_cuts *c, const cJSON *fingerprint)
{
    const cJSON *most = cJSON_GetObjectItemCaseSensitive(fingerprint, "max_tokens");
    int known = cJSON_IsNumber(most) && most->valuedouble >= 1 && most->valuedouble <= 1e9;
    c->max_tokens = known ? (long)most->valuedouble : 0;
    c->least = c->max_tokens - 1; /* some servers count one less */
}

/* Records from before there was the mark tell by their tokens, too. */
void allot_cuts_add(allot_cuts *c, const allot_record *rec)
{
    int cut = rec->n_cut;
    if (rec->type == ALLOT_REC_SAMPLE && rec->n_length) cut |= rec->n_tokens < c->least;
    c->n_texts += rec->n_texts;
    c->n_cut += cut;
}

int allot_cuts_alarm(const allot_cuts *c, int at_end)
{
    return c->n_cut * 100 > c->n_texts && (at_end || c->n_texts >= ALLOT_CUTS_MIN_TEXTS);
}

void allot_cuts_tell(const allot_cuts *c, const char *dir, char *out, size_t n)
{
    char below[64] = "the limit";
    if (c->max_tokens) snprintf(below, sizeof below, "the %ld tokens", c->max_tokens);
    snprintf(
        out, n,
        "%ld of %ld texts (%.1f %%) in '%.200s' were cut by the server's context, below %s that "
        "they may have: they are not the model's answers (give the server a larger context, "
        "e.g. llama-server -c, which its slots share, or less --max-tokens, and sample into "
        "another --output)",
        c->n_cut, c->n_texts, 100.0 * (double)c->n_cut / (double)c->n_texts, dir, below);
}
