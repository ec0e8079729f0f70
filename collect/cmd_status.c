/* SPDX-License-Identifier: Apache-2.0 */
/* allot-collect status: tells a run from a timing directory and prints how far it is. */
#include <string.h>
#include "collect/commands.h"
#include "lib/core/json.h"
#include "collect/status.h"
#include "collect/timingstatus.h"

static allot_code of_run(const char *dir, cJSON **json, allot_err *err)
{
    allot_status s;
    allot_code rc = allot_status_read(dir, &s, err);
    if (rc) return rc;
    if (json) *json = allot_status_json(&s, dir);
    else allot_status_print(&s, dir);
    allot_status_clear(&s);
    return ALLOT_OK;
}

static allot_code of_timing(const char *dir, cJSON **json, allot_err *err)
{
    allot_timingstatus s;
    allot_code rc = allot_timingstatus_read(dir, &s, err);
    if (rc) return rc;
    if (json) *json = allot_timingstatus_json(&s, dir);
    else allot_timingstatus_print(&s, dir);
    allot_timingstatus_clear(&s);
    return ALLOT_OK;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    const char *dir = common->args[0];
    cJSON *o = NULL, **json = common->json ? &o : NULL;
    allot_rundir manifest;
    allot_code rc = allot_rundir_load(dir, NULL, &manifest, err);
    if (rc) return rc;
    int is_timing = strcmp(manifest.schema, ALLOT_TIMING_SCHEMA) == 0;
    allot_rundir_clear(&manifest);
    rc = is_timing ? of_timing(dir, json, err) : of_run(dir, json, err);
    if (!rc && json) rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

const allot_command allot_cmd_status = {
    .name = "status",
    .usage = "DIR",
    .about = "Tells how far a run or a timing is, and what failed.\n"
             "May be asked while 'allot-collect sample' or 'time' is working.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
    .examples = "  allot-collect status run\n"
                "  allot-collect status --json run | jq .failed_queries",
};
