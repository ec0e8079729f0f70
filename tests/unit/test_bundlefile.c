/* SPDX-License-Identifier: Apache-2.0 */
/* probefile, costsfile, bundlefile: a probe on its way from training to a selector. */
#include "tests/unit/formats.h"
#include "lib/store/bundlefile.h"
#include "lib/store/strategyfile.h"
#include "liballot/bundle.h"

#define SET "single,majority@8,bon@4"

static void make_probe(allot_probefile *p)
{
    *p = (allot_probefile){.strategies = set_of(SET),
                           .embedding_id = "0011223344556677",
                           .split_id = "8899aabbccddeeff",
                           .metric = "accuracy"};
    int f = allot_features_strategy_dim(ALLOT_FEATURES_DEFAULT, &p->strategies);
    p->probe =
        (allot_probe){.layout = ALLOT_FEATURES_DEFAULT, .d = 4, .p = f, .s = 3, .h1 = 5, .h2 = 3};
    WORKS(allot_probe_init(&p->probe, &err));
    for (size_t i = 0; i < p->probe.n_params; i++)
        p->probe.block[i] = sinf((float)i);
    p->probe.interaction[0] = 0.25f;
    p->embedding_model = allot_mem_text("tiny", 4, NULL);
    p->fingerprint = object_of("{\"generator\":\"g\"}");
    p->training = object_of("{\"epochs\":3}");
    allot_calib_identity(&p->calib);
}

static void calibrate(allot_probefile *p)
{
    p->calibrated = 1;
    p->calibration = object_of("{\"rows\":100}");
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        if (!allot_calib_tells(&p->strategies, (allot_method)m)) continue;
        p->calib.a[m] = 1.0 / 3 + m;
        p->calib.b[m] = -0.1 / (m + 1);
    }
}

static void same_probe(const allot_probe *a, const allot_probe *b)
{
    assert_int_equal(a->n_params, b->n_params);
    assert_memory_equal(a->block, b->block, a->n_params * sizeof(float));
}

/* ---- probe.h5 ---- */

static void a_probe_comes_back_bit_by_bit(void **state)
{
    (void)state;
    allot_probefile p, back;
    make_probe(&p);
    for (int calibrated = 0; calibrated < 2; calibrated++) {
        if (calibrated) calibrate(&p);
        WORKS(allot_probefile_save("p.h5", &p, "test", 1, NULL, &err));
        WORKS(allot_probefile_load("p.h5", &back, &err));
        same_probe(&p.probe, &back.probe);
        assert_int_equal(back.calibrated, calibrated);
        assert_memory_equal(&back.calib, &p.calib, sizeof p.calib);
        assert_string_equal(back.embedding_model, "tiny");
        assert_string_equal(back.embedding_id, p.embedding_id);
        assert_string_equal(back.split_id, p.split_id);
        assert_true(cJSON_Compare(back.training, p.training, 1));
        assert_int_equal(back.calibration != NULL, calibrated);
        WORKS(allot_probefile_save("q.h5", &back, "test", 1, NULL, &err));
        same_bytes("p.h5", "q.h5");
        allot_probefile_clear(&back);
    }
    allot_probefile_clear(&p);
}

static allot_code load_probe(const char *path, allot_err *err)
{
    allot_probefile p;
    allot_code rc = allot_probefile_load(path, &p, err);
    assert_null(p.probe.block);
    return rc;
}

/* A file that names fewer methods than this build knows, as long as its set uses no other. */
static void a_calibration_may_leave_out_methods(void **state)
{
    (void)state;
    allot_strategies set = set_of("single,bon@4");
    allot_calib c;
    int fitted = 0;
    cJSON *o = object_of("{\"fitted\":true,\"a\":{\"single\":2,\"bon\":3},"
                         "\"b\":{\"single\":-1,\"bon\":1}}");
    WORKS(allot_calib_from_json(o, "x", &set, &c, &fitted, &err));
    assert_true(fitted && c.a[ALLOT_SINGLE] == 2 && c.b[ALLOT_BON] == 1);
    assert_true(c.a[ALLOT_MAJORITY] == 1 && c.b[ALLOT_MAJORITY] == 0);
    cJSON_DeleteItemFromObject(cJSON_GetObjectItem(o, "b"), "bon");
    REFUSED(allot_calib_from_json(o, "x", &set, &c, &fitted, &err), ALLOT_EINPUT,
            "x: \"bon\" is missing");
    cJSON_DeleteItemFromObject(cJSON_GetObjectItem(o, "a"), "bon");
    REFUSED(allot_calib_from_json(o, "x", &set, &c, &fitted, &err), ALLOT_EINPUT,
            "x: \"bon\" is missing");
    cJSON_Delete(o);
    allot_strategies_clear(&set);
}

