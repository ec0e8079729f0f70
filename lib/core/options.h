/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - command lines: one table row per option, strict values, the options every program
 * has (--help --version --json --quiet --verbose --seed --threads), and the frame of main().
 * Underscores in long option names are read as dashes.
 * A default stands once: --help prints "(default: X)" from what the target holds before options are
 * read, or where the default is instead. Nothing is printed for NULL, "", and numbers outside the
 * bounds, which mean unset: what holds then is said in the help, as "(else ...)". */
#ifndef ALLOT_OPTIONS_H
#define ALLOT_OPTIONS_H
#include <stdint.h>
#include "lib/core/interrupt.h" /* allot_interrupted, for the loops of programs */
#include "lib/core/outputs.h"
#include "liballot/err.h"

typedef enum {
    ALLOT_OPT_FLAG,   /* int *: set to 1 */
    ALLOT_OPT_INT,    /* int *, within [min, max] */
    ALLOT_OPT_LONG,   /* long *, within [min, max] */
    ALLOT_OPT_DOUBLE, /* double *, finite, within [min, max] */
    ALLOT_OPT_STRING, /* const char **, borrowed until the program ends, not empty */
    ALLOT_OPT_NEEDED, /* the same, and without it the command is refused */
    ALLOT_OPT_LIST    /* allot_list *: may be given several times */
} allot_option_kind;

typedef struct {
    const char **at; /* [n], borrowed strings; the caller frees the array */
    int n;
} allot_list;

/* Where the program wants to tell whether an option was given, its target starts unset and the
 * default stands elsewhere: kind + ALLOT_OPT_APART, and the row's target is one of these. */
#define ALLOT_OPT_APART 16
typedef struct {
    void *target;
    const void *otherwise; /* the default, of the target's type; NULL = what --help does not know */
} allot_opt_apart;
/* The row's kind and target: {"lr", ALLOT_OPT_ELSE(DOUBLE, &lr, &fit_default.lr), "X", ...}. */
#define ALLOT_OPT_ELSE(kind, target, otherwise)                                                    \
    (allot_option_kind)(ALLOT_OPT_##kind + ALLOT_OPT_APART), &(allot_opt_apart)                    \
    {                                                                                              \
        target, otherwise                                                                          \
    }

typedef struct {
    const char *name; /* long name without dashes */
    allot_option_kind kind;
    void *target;         /* keeps its value (the default) when the option is absent */
    const char *argument; /* e.g. "FILE"; NULL for flags */
    const char *help;     /* one line, without the default, which --help prints behind it */
    double min, max;      /* both 0: any value that the type holds */
} allot_option;

typedef struct {
    int json; /* --json: one JSON object on stdout */
    int quiet;
    int verbose;
    long seed;         /* --seed, default 1 */
    int threads;       /* --threads, default 1; >= 1 */
    const char **args; /* [n_args] what is left after the options; freed by the frame */
    int n_args;
} allot_common;

/* The row of a command that writes files: what is there is replaced only if it is of the same kind.
 */
#define ALLOT_FORCE_ROW                                                                            \
    {                                                                                              \
        "force", ALLOT_OPT_FLAG, &allot_output_force, NULL,                                        \
            "replace an existing output even if it is something else", 0, 0                        \
    }

/* A program or one of its subcommands. run gets the parsed common options; its options are in the
 * targets of the table. It returns the exit code and writes its result to stdout; the frame prints
 * err and checks that stdout could be written. */
typedef struct {
    const char *name;            /* "import"; NULL for a program without subcommands */
    const char *usage;           /* "[OPTION...] INPUT.jsonl OUTPUT.h5" */
    const char *about;           /* sentences for --help; '\n' separates paragraphs */
    const allot_option *options; /* ends with a row whose name is NULL; may be NULL */
    int min_args, max_args;      /* max -1: no limit */
    allot_code (*run)(const allot_common *common, allot_err *err);
    const char *examples; /* command lines, one a line; shown by --help; may be NULL */
} allot_command;

/* The frame of main: picks the command, parses, runs, prints the error, returns the exit code. */
int allot_main(const char *program, const char *about, const allot_command *commands,
               int n_commands, int argc, char **argv);

/* Strict numbers: the whole text, finite, in range; what: names the thing in messages. */
ALLOT_MUST_CHECK allot_code allot_parse_long(const char *text, const char *what, long min, long max,
                                             long *out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_parse_double(const char *text, const char *what, double min,
                                               double max, double *out, allot_err *err);
/* Comma-separated numbers ("1,8,32") into out[max]; *n of them. */
ALLOT_MUST_CHECK allot_code allot_parse_longs(const char *text, const char *what, long min,
                                              long max, long *out, int capacity, int *n,
                                              allot_err *err);

#endif
