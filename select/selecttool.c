/* SPDX-License-Identifier: Apache-2.0 */
/* allot-select: reads queries block by block, has them decided about and prints the choices. */
#include "select/selecttool.h"
#include <string.h>
#include "lib/core/textlines.h"
#include "lib/store/bundlefile.h"
#include "select/selectinput.h"
#include "select/selectreport.h"

enum { BLOCK = 256 }; /* queries whose embeddings are asked for together */

void allot_selecttool_defaults(allot_selecttool *tool)
{
    *tool = (allot_selecttool){.codepoints = -1};
    allot_ruleflags_defaults(&tool->rule);
    allot_embedclient_defaults(&tool->source.server);
}

/* What stays the same for all queries of a run. */
typedef struct {
    const allot_selecttool *tool;
    const allot_common *common;
    allot_rule rule;
    allot_bundle bundle;
    allot_decider decider;
} session;

static allot_code check_options(const allot_selecttool *t, const allot_common *common,
                                allot_err *err)
{
    const allot_vectorsource_config *s = &t->source;
    if ((t->vector != NULL) + (s->file != NULL) + (s->server.base_url != NULL) > 1)
        return allot_fail(err, ALLOT_EUSAGE,
                          "only one of --embedding, --embeddings and --embed-base-url can be used");
    if (common->n_args + (t->jsonl != NULL) + (t->key != NULL) != 1)
        return allot_fail(err, ALLOT_EUSAGE,
                          "give one query: a text (in quotes), --jsonl FILE or --key HEX");
    if (t->key && (t->codepoints < 0 || !(s->file || t->vector)))
        return allot_fail(err, ALLOT_EUSAGE,
                          "--key needs --codepoints (the length of the query) "
                          "and --embeddings or --embedding");
    if (t->jsonl && t->vector)
        return allot_fail(err, ALLOT_EUSAGE,
                          "--embedding is for one query; in JSONL each line can "
                          "have a field \"embedding\"");
    return ALLOT_OK;
}

static allot_code open_session(session *s, allot_err *err)
{
    allot_code rc = allot_bundlefile_load(s->tool->bundle, &s->bundle, err);
    if (!rc) rc = allot_ruleflags_read(&s->tool->rule, &s->bundle.costs, &s->rule, err);
    return rc ? rc : allot_decider_open(&s->bundle, &s->tool->source, &s->decider, err);
}

static void close_session(session *s)
{
    allot_decider_close(&s->decider);
    allot_bundle_clear(&s->bundle);
}

static allot_code decide(session *s, const allot_decide_query *q, allot_err *err)
{
    allot_decision d;
    allot_code rc = allot_decider_choose(&s->decider, q, &s->rule, &d, err);
    if (rc) return rc;
    allot_choice c = {.bundle = &s->bundle,
                      .rule = &s->rule,
                      .accuracy = d.accuracy,
                      .chosen = d.chosen,
                      .all = s->common->verbose};
    if (s->common->json) return allot_select_print_json(&c, &q->key, err);
    if (s->tool->jsonl) allot_select_print_row(&c, q->text);
    else allot_select_print_text(&c);
    return ALLOT_OK;
}

static allot_code decide_block(session *s, allot_decide_query *q, long n, allot_err *err)
{
    allot_code rc = allot_vectorsource_fill(&s->decider.source, q, n, err);
    for (long i = 0; i < n; i++) {
        if (!rc) rc = decide(s, &q[i], err);
        allot_decide_query_clear(&q[i]);
    }
    return rc;
}

static allot_code decide_one(session *s, allot_err *err)
{
    allot_decide_query q = {0};
    allot_code rc;
    if (s->tool->key) {
        rc = allot_key_parse(s->tool->key, &q.key, err);
        q.codepoints = (size_t)s->tool->codepoints;
    } else {
        rc = allot_decide_query_read(s->common->args[0], strlen(s->common->args[0]), &q, err);
    }
    if (!rc && s->tool->vector)
        rc = allot_select_read_vector(s->tool->vector, s->bundle.probe.d, &q, err);
    if (!rc) rc = decide_block(s, &q, 1, err);
    allot_decide_query_clear(&q);
    return rc;
}

/* Reads up to BLOCK queries; *n of them. */
static allot_code read_block(session *s, allot_textlines *in, allot_decide_query *q, long *n,
                             allot_err *err)
{
    const char *line;
    size_t bytes;
    allot_code rc = ALLOT_OK;
    for (*n = 0; !rc && *n < BLOCK;) {
        rc = allot_textlines_next(in, &line, &bytes, err);
        if (rc || !line) break;
        rc = allot_select_read_line(line, bytes, in->where, s->bundle.probe.d, &q[(*n)++], err);
    }
    return rc;
}

static allot_code decide_lines(session *s, allot_err *err)
{
    allot_textlines in;
    allot_decide_query q[BLOCK] = {0};
    long n = 0;
    allot_code rc = allot_textlines_open(s->tool->jsonl, &in, err);
    if (rc) return rc;
    do {
        rc = read_block(s, &in, q, &n, err);
        if (!rc) rc = decide_block(s, q, n, err);
    } while (!rc && n == BLOCK);
    for (int i = 0; i < BLOCK; i++)
        allot_decide_query_clear(&q[i]);
    allot_textlines_close(&in);
    return rc;
}

allot_code allot_selecttool_run(const allot_selecttool *tool, const allot_common *common,
                                allot_err *err)
{
    session s = {.tool = tool, .common = common};
    allot_code rc = check_options(tool, common, err);
    if (!rc) rc = open_session(&s, err);
    if (!rc) rc = tool->jsonl ? decide_lines(&s, err) : decide_one(&s, err);
    close_session(&s);
    return rc;
}
