/* SPDX-License-Identifier: Apache-2.0 */
/* allot-collect merge: options, and what was merged as text or JSON. */
#include <stdio.h>
#include "collect/commands.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "collect/merge.h"

static const char *output;
static int partial;

static const allot_option options[] = {
    {"output", ALLOT_OPT_NEEDED, &output, "DIR", "the run directory to be made; required", 0, 0},
    {"partial", ALLOT_OPT_FLAG, &partial, NULL,
     "take shards with missing units, which 'sample' then makes in the merged run", 0, 0},
    {0}};

static allot_code print_json(const allot_merge_result *r, allot_err *err)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "run", output);
    cJSON_AddNumberToObject(o, "queries", (double)r->n_queries);
    cJSON_AddNumberToObject(o, "records", (double)r->n_records);
    cJSON_AddNumberToObject(o, "done", (double)r->done);
    cJSON_AddNumberToObject(o, "total", (double)r->total);
    cJSON_AddNumberToObject(o, "torn", r->n_torn);
    allot_code rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_merge_settings s = {common->args, common->n_args, output, partial};
    allot_merge_result r;
    allot_code rc = allot_merge_run(&s, &r, err);
    if (rc) return rc;
    if (r.n_torn) allot_log_warn("torn last lines left out in %d shards", r.n_torn);
    if (common->json) return print_json(&r, err);
    printf("%s: %ld queries, %ld of %ld units, %ld records of %d shards\n", output, r.n_queries,
           r.done, r.total, r.n_records, s.n);
    return ALLOT_OK;
}

const allot_command allot_cmd_merge = {
    .name = "merge",
    .usage = "[--partial] --output DIR SHARD-DIR...",
    .about = "Makes one run of shards that were sampled apart ('sample --shard').\n"
             "All shards must be there, once, complete, and made with the same settings of the "
             "same queries. The merged run is labelled, extended and gone on with like any other.",
    .options = options,
    .min_args = 1,
    .max_args = -1,
    .run = run,
    .examples = "  allot-collect sample --shard 1/2 --output shard-1 ...\n"
                "  allot-collect sample --shard 2/2 --output shard-2 ...   # on another machine\n"
                "  allot-collect merge --output run shard-1 shard-2",
};
