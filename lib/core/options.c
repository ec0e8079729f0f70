/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of options to popt's tables, strict parsers of values, the texts of --help, and the frame
 * of main(). */
#include "lib/core/options.h"
#include <errno.h>
#include <math.h>
#include <popt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "liballot/mem.h"

/* ---- strict numbers ---- */

allot_code allot_parse_long(const char *text, const char *what, long min, long max, long *out,
                            allot_err *err)
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (end == text || *end || errno || (*text != '-' && (*text < '0' || *text > '9')))
        return allot_fail(err, ALLOT_EUSAGE, "%s: '%s' is not a whole number", what, text);
    if (v < min || v > max)
        return allot_fail(err, ALLOT_EUSAGE, "%s: %ld is not within %ld to %ld", what, v, min, max);
    *out = v;
    return ALLOT_OK;
}

allot_code allot_parse_double(const char *text, const char *what, double min, double max,
                              double *out, allot_err *err)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || *text == ' ' || !isfinite(v))
        return allot_fail(err, ALLOT_EUSAGE, "%s: '%s' is not a finite number", what, text);
    if (v < min || v > max)
        return allot_fail(err, ALLOT_EUSAGE, "%s: %g is not within %g to %g", what, v, min, max);
    *out = v;
    return ALLOT_OK;
}

allot_code allot_parse_longs(const char *text, const char *what, long min, long max, long *out,
                             int capacity, int *n, allot_err *err)
{
    *n = 0;
    while (1) {
        size_t len = strcspn(text, ",");
        char one[32];
        if (len >= sizeof one || *n == capacity)
            return allot_fail(err, ALLOT_EUSAGE, "%s: not a list of at most %d numbers", what,
                              capacity);
        memcpy(one, text, len);
        one[len] = '\0';
        allot_code rc = allot_parse_long(one, what, min, max, &out[(*n)++], err);
        if (rc || text[len] == '\0') return rc;
        text += len + 1;
    }
}

/* ---- one command line ---- */

/* Strings that options point to, kept until the program ends. */
typedef struct {
    char **at;
    size_t n, capacity;
} keep;

static const char *keep_text(keep *k, char *text, allot_err *err)
{
    void *p = k->at;
    if (allot_mem_grow(&p, &k->capacity, k->n + 1, sizeof *k->at, err)) {
        free(text);
        return NULL;
    }
    k->at = p;
    return k->at[k->n++] = text;
}

static allot_code add_to_list(allot_list *list, const char *text, allot_err *err)
{
    const char **grown = allot_mem_array((size_t)list->n + 1, sizeof *grown, err);
    if (!grown) return ALLOT_ERUNTIME;
    if (list->n) memcpy(grown, list->at, (size_t)list->n * sizeof *grown);
    grown[list->n++] = text;
    free(list->at);
    list->at = grown;
    return ALLOT_OK;
}

static allot_code set_value(const allot_option *o, const char *text, allot_err *err)
{
    char what[80];
    snprintf(what, sizeof what, "--%s", o->name);
    int bounded = o->min != 0 || o->max != 0;
    long v = 0;
    switch (o->kind) {
    case ALLOT_OPT_FLAG:
        *(int *)o->target = 1;
        return ALLOT_OK;
    case ALLOT_OPT_DOUBLE:
        return allot_parse_double(text, what, bounded ? o->min : -INFINITY,
                                  bounded ? o->max : INFINITY, o->target, err);
    case ALLOT_OPT_INT:
    case ALLOT_OPT_LONG: {
        int is_int = o->kind == ALLOT_OPT_INT;
        long low = bounded ? (long)o->min : is_int ? -2147483647L : -0x7fffffffffffffffL;
        long high = bounded ? (long)o->max : is_int ? 2147483647L : 0x7fffffffffffffffL;
        allot_code rc = allot_parse_long(text, what, low, high, &v, err);
        if (rc) return rc;
        if (is_int) *(int *)o->target = (int)v;
        else *(long *)o->target = v;
        return ALLOT_OK;
    }
    case ALLOT_OPT_STRING:
    case ALLOT_OPT_NEEDED:
    case ALLOT_OPT_LIST:
        if (!*text) return allot_fail(err, ALLOT_EUSAGE, "%s: an empty value", what);
        if (o->kind == ALLOT_OPT_LIST) return add_to_list(o->target, text, err);
        *(const char **)o->target = text;
        return ALLOT_OK;
    }
    return ALLOT_OK;
}

enum { N_COMMON = 7 };

