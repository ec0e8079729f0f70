/* SPDX-License-Identifier: Apache-2.0 */
/* gradeoptions.c - the words of the options, in both directions. */
#include "lib/extract/gradeoptions.h"
#include <stdio.h>
#include <string.h>

/* In the order of the enums; the presets' other names are those of datasets. */
static const allot_extract_preset preset_of[] = {
    ALLOT_PRESET_MATH, ALLOT_PRESET_BOXED, ALLOT_PRESET_GSM8K, ALLOT_PRESET_CHOICE,
    ALLOT_PRESET_MATH, ALLOT_PRESET_MATH,  ALLOT_PRESET_MATH,  ALLOT_PRESET_GSM8K};
static const char *const presets[] = {"math",    "boxed",    "gsm8k", "choice", "numina",
                                      "math500", "olympiad", "aime",  NULL},
                         *const percents[] = {"either", "value", "lenient", NULL},
                         *const orders[] = {"any", "strict", NULL},
                         *const decimals[] = {"close", "exact", "rounded", NULL},
                         *const units[] = {"drop", "keep", NULL};

static allot_code choose(const char *option, const char *word, const char *const *known, int *out,
                         allot_err *err)
{
    char list[96] = "";
    for (int i = 0; known[i]; i++) {
        size_t n = strlen(list);
        if (strcmp(word, known[i]) == 0) {
            *out = i;
            return ALLOT_OK;
        }
        snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", known[i]);
    }
    return allot_fail(err, ALLOT_EUSAGE, "--%s: '%.40s' is none of %s", option, word, list);
}

allot_code allot_grade_parse(const allot_grade_words *w, allot_grade_options *out, allot_err *err)
{
    int at[5];
    allot_code code = choose("extract", w->extract, presets, &at[0], err);
    if (!code) code = choose("percent", w->percent, percents, &at[1], err);
    if (!code) code = choose("order", w->order, orders, &at[2], err);
    if (!code) code = choose("decimals", w->decimals, decimals, &at[3], err);
    if (!code) code = choose("units", w->units, units, &at[4], err);
    if (code) return code;
    *out = (allot_grade_options){.extract = preset_of[at[0]],
                                 .last_number = w->last_number,
                                 .policies = {.percent = (allot_percent_policy)at[1],
                                              .order = (allot_order_policy)at[2],
                                              .decimals = (allot_decimals_policy)at[3],
                                              .units = (allot_units_policy)at[4]}};
    return ALLOT_OK;
}

void allot_grade_describe(const allot_grade_options *o, char out[ALLOT_GRADE_TEXT])
{
    const struct {
        const char *name, *const *words;
        int value;
    } rows[] = {{"extract", presets, (int)o->extract},
                {"percent", percents, (int)o->policies.percent},
                {"order", orders, (int)o->policies.order},
                {"decimals", decimals, (int)o->policies.decimals},
                {"units", units, (int)o->policies.units}};
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value)
            n += (size_t)snprintf(out + n, ALLOT_GRADE_TEXT - n, "%s%s %s", n ? ", " : "",
                                  rows[i].name, rows[i].words[rows[i].value]);
    if (o->last_number) snprintf(out + n, ALLOT_GRADE_TEXT - n, "%slast number", n ? ", " : "");
}

const char *allot_extract_name(allot_extract_how how)
{
    static const char *const names[ALLOT_N_EXTRACT] = {"none", "boxed", "phrase", "last number",
                                                       "choice"};
    return names[how];
}
