/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle's reader against bytes written here by hand: a good file, and hostile ones. */
#include <stdio.h>
#include "lib/core/rng.h"
#include "tests/unit/handmade_bundle.h"

static void a_good_bundle_is_read(void **state)
{
    (void)state;
    allot_buf file = {0};
    allot_bundle b;
    allot_err err = {0};
    make_file(&file, NULL, NULL);
    if (allot_bundle_parse(file.at, file.n, "x", &b, &err)) fail_msg("%s", err.msg);
    assert_int_equal(b.strategies.count, 2);
    assert_int_equal(b.probe.d, 3);
    assert_true(b.probe.b3[0] == (float)sin(N_WEIGHTS));
    assert_true(b.calib.a[ALLOT_BON] == 2 && b.calib.b[ALLOT_BON] == 0.5);
    assert_true(b.calibrated && b.costs.has_seconds && b.costs.load == 1);
    assert_true(b.costs.at[1].tokens.mean == 300 && b.costs.at[1].seconds.n == 9);
    assert_true(b.costs.at[0].seconds.p90 == 400 && isnan(b.costs.at[0].tokens.p95));
    assert_string_equal(b.embedding_model, "m");
    assert_string_equal(b.embedding_id, "0123456789abcdef");
    assert_string_equal(b.embedding_prefix, "Q: ");
    assert_int_equal(b.embedding_normalized, 1);
    assert_string_equal(b.embedding_pooling, "last");
    allot_bundle_clear(&b);
    allot_bundle_clear(&b);
    allot_buf_clear(&file);
}

/* Equal to the formula of probe.h, computed here in double precision. */
static void predictions_follow_the_formula(void **state)
{
    (void)state;
    allot_buf file = {0};
    allot_bundle b;
    const float embedding[D] = {0.3f, -1.5f, 2};
    double got[S];
    make_file(&file, NULL, NULL);
    assert_int_equal(allot_bundle_parse(file.at, file.n, "x", &b, NULL), ALLOT_OK);
    float *scratch = calloc(allot_scratch_floats(&b), sizeof *scratch);
    assert_int_equal(allot_bundle_predict(&b, embedding, 20, scratch, got, NULL), ALLOT_OK);
    const double f[S][P] = {{0, 0, 0, 1}, {3, 0, 0, 0, 0, 1}};
    double w[N_WEIGHTS], x[D + 1], y[S], mean = 0;
    for (int i = 0; i < N_WEIGHTS; i++)
        w[i] = weight(i);
    const double *scale = w + D, *norm = w + 2 * D;
    const double *offset = norm + 2, *kept = offset + S;
    const double *w1q = kept + 1, *w1s = w1q + H * (D + 1);
    const double *b1 = w1s + H * P, *w2 = b1 + H, *b2 = w2 + H * H, *w3 = b2 + H, *b3 = w3 + H;
    for (int i = 0; i < D; i++)
        x[i] = ((double)embedding[i] - w[i]) * scale[i];
    x[D] = (log(21) - norm[0]) * norm[1];
    for (int s = 0; s < S; s++) {
        double g[H], z = b3[0];
        for (int h = 0; h < H; h++) {
            double a = b1[h];
            for (int i = 0; i <= D; i++)
                a += w1q[h * (D + 1) + i] * x[i];
            for (int i = 0; i < P; i++)
                a += w1s[h * P + i] * f[s][i];
            g[h] = a * 0.5 * (1 + erf(a / sqrt(2)));
        }
        for (int k = 0; k < H; k++) {
            double a = b2[k];
            for (int h = 0; h < H; h++)
                a += w2[k * H + h] * g[h];
            z += w3[k] * a * 0.5 * (1 + erf(a / sqrt(2)));
        }
        y[s] = z;
        mean += z / S;
    }
    for (int s = 0; s < S; s++) {
        double z = *kept * y[s] + (1 - *kept) * mean + offset[s];
        double p = s == 1 ? 1 / (1 + exp(-(2 * z + 0.5))) : 1 / (1 + exp(-z));
        assert_true(fabs(p - got[s]) < 1e-5);
    }
    free(scratch);
    allot_bundle_clear(&b);
    allot_buf_clear(&file);
}