typedef struct {
    allot_common values;
    int help, version;
} common_targets;

static void common_options(common_targets *t, allot_option out[N_COMMON])
{
    const allot_option rows[N_COMMON] = {
        {"json", ALLOT_OPT_FLAG, &t->values.json, NULL, "print one JSON object on stdout", 0, 0},
        {"quiet", ALLOT_OPT_FLAG, &t->values.quiet, NULL, "no talk on stderr but errors", 0, 0},
        {"verbose", ALLOT_OPT_FLAG, &t->values.verbose, NULL, "more talk on stderr", 0, 0},
        {"seed", ALLOT_OPT_LONG, &t->values.seed, "N", "seed of everything random", 0, 0x1p53},
        {"threads", ALLOT_OPT_INT, &t->values.threads, "N", "worker threads", 1, 1024},
        {"help", ALLOT_OPT_FLAG, &t->help, NULL, "show this help and exit", 0, 0},
        {"version", ALLOT_OPT_FLAG, &t->version, NULL, "show the version and exit", 0, 0},
    };
    memcpy(out, rows, sizeof rows);
}

typedef char default_text[128]; /* " (default: 8)" */

static int count_options(const allot_option *o)
{
    int n = 0;
    while (o && o[n].name)
        n++;
    return n;
}

/* "--max_tokens=3" means "--max-tokens=3": peers write both. */
static char *with_dashes(const char *arg, allot_err *err)
{
    char *copy = allot_mem_text(arg, strlen(arg), err);
    if (copy && strncmp(copy, "--", 2) == 0)
        for (char *c = copy; *c && *c != '='; c++)
            if (*c == '_') *c = '-';
    return copy;
}

/* popt splits the words; the values are ours to judge. rows [n] are the options by popt's val - 1.
 */
static allot_code parse_with_popt(poptContext popt, const allot_option *rows, keep *kept,
                                  allot_common *common, allot_err *err)
{
    int val;
    while ((val = poptGetNextOpt(popt)) > 0) {
        const allot_option *o = &rows[val - 1];
        const char *text = "";
        if (o->kind != ALLOT_OPT_FLAG) {
            char *value = poptGetOptArg(popt);
            if (!value) allot_mem_short(); /* popt has seen to it that there is one */
            if (!value || !(text = keep_text(kept, value, err)))
                return allot_fail(err, ALLOT_ERUNTIME, "out of memory for the options");
        }
        allot_code rc = set_value(o, text, err);
        if (rc) return rc;
    }
    if (val < -1)
        return allot_fail(err, ALLOT_EUSAGE, "%s: %s (--help lists the options)",
                          poptBadOption(popt, POPT_BADOPTION_NOALIAS),
                          val == POPT_ERROR_BADOPT ? "unknown option" : poptStrerror(val));
    const char *arg;
    allot_list args = {0};
    while ((arg = poptGetArg(popt))) {
        char *copy = allot_mem_text(arg, strlen(arg), err);
        if (!copy || !(arg = keep_text(kept, copy, err)) || add_to_list(&args, arg, err)) {
            free(args.at);
            return ALLOT_ERUNTIME;
        }
    }
    common->args = args.at;
    common->n_args = args.n;
    return ALLOT_OK;
}

static allot_code parse(const allot_option *rows, int n, int argc, char **argv, keep *kept,
                        allot_common *common, allot_err *err)
{
    struct poptOption *table = allot_mem_array((size_t)n + 1, sizeof *table, err);
    const char **words = allot_mem_array((size_t)argc + 1, sizeof *words, err);
    allot_code rc = table && words ? ALLOT_OK : ALLOT_ERUNTIME;
    for (int i = 0; !rc && i < n; i++)
        table[i] = (struct poptOption){.longName = rows[i].name,
                                       .argInfo = rows[i].kind == ALLOT_OPT_FLAG ? POPT_ARG_NONE
                                                                                 : POPT_ARG_STRING,
                                       .val = i + 1};
    for (int i = 0; !rc && i < argc; i++) {
        char *word = with_dashes(argv[i], err);
        if (!word || !(words[i] = keep_text(kept, word, err))) rc = ALLOT_ERUNTIME;
    }
    if (!rc) {
        poptContext popt = poptGetContext(NULL, argc, words, table, 0);
        rc = parse_with_popt(popt, rows, kept, common, err);
        poptFreeContext(popt);
    }
    free(table);
    free(words);
    return rc;
}

