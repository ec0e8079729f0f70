/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "core/json.h"
#include "status.h"

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_status s;
    const char *dir = common->args[0];
    allot_code rc = allot_status_read(dir, &s, err);
    if (rc) return rc;
    if (common->json) {
        cJSON *o = allot_status_json(&s, dir);
        rc = allot_json_print(o, err);
        cJSON_Delete(o);
    } else {
        allot_status_print(&s, dir);
    }
    allot_status_clear(&s);
    return rc;
}

const allot_command allot_cmd_status = {
    .name = "status",
    .usage = "RUN-DIR",
    .about = "Tells how far a run is, and what failed.\n"
             "May be asked while 'allot-collect sample' is working.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
    .examples = "  allot-collect status run\n"
                "  allot-collect status --json run | jq .failed_queries",
};