static void embeddings_must_be_finite(void **state)
{
    (void)state;
    allot_buf file = {0};
    allot_bundle b;
    allot_err err = {0};
    double accuracy[S];
    float embedding[D] = {1, NAN, INFINITY};
    make_file(&file, NULL, NULL);
    assert_int_equal(allot_bundle_parse(file.at, file.n, "x", &b, NULL), ALLOT_OK);
    float *scratch = calloc(allot_scratch_floats(&b), sizeof *scratch);
    assert_int_equal(allot_bundle_predict(&b, embedding, 1, scratch, accuracy, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "entry 1 of the embedding is nan");
    embedding[0] = embedding[1] = embedding[2] = -3e38f;
    assert_int_equal(allot_bundle_predict(&b, embedding, 1, scratch, accuracy, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "the probe's output is not finite: the embedding is far outside "
                                 "the range it was trained on");
    free(scratch);
    allot_bundle_clear(&b);
    allot_buf_clear(&file);
}

static void expect_refusal(const char *from, const char *to, const char *message)
{
    allot_buf file = {0};
    allot_bundle b;
    allot_err err = {0};
    make_file(&file, from, to);
    if (allot_bundle_parse(file.at, file.n, "x", &b, &err) != ALLOT_EINPUT)
        fail_msg("'%s' -> '%s' was accepted", from, to);
    char want[ALLOT_ERR_MAX + 32];
    snprintf(want, sizeof want, "cannot read 'x': %s", message);
    assert_string_equal(err.msg, want);
    allot_buf_clear(&file);
}

static void wrong_manifests_are_refused(void **state)
{
    (void)state;
    expect_refusal("allot-bundle", "allot-probe",
                   "the schema is 'allot-probe', not "
                   "'allot-bundle'");
    expect_refusal("\"version\":2", "\"version\":3",
                   "the checksum is missing (copy or export it again)");
    expect_refusal("\"version\":2", "\"version\":4",
                   "the version of the schema is 4, not within 2 to 3 (use the "
                   "allot that wrote it, or export again)");
    expect_refusal("\"bon@8\"]", "\"bon@4\"]",
                   "the strategy-set id is '592a410dfaf630f4', but the strategies have "
                   "'592a350dfaf61c90' (the file was changed by hand; export it again)");
    expect_refusal("\"bon@8\"]", "\"single\"]", "strategy 'single' occurs twice");
    expect_refusal("\"bon@8\"]", "8]", "manifest: 'strategies' is missing or not a list of texts");
    expect_refusal("\"default\"", "\"other\"",
                   "manifest: 'layout' is missing or not 'default' or 'paper'");
    expect_refusal("\"dimension\":3", "\"dimension\":65537",
                   "manifest: 'dimension' is missing or not a whole number from 1 to 65536");
    expect_refusal("\"dimension\":3", "\"dimension\":2.5",
                   "manifest: 'dimension' is missing or not a whole number from 1 to 65536");
    expect_refusal("[2,2]", "[2]", "manifest: 'hidden' is missing or not a list of two");
    expect_refusal("[2,2]", "[2,1e9]",
                   "manifest: 'hidden' is missing or not a whole number from 1 to 8192");
    expect_refusal("\"bon\":2", "\"bon\":null",
                   "manifest: 'calibration' is missing or not a number for every method in both "
                   "'a' and 'b'");
    expect_refusal("\"bon\":2", "\"bon\":1e999", "manifest: a number is not finite");
    expect_refusal("\"mean\":300", "\"mean\":-1",
                   "manifest: a cost row's 'tokens' is missing or has a wrong number");
    expect_refusal("\"n\":9", "\"n\":0.5",
                   "manifest: a cost row's 'tokens' is missing or has a wrong number");
    expect_refusal("\"strategy\":\"bon@8\"", "\"strategy\":\"bon@4\"",
                   "manifest: cost row 2 is of 'bon@4', not of 'bon@8'");
    expect_refusal("\"metric\"", "\"fingerprint\":{},\"metric\"",
                   "manifest: the field \"fingerprint\" occurs twice");
    expect_refusal("\"training\":{}", "\"training\":1",
                   "manifest: 'training' is missing or not an object");
    expect_refusal("\"split_id\"", "\"splitid\"", "manifest: 'split_id' is missing or not a text");
}

/* A file names the methods that its writer knew, which may be fewer, or more, than ours. */
static void a_calibration_needs_the_methods_of_its_set_only(void **state)
{
    (void)state;
    allot_buf file = {0};
    allot_bundle b;
    allot_err err = {0};
    const char *all_slopes = slopes, *all_shifts = shifts;
    slopes = "{\"single\":1.5,\"bon\":2,\"of another day\":7}";
    shifts = "{\"single\":0.25,\"bon\":0.5}";
    make_file(&file, NULL, NULL);
    if (allot_bundle_parse(file.at, file.n, "x", &b, &err)) fail_msg("%s", err.msg);
    assert_true(b.calib.a[ALLOT_SINGLE] == 1.5 && b.calib.b[ALLOT_SINGLE] == 0.25);
    assert_true(b.calib.a[ALLOT_BON] == 2 && b.calib.b[ALLOT_BON] == 0.5);
    assert_true(b.calib.a[ALLOT_BEAM] == 1 && b.calib.b[ALLOT_BEAM] == 0);
    allot_bundle_clear(&b);
    allot_buf_clear(&file);
    static const char message[] = "manifest: 'calibration' is missing or not a number for every "
                                  "method in both 'a' and 'b'";
    expect_refusal("\"single\":1.5,", "", message);               /* the set uses it */
    expect_refusal("\"bon\":2", "\"bon\":2,\"beam\":1", message); /* half an entry */
    slopes = all_slopes;
    shifts = all_shifts;
}

static void wrong_tensors_are_refused(void **state)
{
    (void)state;
    expect_refusal("\"probe.w2\"", "\"probe.w9\"", "tensor 'probe.w2' is missing");
    expect_refusal("\"F32\",\"shape\":[1]", "\"F64\",\"shape\":[1]",
                   "tensor 'probe.interaction' is not of type F32");
    expect_refusal("\"shape\":[2,4]", "\"shape\":[4,2]",
                   "the shape of tensor 'probe.w1_query' does not fit the manifest");
    expect_refusal("\"shape\":[2,4]", "\"shape\":[8]",
                   "the shape of tensor 'probe.w1_query' does not fit the manifest");
    expect_refusal("[0,12]", "[0,16]",
                   "the offsets of tensor 'probe.mean' do not fit its shape and place");
    expect_refusal("[12,24]", "[0,12]",
                   "the offsets of tensor 'probe.scale' do not fit its shape and place");
    expect_refusal("[12,24]", "[1e300,1e300]",
                   "the offsets of tensor 'probe.scale' do not fit its shape and place");
    expect_refusal("\"probe.b2\"", "\"extra\":{},\"probe.b2\"",
                   "there are tensors that a bundle does not have");
    expect_refusal("\"probe.b2\"", "\"probe.b3\":1,\"probe.b2\"",
                   "header: the field \"probe.b3\" occurs twice");
    expect_refusal("__metadata__", "metadata",
                   "not a bundle of allot: the metadata 'allot' are missing");
}

static void weights_must_be_finite(void **state)
{
    (void)state;
    allot_buf file = {0};
    allot_bundle b;
    allot_err err = {0};
    make_file(&file, NULL, NULL);
    float bad = NAN;
    memcpy(file.at + file.n - 4 * 3, &bad, 4);
    assert_int_equal(allot_bundle_parse(file.at, file.n, "x", &b, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "cannot read 'x': weight 0 of 'w3' is nan");
    bad = 1.5f;
    allot_buf_clear(&file);
    make_file(&file, NULL, NULL);
    memcpy(file.at + file.n - 4 * (N_WEIGHTS - AT_INTERACTION), &bad, 4);
    assert_int_equal(allot_bundle_parse(file.at, file.n, "x", &b, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "cannot read 'x': 'interaction' is 1.5, not within 0 to 1");
    allot_buf_clear(&file);
}

/* From a copy of exactly n bytes, so that a sanitizer sees every byte that is read too far. */
static allot_code parse_copy(const char *bytes, size_t n, allot_err *err)
{
    allot_bundle b = {0};
    char *copy = malloc(n ? n : 1);
    memcpy(copy, bytes, n);
    allot_code rc = allot_bundle_parse(copy, n, "x", &b, err);
    free(copy);
    if (!rc) allot_bundle_clear(&b);
    return rc;
}

static void cut_files_are_refused(void **state)
{
    (void)state;
    allot_buf file = {0};
    allot_err err = {0};
    make_file(&file, NULL, NULL);
    for (size_t n = 0; n < file.n; n++)
        if (parse_copy(file.at, n, &err) != ALLOT_EINPUT) fail_msg("%zu bytes were accepted", n);
    assert_string_equal(err.msg, "cannot read 'x': the tensors need 184 bytes, the file has 183 "
                                 "(was it cut off? copy or export it again)");
    allot_buf_add(&file, "x", 1);
    assert_int_equal(parse_copy(file.at, file.n, &err), ALLOT_EINPUT);
    allot_buf_clear(&file);
}

/* With its checksum no single bit of a bundle can change unseen. */
static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    allot_buf text = {0}, top = {0}, file = {0};
    allot_bundle b = {0};
    allot_err err = {0};
    char sum[ALLOT_CHECKSUM_DIGITS + 1];
    manifest(&text);
    *(strstr(text.at, "\"version\":") + strlen("\"version\":")) = '3';
    header(&top, text.at);
    allot_buf whole = {0};
    allot_buf_str(&whole, "{\"__metadata__\":{\"checksum\":\"0000000000000000\",");
    allot_buf_str(&whole, top.at + strlen("{\"__metadata__\":{"));
    assemble(&file, whole.at, N_WEIGHTS);
    assert_int_equal(parse_copy(file.at, file.n, &err), ALLOT_EINPUT);
    assert_non_null(strstr(err.msg, "the checksum does not fit"));
    char *place = file.at + (allot_checksum_place(file.at, file.n) - file.at);
    allot_checksum_of(file.at, file.n, place, sum);
    memcpy(place, sum, ALLOT_CHECKSUM_DIGITS);
    assert_int_equal(allot_bundle_parse(file.at, file.n, "x", &b, &err), ALLOT_OK);
    assert_true(b.has_checksum);
    allot_bundle_clear(&b);
    for (size_t i = 0; i < 8 * file.n; i++) {
        file.at[i / 8] ^= (char)(1 << i % 8);
        if (allot_bundle_parse(file.at, file.n, "x", &b, NULL) != ALLOT_EINPUT)
            fail_msg("bit %zu of byte %zu of %zu was flipped unseen", i % 8, i / 8, file.n);
        file.at[i / 8] ^= (char)(1 << i % 8);
    }
    allot_buf_clear(&text);
    allot_buf_clear(&top);
    allot_buf_clear(&whole);
    allot_buf_clear(&file);
}

/* Changed bytes are refused or give a bundle that still predicts finite probabilities. */
static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    allot_buf file = {0};
    make_file(&file, NULL, NULL);
    allot_rng rng = allot_rng_start(9, 0, 0, 0);
    for (int i = 0; i < 20000; i++) {
        size_t at = allot_rng_below(&rng, file.n);
        char kept = file.at[at];
        file.at[at] = i % 2 ? (char)(kept ^ (1 << allot_rng_below(&rng, 8)))
                            : "\"{}[]:,0123456789e-\\u"[allot_rng_below(&rng, 21)];
        allot_bundle b = {0};
        if (allot_bundle_parse(file.at, file.n, "x", &b, NULL) == ALLOT_OK) {
            float embedding[D] = {1, 2, 3}, scratch[64];
            double accuracy[S];
            assert_true(allot_scratch_floats(&b) <= 64 && b.probe.d == D);
            if (!allot_bundle_predict(&b, embedding, 5, scratch, accuracy, NULL))
                assert_true(accuracy[0] >= 0 && accuracy[0] <= 1);
            allot_bundle_clear(&b);
        }
        file.at[at] = kept;
    }
    allot_buf_clear(&file);
}

static void missing_files_have_a_way_out(void **state)
{
    (void)state;
    allot_bundle b;
    allot_err err = {0};
    assert_int_equal(allot_bundle_load("/nowhere/x", &b, &err), ALLOT_ERUNTIME);
    assert_string_equal(err.msg,
                        "cannot read '/nowhere/x': No such file or directory (allot-export "
                        "writes it)");
    assert_int_not_equal(allot_bundle_load("/dev", &b, &err), ALLOT_OK);
    assert_int_equal(allot_bundle_load("/dev/null", &b, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "cannot read '/dev/null': 0 bytes are no safetensors file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_bundle_is_read),
        cmocka_unit_test(predictions_follow_the_formula),
        cmocka_unit_test(embeddings_must_be_finite),
        cmocka_unit_test(wrong_manifests_are_refused),
        cmocka_unit_test(a_calibration_needs_the_methods_of_its_set_only),
        cmocka_unit_test(wrong_tensors_are_refused),
        cmocka_unit_test(weights_must_be_finite),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(changed_bytes_do_no_harm),
        cmocka_unit_test(missing_files_have_a_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