/* The first option of kind ALLOT_OPT_NEEDED that was not given. */
static const allot_option *find_missing(const allot_option *o)
{
    for (; o && o->name; o++)
        if (o->kind == ALLOT_OPT_NEEDED && !*(const char **)o->target) return o;
    return NULL;
}

/* ---- help ---- */

/* Paragraphs (one a line of text) in lines of at most 80 columns. */
static void print_wrapped(const char *text)
{
    while (*text) {
        size_t line = strcspn(text, "\n"), n = line;
        if (n > 80) {
            n = 80;
            while (n > 0 && text[n] != ' ')
                n--;
            if (n == 0) n = line; /* one long word */
        }
        printf("%.*s\n", (int)n, text);
        text += n;
        if (*text) text++;
    }
}

/* A text as it would be typed: a line break is '\n'. */
static void print_text_default(const char *text, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, " (default: ");
    for (; *text && n + 4 < size; text++)
        if (*text == '\n' || *text == '\t')
            n += (size_t)snprintf(out + n, size - n, "\\%c", *text == '\n' ? 'n' : 't');
        else out[n++] = *text;
    snprintf(out + n, size - n, ")");
}

/* What an option is unless given, as in " (default: 8)"; "" where there is nothing to tell. */
static void print_default(const allot_option *o, const void *from, char *out, size_t size)
{
    int bounded = o->min != 0 || o->max != 0, is_real = o->kind == ALLOT_OPT_DOUBLE;
    const char *text = o->kind == ALLOT_OPT_STRING ? *(const char *const *)from : NULL;
    if (text && *text) print_text_default(text, out, size);
    if (!is_real && o->kind != ALLOT_OPT_INT && o->kind != ALLOT_OPT_LONG) return;
    double x = is_real                    ? *(const double *)from
               : o->kind == ALLOT_OPT_INT ? *(const int *)from
                                          : (double)*(const long *)from;
    if (isfinite(x) && (!bounded || (x >= o->min && x <= o->max)))
        snprintf(out, size, " (default: %.15g)", x);
}

/* The row as it is read, and its default before anything was. */
static void prepare(allot_option *o, default_text otherwise)
{
    const void *from = o->target;
    if (o->kind & ALLOT_OPT_APART) {
        const allot_opt_apart *apart = o->target;
        o->kind = (allot_option_kind)(o->kind - ALLOT_OPT_APART);
        o->target = apart->target;
        from = apart->otherwise;
    }
    otherwise[0] = '\0';
    if (from) print_default(o, from, otherwise, sizeof(default_text));
}

static void print_option(const allot_option *o, const char *otherwise)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument ? "=" : "",
             o->argument ? o->argument : "");
    if (strlen(left) > 26) printf("  %s\n%30s%s%s\n", left, "", o->help, otherwise);
    else printf("  %-26s  %s%s\n", left, o->help, otherwise);
}

/* otherwise: the defaults of all options, noted before the command line was read. */
static void print_help(const char *program, const allot_command *c, const allot_option *rows,
                       const default_text *otherwise)
{
    int n_own = count_options(c->options);
    printf("Usage: %s%s%s %s\n\n", program, c->name ? " " : "", c->name ? c->name : "", c->usage);
    print_wrapped(c->about);
    if (n_own) printf("\nOptions:\n");
    for (int i = 0; i < n_own; i++)
        print_option(&rows[i], otherwise[i]);
    printf("\nOptions of every allot program:\n");
    for (int i = n_own; i < n_own + N_COMMON; i++)
        print_option(&rows[i], otherwise[i]);
    if (c->examples) printf("\nExamples:\n%s\n", c->examples);
    printf("\nExit codes: 0 ok, 1 runtime, 2 usage, 3 partial, 4 malformed input,\n"
           "5 inputs that do not belong together, 6 server, 130 interrupted.\n");
}

static void print_commands(const char *program, const char *about, const allot_command *commands,
                           int n)
{
    printf("Usage: %s COMMAND [OPTION...] [ARGUMENT...]\n\n", program);
    print_wrapped(about);
    printf("\nCommands:\n");
    for (int i = 0; i < n; i++) {
        int first_line = (int)strcspn(commands[i].about, "\n");
        printf("  %-18s  %.*s\n", commands[i].name, first_line, commands[i].about);
    }
    printf("\n'%s COMMAND --help' tells more of each.\n", program);
}

/* ---- the frame ---- */

