/* SPDX-License-Identifier: Apache-2.0 */
/* Each line in one piece, with the program's name before it. */
#include "lib/core/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int level;
static const char *program = "allot";

void allot_log_level(int l)
{
    level = l;
}

int allot_log_is_quiet(void)
{
    return level < 0;
}

void allot_log_program(const char *name)
{
    program = name;
}

/* One write per line, so that lines of several processes do not mix; a progress line gives way. */
__attribute__((format(printf, 2, 0))) static void say(const char *kind, const char *fmt, va_list ap)
{
    char line[2048];
    vsnprintf(line, sizeof line, fmt, ap);
    fprintf(stderr, "%s%s: %s%s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", program, kind, line);
}

#define SAY(least, kind)                                                                           \
    do {                                                                                           \
        if (level < (least)) return;                                                               \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        say(kind, fmt, ap);                                                                        \
        va_end(ap);                                                                                \
    } while (0)

void allot_log_info(const char *fmt, ...)
{
    SAY(0, "");
}

void allot_log_warn(const char *fmt, ...)
{
    SAY(0, "warning: ");
}

void allot_log_debug(const char *fmt, ...)
{
    SAY(1, "");
}

void allot_log_error(const char *fmt, ...)
{
    SAY(-1, "error: ");
}
