/* SPDX-License-Identifier: Apache-2.0 */
/* Loads probe and costs, checks that they belong together, writes the bundle and tells what is in
 * it. */
#include "export/exporttool.h"
#include <inttypes.h>
#include <stdio.h>
#include "lib/store/bundlefile.h"
#include "lib/store/fingerprint.h"
#include "lib/core/json.h"
#include "lib/store/provenance.h"
#include "lib/store/strategyfile.h"

typedef struct {
    allot_probefile probe;
    allot_costsfile costs;
    const allot_costs *table; /* borrowed from costs: the chosen load */
    cJSON *provenance;
} parts;

/* The costs may come from other hardware, but not from other strategies or another generation. */
static allot_code check_together(const allot_exporttool *tool, const parts *p, allot_err *err)
{
    static const char remedy[] = "time the strategies of this probe with 'allot-collect time' and "
                                 "make the table again with 'allot-calibrate costs'";
    allot_code rc = allot_strategyfile_agree(&p->probe.strategies, tool->probe,
                                             &p->costs.strategies, tool->costs, remedy, err);
    if (!rc)
        rc = allot_fingerprint_agree(p->probe.fingerprint, tool->probe, p->costs.fingerprint,
                                     tool->costs, remedy, err);
    if (!rc && !p->probe.calibrated && !tool->uncalibrated)
        rc = allot_fail(err, ALLOT_EINPUT,
                        "'%s' is not calibrated, so its numbers are no "
                        "probabilities (run 'allot-calibrate platt' on it, or give --uncalibrated)",
                        tool->probe);
    return rc;
}

static allot_code load(const allot_exporttool *tool, const allot_common *common, parts *p,
                       allot_err *err)
{
    const char *const inputs[] = {tool->probe, tool->costs, NULL};
    allot_code rc = allot_probefile_load(tool->probe, &p->probe, err);
    if (!rc) rc = allot_costsfile_load(tool->costs, &p->costs, err);
    if (!rc) rc = check_together(tool, p, err);
    int load = tool->load ? tool->load : p->costs.n_loads == 1 ? p->costs.loads[0].load : 1;
    if (!rc) rc = allot_costsfile_at_load(&p->costs, tool->costs, load, &p->table, err);
    if (!rc) rc = allot_provenance_make("allot-export", common->seed, inputs, &p->provenance, err);
    return rc;
}

static cJSON *describe(const allot_exporttool *tool, const parts *p)
{
    char id[17];
    cJSON *r = cJSON_CreateObject();
    snprintf(id, sizeof id, "%016" PRIx64, allot_strategies_id(&p->probe.strategies));
    cJSON_AddStringToObject(r, "output", tool->output);
    allot_json_add_number(r, "strategies", p->probe.strategies.count);
    cJSON_AddStringToObject(r, "strategy_set_id", id);
    cJSON_AddStringToObject(r, "embedding_model", p->probe.embedding_model);
    cJSON_AddStringToObject(r, "embedding_id", p->probe.embedding_id);
    allot_json_add_number(r, "embedding_dimension", p->probe.probe.d);
    cJSON_AddBoolToObject(r, "calibrated", p->probe.calibrated);
    cJSON_AddBoolToObject(r, "has_seconds", p->table->has_seconds);
    allot_json_add_number(r, "load", p->table->load);
    cJSON_AddStringToObject(r, "metric", p->probe.metric);
    return r;
}

static allot_code report(const allot_exporttool *tool, const allot_common *common, const parts *p,
                         allot_err *err)
{
    if (common->json) {
        cJSON *r = describe(tool, p);
        allot_code rc = allot_json_print(r, err);
        cJSON_Delete(r);
        return rc;
    }
    printf("wrote '%s': %d strategies, embedding '%s' (%d entries), %s\n", tool->output,
           p->probe.strategies.count, p->probe.embedding_model, p->probe.probe.d,
           p->probe.calibrated ? "calibrated" : "not calibrated");
    if (p->table->has_seconds)
        printf("costs: tokens and seconds at %d quer%s in flight\n", p->table->load,
               p->table->load == 1 ? "y" : "ies");
    else printf("costs: tokens only\n");
    return ALLOT_OK;
}

allot_code allot_exporttool_run(const allot_exporttool *tool, const allot_common *common,
                                allot_err *err)
{
    parts p = {0};
    allot_code rc = load(tool, common, &p, err);
    if (!rc)
        rc = allot_bundlefile_save(tool->output, &p.probe, p.table, p.costs.hardware, p.provenance,
                                   err);
    if (!rc) rc = report(tool, common, &p, err);
    allot_probefile_clear(&p.probe);
    allot_costsfile_clear(&p.costs);
    cJSON_Delete(p.provenance);
    return rc;
}
