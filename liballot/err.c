/* SPDX-License-Identifier: Apache-2.0 */
/* Formats messages that are safe to show on a terminal. */
#include "err.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Messages quote names and texts from files and servers: no control character reaches a terminal,
 * and a cut never leaves half a UTF-8 sequence at the end. */
static void sanitize(char *msg)
{
    for (char *c = msg; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    size_t n = strlen(msg);
    if (n < ALLOT_ERR_MAX - 1) return;
    size_t lead = n;
    while (lead > 0 && ((unsigned char)msg[lead - 1] & 0xc0) == 0x80)
        lead--;
    if (lead > 0 && ((unsigned char)msg[lead - 1] & 0xc0) == 0xc0) msg[lead - 1] = '\0';
}

allot_code allot_fail(allot_err *err, allot_code code, const char *fmt, ...)
{
    if (!err) return code;
    char msg[ALLOT_ERR_MAX]; /* an argument may be err->msg itself */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    sanitize(msg);
    memcpy(err->msg, msg, sizeof msg);
    err->code = code;
    return code;
}

allot_code allot_fail_in(allot_err *err, const char *fmt, ...)
{
    if (!err) return ALLOT_ERUNTIME;
    char prefix[ALLOT_ERR_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(prefix, sizeof prefix, fmt, ap);
    va_end(ap);
    return allot_fail(err, err->code, "%s: %s", prefix, err->msg);
}