static void wrong_probes_are_refused(void **state)
{
    (void)state;
    allot_probefile p;
    make_probe(&p);
    WORKS(allot_probefile_save("p.h5", &p, "test", 1, NULL, &err));
    refuses_wrong_files(load_probe, "p.h5", "allot-probe");
    p.calib.a[0] = 2;
    REFUSED(allot_probefile_save("w.h5", &p, "test", 1, NULL, &err), ALLOT_EINPUT,
            "cannot write 'w.h5': the probe is not calibrated but has a calibration");
    p.calib.a[0] = NAN;
    REFUSED(allot_probefile_save("w.h5", &p, "test", 1, NULL, &err), ALLOT_EINPUT,
            "cannot write 'w.h5': the calibration of single is not finite");
    allot_calib_identity(&p.calib);
    allot_strategies_clear(&p.strategies);
    p.strategies = set_of("single,named:\"x\""); /* more features than the weights are for */
    WORKS(allot_probefile_save("w.h5", &p, "test", 1, NULL, &err));
    REFUSED(load_probe("w.h5", &err), ALLOT_EINPUT,
            "cannot read 'w.h5': '/offset' has the "
            "wrong shape for its hidden units and strategies (train again)");
    p.probe.w2[1] = INFINITY;
    REFUSED(allot_probefile_save("v.h5", &p, "test", 1, NULL, &err), ALLOT_EINPUT,
            "cannot write 'v.h5': weight 1 of 'w2' is inf");
    assert_int_not_equal(access("v.h5", F_OK), 0);
    allot_probefile_clear(&p);
}

/* ---- costs.json ---- */

static void make_costs(allot_costsfile *c, int has_seconds)
{
    *c = (allot_costsfile){.strategies = set_of(SET), .n_loads = has_seconds ? 2 : 1};
    c->fingerprint = object_of("{\"generator\":\"g\"}");
    c->hardware = object_of("{\"hardware\":\"a desk\"}");
    c->loads = allot_mem_array(2, sizeof *c->loads, NULL);
    for (int l = 0; l < c->n_loads; l++) {
        c->loads[l] = (allot_costs){
            .n_strategies = 3, .has_seconds = has_seconds, .load = has_seconds ? 1 + 7 * l : 0};
        c->loads[l].at = allot_mem_array(3, sizeof *c->loads[l].at, NULL);
        for (int s = 0; s < 3; s++) {
            allot_cost_stat t = {100.5 * (s + 1), NAN, 90, 150, 160, NAN, 20};
            c->loads[l].at[s].tokens = t;
            t.mean /= 1000;
            if (has_seconds) c->loads[l].at[s].seconds = t;
        }
    }
}

static void costs_come_back(void **state)
{
    (void)state;
    allot_costsfile c, back;
    const allot_costs *at;
    make_costs(&c, 1);
    WORKS(allot_costsfile_save("c.json", &c, "test", 1, NULL, &err));
    WORKS(allot_costsfile_load("c.json", &back, &err));
    assert_int_equal(back.n_loads, 2);
    WORKS(allot_costsfile_at_load(&back, "c.json", 8, &at, &err));
    assert_true(at->at[1].tokens.mean == 201.0 && isnan(at->at[1].tokens.se));
    assert_true(at->at[1].tokens.p90 == 150 && at->at[2].seconds.mean == 0.3015);
    assert_int_equal(at->at[1].tokens.n, 20);
    REFUSED(allot_costsfile_at_load(&back, "c.json", 4, &at, &err), ALLOT_EMISMATCH,
            "'c.json' has "
            "no costs at load 4, only at 1, 8 (choose one of them, or time that load with "
            "'allot-collect time')");
    WORKS(allot_costsfile_save("d.json", &back, "test", 1, NULL, &err));
    same_bytes("c.json", "d.json");
    allot_costsfile_clear(&back);
    allot_costsfile_clear(&c);
    make_costs(&c, 0);
    WORKS(allot_costsfile_save("c.json", &c, "test", 1, NULL, &err));
    WORKS(allot_costsfile_load("c.json", &back, &err));
    assert_int_equal(back.loads[0].has_seconds, 0);
    allot_costsfile_clear(&back);
    allot_costsfile_clear(&c);
}

