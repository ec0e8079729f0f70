/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - the talk on stderr. stdout belongs to results. */
#ifndef ALLOT_LOG_H
#define ALLOT_LOG_H

/* -1 quiet (errors only), 0 normal, 1 verbose. Set once by the option parser. */
void allot_log_level(int level);
int allot_log_is_quiet(void);

/* "allot-train: message\n" at level >= 0; warn says "warning: "; debug needs --verbose. */
void allot_log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void allot_log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void allot_log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Always shown: the one line a failed program ends with. */
void allot_log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The program's name in front of each line (borrowed). */
void allot_log_program(const char *name);

#endif
