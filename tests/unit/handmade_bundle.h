/* SPDX-License-Identifier: Apache-2.0 */
/* handmade_bundle.h - a small bundle, byte for byte, with any of its words replaced. */
#ifndef ALLOT_HANDMADE_BUNDLE_H
#define ALLOT_HANDMADE_BUNDLE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "liballot/allot.h"
#include "liballot/checksum.h"

/* D = 3, H1 = 2, H2 = 2, two strategies; P = 8 in the default layout. */
enum { D = 3, P = 8, H = 2, S = 2 };
enum { AT_INTERACTION = 2 * D + 2 + S };
enum { N_WEIGHTS = 2 * D + 2 + S + 1 + H * (D + 1) + H * P + H + H * H + H + H + 1 };

static const char strategies[] = "\"single\",\"bon@8\"";

static const char *slopes = "{\"single\":1,\"majority\":1,\"bon\":2,\"weighted\":1,\"beam\":1,"
                            "\"named\":1}";
static const char *shifts = "{\"single\":0,\"majority\":0,\"bon\":0.5,\"weighted\":0,"
                            "\"beam\":0,\"named\":0}";

static void manifest(allot_buf *b)
{
    static const char stat[] =
        "{\"mean\":300,\"se\":1,\"p50\":290,\"p90\":400,\"p95\":null,\"p99\":null,\"n\":9}";
    uint64_t id = allot_fnv1a(ALLOT_FNV_START, "single\nbon@8", 12);
    allot_buf_printf(b,
                     "{\"schema\":\"allot-bundle\",\"version\":2,\"tool_version\":\"0\","
                     "\"strategies\":[%s],\"strategy_set_id\":\"%016" PRIx64 "\","
                     "\"layout\":\"default\",\"hidden\":[2,2],",
                     strategies, id);
    allot_buf_printf(b,
                     "\"embedding\":{\"model\":\"m\",\"id\":\"0123456789abcdef\","
                     "\"dimension\":3,\"pooling\":\"last\",\"prefix\":\"Q: \",\"normalized\":true},"
                     "\"calibration\":{\"fitted\":true,\"a\":%s,\"b\":%s},",
                     slopes, shifts);
    allot_buf_printf(b,
                     "\"costs\":{\"load\":1,\"has_seconds\":true,\"strategies\":["
                     "{\"strategy\":\"single\",\"tokens\":%s,\"seconds\":%s},"
                     "{\"strategy\":\"bon@8\",\"tokens\":%s,\"seconds\":%s}]},",
                     stat, stat, stat, stat);
    allot_buf_printf(b, "\"fingerprint\":{},\"hardware\":{},\"metric\":\"accuracy\","
                        "\"split_id\":\"0123456789abcdef\",\"training\":{},\"provenance\":{}}");
}

static void tensor(allot_buf *b, const char *name, int rows, int columns, size_t *offset)
{
    size_t n = (size_t)rows * (size_t)(columns ? columns : 1) * 4;
    allot_buf_printf(b, ",\"probe.%s\":{\"dtype\":\"F32\",\"shape\":[%d", name, rows);
    if (columns) allot_buf_printf(b, ",%d", columns);
    allot_buf_printf(b, "],\"data_offsets\":[%zu,%zu]}", *offset, *offset + n);
    *offset += n;
}

/* The manifest is a JSON text inside a JSON text. */
static void header(allot_buf *b, const char *manifest_text)
{
    size_t offset = 0;
    allot_buf_str(b, "{\"__metadata__\":{\"allot\":\"");
    for (const char *c = manifest_text; *c; c++)
        allot_buf_printf(b, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
    allot_buf_str(b, "\"}");
    tensor(b, "mean", D, 0, &offset);
    tensor(b, "scale", D, 0, &offset);
    tensor(b, "length_norm", 2, 0, &offset);
    tensor(b, "offset", S, 0, &offset);
    tensor(b, "interaction", 1, 0, &offset);
    tensor(b, "w1_query", H, D + 1, &offset);
    tensor(b, "w1_strategy", H, P, &offset);
    tensor(b, "b1", H, 0, &offset);
    tensor(b, "w2", H, H, &offset);
    tensor(b, "b2", H, 0, &offset);
    tensor(b, "w3", H, 0, &offset);
    tensor(b, "b3", 1, 0, &offset);
    allot_buf_str(b, "}");
    assert_int_equal(offset, 4 * N_WEIGHTS);
}

/* All weights of the file, in its order. */
static double weight(int i)
{
    return i == AT_INTERACTION ? 0.25 : sin(i + 1);
}

static void assemble(allot_buf *file, const char *header_text, int n_weights)
{
    uint64_t n = strlen(header_text);
    allot_buf_add(file, &n, 8);
    allot_buf_add(file, header_text, n);
    for (int i = 0; i < n_weights; i++) {
        float w = (float)weight(i);
        allot_buf_add(file, &w, 4);
    }
    assert_int_equal(allot_buf_check(file, NULL), ALLOT_OK);
}

/* The good file with the first `from` in the manifest, or else in the header, replaced by `to`. */
static void make_file(allot_buf *file, const char *from, const char *to)
{
    allot_buf parts[2] = {{0}, {0}};
    int replaced = from == NULL;
    for (int i = 0; i < 2; i++) {
        allot_buf whole = {0};
        if (i == 0) manifest(&whole);
        else header(&whole, parts[0].at);
        char *at = replaced ? NULL : strstr(whole.at, from);
        if (at) {
            allot_buf_add(&parts[i], whole.at, (size_t)(at - whole.at));
            allot_buf_str(&parts[i], to);
            allot_buf_str(&parts[i], at + strlen(from));
            replaced = 1;
        } else {
            allot_buf_str(&parts[i], whole.at);
        }
        allot_buf_clear(&whole);
    }
    if (!replaced) fail_msg("there is no '%s' to replace", from);
    assemble(file, parts[1].at, N_WEIGHTS);
    allot_buf_clear(&parts[0]);
    allot_buf_clear(&parts[1]);
}
#endif