#define COSTS(loads)                                                                               \
    "{\"schema\":\"allot-costs\",\"version\":1,\"fingerprint\":{\"generator\":\"g\"},"             \
    "\"hardware\":{},\"loads\":[" loads "]}"
#define TOKENS(rows) "{\"load\":0,\"has_seconds\":false,\"strategies\":[" rows "]}"
#define ROW(name, stat) "{\"strategy\":\"" name "\",\"tokens\":{" stat "}}"

static allot_code load_costs(const char *text, allot_err *report)
{
    allot_costsfile c;
    WORKS(allot_file_write("h.json", &allot_kind_any, text, strlen(text), &err));
    allot_code rc = allot_costsfile_load("h.json", &c, report);
    allot_costsfile_clear(&c);
    return rc;
}

/* What a person may write by hand: the mean is enough, rows in any order. */
static void costs_may_be_written_by_hand(void **state)
{
    (void)state;
    allot_costsfile c;
    const char *text = COSTS("{\"load\":1,\"has_seconds\":true,\"strategies\":[{\"strategy\":"
                             "\"single\",\"tokens\":{\"mean\":100},\"seconds\":{\"mean\":2}}]}");
    WORKS(allot_file_write("h.json", &allot_kind_any, text, strlen(text), &err));
    WORKS(allot_costsfile_load("h.json", &c, &err));
    assert_true(c.loads[0].at[0].seconds.mean == 2 && isnan(c.loads[0].at[0].seconds.p50));
    allot_costsfile_clear(&c);
}

static void wrong_costs_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {COSTS(TOKENS(ROW("single", "\"mean\":-1"))),
         "cannot read 'h.json': load number 1 of the list, 'single', tokens: \"mean\" is -1, not "
         "within 0 to 1e+15"},
        {COSTS(TOKENS(ROW("single", "\"p50\":1"))),
         "cannot read 'h.json': load number 1 of the list, 'single', tokens: \"mean\" is missing"},
        {COSTS(TOKENS(ROW("single", "\"mean\":1,\"p9\":1"))),
         "cannot read 'h.json': load number 1 of the list, 'single', tokens: unknown field \"p9\" "
         "(docs/formats.md has the list)"},
        {COSTS(
             "{\"load\":1,\"has_seconds\":true,\"strategies\":[" ROW("single", "\"mean\":1") "]}"),
         "cannot read 'h.json': load number 1 of the list, 'single': \"seconds\" is missing"},
        {COSTS(
             "{\"load\":0,\"has_seconds\":true,\"strategies\":[" ROW("single", "\"mean\":1") "]}"),
         "cannot read 'h.json': load number 1 of the list: \"load\" is 0, not within 1 to 1e+06"},
        {COSTS(TOKENS(ROW("single", "\"mean\":1")) "," TOKENS(ROW("majority@8", "\"mean\":1"))),
         "cannot read 'h.json': load number 2 of the list: 'majority@8' is not a strategy of the "
         "first load"},
        {COSTS(TOKENS(ROW("single", "\"mean\":1") "," ROW("bon@4", "\"mean\":1")) "," TOKENS(
             ROW("single", "\"mean\":1"))),
         "cannot read 'h.json': load number 2 of the list: the row of 'bon@4' is missing (time it "
         "with 'allot-collect time', or add the row)"},
        {COSTS(TOKENS(ROW("single", "\"mean\":1")) "," TOKENS(ROW("single", "\"mean\":1"))),
         "cannot read 'h.json': load number 2 of the list: loads are not ascending (0 after 0)"},
        {COSTS(""), "cannot read 'h.json': it has no loads"},
        {"{\"schema\":\"allot-run\",\"version\":1}",
         "cannot read 'h.json': it is a file of kind 'allot-run', not 'allot-costs'"},
        {"", "cannot read 'h.json': is empty, not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        REFUSED(load_costs(cases[i].text, &err), ALLOT_EINPUT, cases[i].message);
}

