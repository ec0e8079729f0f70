/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the engine, by their table: defaults, bounds, and the way into a fingerprint and
 * back. */
#include "lib/engine/settings.h"
#include <stdint.h>
#include <string.h>
#include "lib/store/fingerprint.h"

typedef enum { STRING, LITERAL, INT, LONG, DOUBLE, FLAG, LIST } kind_of;

typedef struct {
    const char *option, *name; /* name: in the fingerprint; NULL if it is not there */
    kind_of kind;
    allot_setting_role role;
    size_t at; /* offset in allot_engine_config */
    double min, max;
} setting;

#define ROW(c, kind, field, otherwise, role, name, option, argument, help, min, max)               \
    {                                                                                              \
        option, name, kind, ALLOT_SETTING_##role, offsetof(allot_engine_config, field), min, max   \
    }
static const setting table[] = {ALLOT_SETTINGS(ROW, )};
enum { N_SETTINGS = sizeof table / sizeof *table };

#define DEFAULT(c, kind, field, otherwise, ...) .field = otherwise
const allot_engine_config allot_engine_default = {ALLOT_SETTINGS(DEFAULT, ), .seed = 1};

void allot_engine_defaults(allot_engine_config *c)
{
    *c = allot_engine_default;
}

static int is_text(const setting *s)
{
    return s->kind == STRING || s->kind == LITERAL;
}

static const char *text_of(const allot_engine_config *c, const setting *s)
{
    return *(const char *const *)((const char *)c + s->at);
}

static double number_of(const allot_engine_config *c, const setting *s)
{
    const void *at = (const char *)c + s->at;
    return s->kind == DOUBLE ? *(const double *)at
           : s->kind == LONG ? (double)*(const long *)at
                             : *(const int *)at;
}

static void set_number(allot_engine_config *c, const setting *s, double value)
{
    void *at = (char *)c + s->at;
    if (s->kind == DOUBLE) *(double *)at = value;
    else if (s->kind == LONG) *(long *)at = (long)value;
    else *(int *)at = (int)value;
}

static void set_text(allot_engine_config *c, const setting *s, const char *text)
{
    *(const char **)((char *)c + s->at) = text;
}

/* A shell or a makefile passes a line break most easily as the two characters '\n'. The result is
 * never longer, and option strings belong to the option parser, which made them writable. */
static void unescape(const char *text)
{
    char *to = (char *)(uintptr_t)text;
    for (const char *from = text; *from; from++) {
        if (from[0] == '\\' && (from[1] == 'n' || from[1] == 't' || from[1] == '\\')) {
            from++;
            *to++ = *from == 'n' ? '\n' : *from == 't' ? '\t' : '\\';
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

void allot_settings_take(const allot_engine_config *given, allot_engine_config *config)
{
    for (const setting *s = table; s < table + N_SETTINGS; s++) {
        if (s->kind == LIST) continue;
        if (!is_text(s)) {
            double value = number_of(given, s);
            if (s->kind == FLAG ? value != 0 : value >= 0) set_number(config, s, value);
        } else if (text_of(given, s)) {
            if (s->kind == LITERAL) unescape(text_of(given, s));
            set_text(config, s, text_of(given, s));
        }
    }
    if (given->headers.n) config->headers = given->headers;
}

allot_code allot_settings_check(const allot_engine_config *config, allot_err *err)
{
    for (const setting *s = table; s < table + N_SETTINGS; s++) {
        if (!s->name || is_text(s)) continue;
        double value = number_of(config, s);
        if (!(value >= s->min && value <= s->max))
            return allot_fail(err, ALLOT_EUSAGE, "%s: %g is not within %g to %g", s->option, value,
                              s->min, s->max);
    }
    return ALLOT_OK;
}

void allot_settings_to_fingerprint(const allot_engine_config *config, int has_prm, cJSON *out)
{
    for (const setting *s = table; s < table + N_SETTINGS; s++) {
        if (!s->name) continue;
        int absent = !has_prm && strncmp(s->name, "prm", 3) == 0;
        const char *text = is_text(s) && !absent ? text_of(config, s) : NULL;
        if (is_text(s)) cJSON_AddStringToObject(out, s->name, text ? text : "");
        else cJSON_AddNumberToObject(out, s->name, number_of(config, s));
    }
    (void)!allot_fingerprint_check(out, "", NULL); /* sorts; missing memory is counted */
}

allot_code allot_settings_from_fingerprint(const cJSON *fingerprint, const char *where,
                                           allot_engine_config *config, allot_err *err)
{
    for (const setting *s = table; s < table + N_SETTINGS; s++) {
        if (s->role != ALLOT_SETTING_SENT) continue;
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(fingerprint, s->name);
        if (is_text(s) && cJSON_IsString(item) && item->valuestring[0])
            set_text(config, s, item->valuestring);
        if (is_text(s) || !cJSON_IsNumber(item)) continue;
        if (!(item->valuedouble >= s->min && item->valuedouble <= s->max))
            return allot_fail(err, ALLOT_EINPUT,
                              "%s: %s of the fingerprint is %g, not within %g to %g", where,
                              s->name, item->valuedouble, s->min, s->max);
        set_number(config, s, item->valuedouble);
    }
    return ALLOT_OK;
}
