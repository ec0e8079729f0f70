/* SPDX-License-Identifier: Apache-2.0 */
/* A choice for people, as a row and as JSON. */
#include "select/selectreport.h"
#include <math.h>
#include <stdio.h>
#include "lib/core/json.h"

static double utility_of(const allot_choice *c, int s)
{
    double seconds = allot_decide_seconds(c->bundle, s);
    return allot_utility(c->rule, c->accuracy[s], c->bundle->costs.at[s].tokens.mean,
                         isnan(seconds) ? 0 : seconds);
}

/* A price, or "any number of" where a lambda of 0 makes it free. */
static void print_price(double lambda, const char *unit)
{
    if (lambda > 0) printf(" = %.6g %s", ALLOT_RATE_ACCURACY / lambda, unit);
    else printf(" = any number of %s", unit);
}

static void print_rate(const allot_rule *rule)
{
    printf("price      %g accuracy", ALLOT_RATE_ACCURACY);
    print_price(rule->lambda_per_token, "tokens");
    print_price(rule->lambda_per_second, "seconds");
    printf("\n");
}

static void print_seconds(double seconds)
{
    if (isnan(seconds)) printf("%10s", "-");
    else printf("%10.3f", seconds);
}

static void print_all(const allot_choice *c)
{
    char text[ALLOT_STRATEGY_TEXT];
    printf("\n  %-28s %8s %10s %10s %9s\n", "strategy", "accuracy", "tokens", "seconds", "utility");
    for (int s = 0; s < c->bundle->strategies.count; s++) {
        allot_strategy_print(&c->bundle->strategies.at[s], text);
        printf("%c %-28s %8.4f %10.1f ", s == c->chosen ? '*' : ' ', text, c->accuracy[s],
               c->bundle->costs.at[s].tokens.mean);
        print_seconds(allot_decide_seconds(c->bundle, s));
        printf(" %9.4f\n", utility_of(c, s));
    }
}

void allot_select_print_text(const allot_choice *c)
{
    char text[ALLOT_STRATEGY_TEXT];
    int s = c->chosen;
    allot_strategy_print(&c->bundle->strategies.at[s], text);
    printf("strategy   %s\n", text);
    printf("accuracy   %.4f predicted%s\n", c->accuracy[s],
           c->bundle->calibrated ? "" : ", not calibrated");
    printf("tokens     %.1f on average\n", c->bundle->costs.at[s].tokens.mean);
    if (c->bundle->costs.has_seconds)
        printf("seconds    %.3f on average, %d in flight\n", allot_decide_seconds(c->bundle, s),
               c->bundle->costs.load);
    else printf("seconds    not measured\n");
    printf("utility    %.4f\n", utility_of(c, s));
    print_rate(c->rule);
    if (c->all) print_all(c);
}

void allot_select_print_row(const allot_choice *c, const char *query)
{
    char text[ALLOT_STRATEGY_TEXT];
    int s = c->chosen;
    allot_strategy_print(&c->bundle->strategies.at[s], text);
    printf("%s\t%.4f\t%.1f\t%.3f\t%.4f\t", text, c->accuracy[s], c->bundle->costs.at[s].tokens.mean,
           allot_decide_seconds(c->bundle, s), utility_of(c, s));
    for (const char *p = query; *p; p++)
        putchar((unsigned char)*p < 0x20 ? ' ' : *p);
    putchar('\n');
}

static cJSON *describe(const allot_choice *c, int s)
{
    char text[ALLOT_STRATEGY_TEXT];
    cJSON *o = cJSON_CreateObject();
    allot_strategy_print(&c->bundle->strategies.at[s], text);
    cJSON_AddStringToObject(o, "strategy", text);
    allot_json_add_number(o, "accuracy", c->accuracy[s]);
    allot_json_add_number(o, "tokens", c->bundle->costs.at[s].tokens.mean);
    allot_json_add_number(o, "seconds", allot_decide_seconds(c->bundle, s));
    allot_json_add_number(o, "utility", utility_of(c, s));
    return o;
}

allot_code allot_select_print_json(const allot_choice *c, const allot_key *key, allot_err *err)
{
    char hex[65];
    cJSON *o = describe(c, c->chosen);
    allot_key_hex(key, hex);
    cJSON_AddStringToObject(o, "key", hex);
    cJSON_AddBoolToObject(o, "calibrated", c->bundle->calibrated);
    allot_decide_add_rate(o, c->rule);
    if (c->all) {
        cJSON *all = cJSON_AddArrayToObject(o, "all");
        for (int s = 0; s < c->bundle->strategies.count; s++)
            cJSON_AddItemToArray(all, describe(c, s));
    }
    allot_code rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}
