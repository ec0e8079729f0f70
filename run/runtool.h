/* SPDX-License-Identifier: Apache-2.0 */
/* runtool.h - allot-run from its options to its output: embed the query, choose a strategy, execute
 * it on the server, report the answer with what was predicted and what it took. */
#ifndef ALLOT_RUNTOOL_H
#define ALLOT_RUNTOOL_H
#include "lib/decide/ruleflags.h"
#include "lib/engine/engine.h"
#include "lib/net/embedclient.h"

typedef struct {
    const char *bundle;   /* path; required */
    const char *jsonl;    /* path or "-"; NULL = the query is the argument */
    const char *strategy; /* forced; NULL = chosen */
    allot_ruleflags rule;
    allot_embedclient embed; /* base_url NULL = the generator's, model NULL = the bundle's */
    const char *embed_prefix, *embed_pooling; /* NULL = the bundle's */
    int force;                                /* settings may differ from the bundle's */
    allot_engine_config engine;               /* what was given, see engineflags.h */
} allot_runtool;

void allot_runtool_defaults(allot_runtool *t);
ALLOT_MUST_CHECK allot_code allot_runtool_run(const allot_runtool *t, const allot_common *common,
                                              allot_err *err);
#endif