/* ---- model.safetensors ---- */

static void a_bundle_is_read_as_it_was_meant(void **state)
{
    (void)state;
    allot_probefile p;
    allot_costsfile c;
    allot_bundle b;
    char *bytes;
    size_t n;
    uint64_t header;
    make_probe(&p);
    calibrate(&p);
    for (int seconds = 0; seconds < 2; seconds++) {
        make_costs(&c, seconds);
        WORKS(allot_bundlefile_save("m.safetensors", &p, &c.loads[0], c.hardware, NULL, &err));
        WORKS(allot_bundle_load("m.safetensors", &b, &err));
        same_probe(&b.probe, &p.probe);
        assert_memory_equal(&b.calib, &p.calib, sizeof p.calib);
        assert_int_equal(b.calibrated, 1);
        assert_int_equal(b.costs.has_seconds, seconds);
        assert_true(b.costs.at[2].tokens.mean == 301.5 && isnan(b.costs.at[2].tokens.se));
        assert_string_equal(b.embedding_model, "tiny");
        allot_bundle_clear(&b);
        allot_costsfile_clear(&c);
    }
    WORKS(allot_file_read("m.safetensors", 1 << 20, &bytes, &n, &err));
    memcpy(&header, bytes, 8);
    assert_int_equal(header % 8, 0);
    assert_int_equal(n, 8 + header + p.probe.n_params * sizeof(float));
    free(bytes);
    allot_probefile_clear(&p);
}

static void a_bundle_that_would_not_be_read_is_not_written(void **state)
{
    (void)state;
    allot_probefile p;
    allot_costsfile c;
    make_probe(&p);
    make_costs(&c, 1);
    c.loads[0].n_strategies = 2;
    REFUSED(allot_bundlefile_save("n.safetensors", &p, &c.loads[0], NULL, NULL, &err),
            ALLOT_EMISMATCH,
            "cannot write 'n.safetensors': costs of 2 strategies, a probe of 3 "
            "(make the costs of the same strategies)");
    c.loads[0].n_strategies = 3;
    c.loads[0].at[1].tokens.mean = NAN;
    REFUSED(allot_bundlefile_save("n.safetensors", &p, &c.loads[0], NULL, NULL, &err), ALLOT_EINPUT,
            "cannot write 'n.safetensors': cannot read 'new bundle': manifest: a cost row's "
            "'tokens' is missing or has a wrong number");
    c.loads[0].at[1].tokens.mean = 1;
    p.probe.b3[0] = NAN;
    REFUSED(allot_bundlefile_save("n.safetensors", &p, &c.loads[0], NULL, NULL, &err), ALLOT_EINPUT,
            "cannot write 'n.safetensors': cannot read 'new bundle': weight 0 of 'b3' is nan");
    assert_int_not_equal(access("n.safetensors", F_OK), 0);
    allot_costsfile_clear(&c);
    allot_probefile_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_comes_back_bit_by_bit),
        cmocka_unit_test(a_calibration_may_leave_out_methods),
        cmocka_unit_test(wrong_probes_are_refused),
        cmocka_unit_test(costs_come_back),
        cmocka_unit_test(costs_may_be_written_by_hand),
        cmocka_unit_test(wrong_costs_are_refused),
        cmocka_unit_test(a_bundle_is_read_as_it_was_meant),
        cmocka_unit_test(a_bundle_that_would_not_be_read_is_not_written),
    };
    return cmocka_run_group_tests_name("bundlefile", tests, enter_folder, leave_folder);
}
