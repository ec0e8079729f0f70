/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - the one error convention: a return code, which is also the exit code of a program, and a
 * message in a struct of the caller. A message says what, where, why and the way out, in lower
 * case, without full stop, the subject in quotes. */
#ifndef ALLOT_ERR_H
#define ALLOT_ERR_H

typedef enum {
    ALLOT_OK = 0,
    ALLOT_ERUNTIME = 1,  /* the system failed: disk, memory, network */
    ALLOT_EUSAGE = 2,    /* a wrong option or argument */
    ALLOT_EPARTIAL = 3,  /* finished, but some rows failed */
    ALLOT_EINPUT = 4,    /* a file or value is malformed */
    ALLOT_EMISMATCH = 5, /* well-formed inputs that do not belong together */
    ALLOT_ESERVER = 6,   /* a server refused, failed or answered nonsense */
    ALLOT_EINTR = 130    /* interrupted by SIGINT or SIGTERM */
} allot_code;

#define ALLOT_ERR_MAX 1024

typedef struct {
    allot_code code;
    char msg[ALLOT_ERR_MAX]; /* NUL-terminated, one line; control characters are replaced by '?' */
} allot_err;

#define ALLOT_MUST_CHECK __attribute__((warn_unused_result))

/* Writes code and message into err (which may be NULL) and returns code, so that callers can say
 * `return allot_fail(err, ALLOT_EINPUT, "...")`. */
allot_code allot_fail(allot_err *err, allot_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of the message of a failed call; returns err->code. */
allot_code allot_fail_in(allot_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