/* What the command line asks for, once it is read. */
static allot_code act(const char *program, const allot_command *c, const common_targets *t,
                      allot_err *err)
{
    const allot_common *values = &t->values;
    const char *space = c->name ? " " : "", *name = c->name ? c->name : "";
    if (t->version) {
        printf("%s %s\n", program, ALLOT_VERSION);
        return ALLOT_OK;
    }
    if (values->n_args < c->min_args || (c->max_args >= 0 && values->n_args > c->max_args))
        return allot_fail(err, ALLOT_EUSAGE, "%s arguments (usage: %s%s%s %s)",
                          values->n_args < c->min_args ? "missing" : "too many", program, space,
                          name, c->usage);
    if (find_missing(c->options))
        return allot_fail(err, ALLOT_EUSAGE, "--%s is missing (usage: %s%s%s %s)",
                          find_missing(c->options)->name, program, space, name, c->usage);
    allot_log_level(values->quiet ? -1 : values->verbose ? 1 : 0);
    return c->run(values, err);
}

static allot_code run_command(const char *program, const allot_command *c, int argc, char **argv,
                              keep *kept, allot_err *err)
{
    common_targets t = {.values = {.seed = 1, .threads = 1}};
    int n_own = count_options(c->options), n = n_own + N_COMMON;
    allot_option *rows = allot_mem_array((size_t)n, sizeof *rows, err);
    default_text *otherwise = allot_mem_array((size_t)n, sizeof *otherwise, err);
    allot_code rc = rows && otherwise ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc) {
        if (n_own) memcpy(rows, c->options, (size_t)n_own * sizeof *rows);
        common_options(&t, rows + n_own);
        for (int i = 0; i < n; i++)
            prepare(&rows[i], otherwise[i]);
        rc = parse(rows, n, argc, argv, kept, &t.values, err);
    }
    if (!rc && t.help) print_help(program, c, rows, otherwise);
    else if (!rc) rc = act(program, c, &t, err);
    free(rows);
    free(otherwise);
    free(t.values.args);
    return rc;
}

static allot_code dispatch(const char *program, const char *about, const allot_command *commands,
                           int n, int argc, char **argv, keep *kept, allot_err *err)
{
    if (n == 1 && !commands[0].name)
        return run_command(program, &commands[0], argc, argv, kept, err);
    if (argc < 2)
        return allot_fail(err, ALLOT_EUSAGE, "missing command ('%s --help' lists them)", program);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_commands(program, about, commands, n);
        return ALLOT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", program, ALLOT_VERSION);
        return ALLOT_OK;
    }
    for (int i = 0; i < n; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run_command(program, &commands[i], argc - 1, argv + 1, kept, err);
    return allot_fail(err, ALLOT_EUSAGE, "'%s' is no command of %s ('%s --help' lists them)",
                      argv[1], program, program);
}

/* What was made while memory ran out may lack a part, whatever the calls in between made of it. A
 * library's shortage shows in errno only, and only matters where the command failed. */
static allot_code check_memory(allot_code rc, allot_err *err)
{
    int short_of_it = allot_mem_shortages() > 0 || (rc && errno == ENOMEM);
    if (!short_of_it || strstr(err->msg, "out of memory")) return rc;
    if (rc) return allot_fail(err, rc, "out of memory (and then: %s)", err->msg);
    return allot_fail(err, ALLOT_ERUNTIME, "out of memory on the way: the result may lack a part");
}

static int finished; /* allot_main has come to its end */

/* libhdf5 calls exit() when it cannot have memory for an id of its own. */
static void on_exit_elsewhere(void)
{
    if (finished) return;
    allot_interrupt_clean();
    allot_log_error("a library ended the program, as it does when out of memory");
}

int allot_main(const char *program, const char *about, const allot_command *commands,
               int n_commands, int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write, reported below */
    allot_log_program(program);
    (void)atexit(on_exit_elsewhere);
    allot_json_count_shortages();
    allot_inputs_watch();
    allot_interrupt_install(program);
    keep kept = {0};
    allot_err err = {0};
    errno = 0;
    allot_code rc = dispatch(program, about, commands, n_commands, argc, argv, &kept, &err);
    if (fflush(stdout) || ferror(stdout)) {
        allot_code write_rc =
            allot_fail(rc ? NULL : &err, ALLOT_ERUNTIME, "cannot write to stdout");
        if (!rc) rc = write_rc;
    }
    rc = check_memory(rc, &err);
    if (rc && err.msg[0]) allot_log_error("%s", err.msg);
    for (size_t i = 0; i < kept.n; i++)
        free(kept.at[i]);
    free(kept.at);
    finished = 1;
    return (int)rc;
}
