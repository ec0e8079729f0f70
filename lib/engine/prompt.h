/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.h - texts that go to servers: the prompt of a problem, and the marked steps of a solution.
 * All functions append to a buffer; out of memory is reported by allot_buf_check. Pure. */
#ifndef ALLOT_PROMPT_H
#define ALLOT_PROMPT_H
#include <cjson/cJSON.h>
#include "lib/core/buf.h"

/* The template with {problem} and {system} replaced in one pass (a problem that holds "{system}"
 * stays as it is). Returns the number of places for the problem. */
int allot_prompt_render(const char *template_text, const char *system_prompt, const char *problem,
                        size_t n, allot_buf *out);

/* Appends {"role", "content"} to a list of messages. */
void allot_prompt_message(cJSON *list, const char *role, const char *text, size_t n);

/* The names of the built-in templates, for messages. out[n]. */
void allot_prompt_names(char *out, size_t n);
/* What a setting means: a built-in template by its name (its system part is left out without a
 * system prompt), NULL for NULL and for the words "chat" and "server", else the text itself. */
const char *allot_prompt_template(const char *setting, int has_system);

/* What ends the answer's turn in a built-in template; "" after any other. */
const char *allot_prompt_end(const char *setting);

/* Bytes of a begin-of-sequence token written at the start of a template, 0 if there is none.
 * Servers that add one of their own would double it. */
size_t allot_prompt_bos(const char *template_text);

/* The steps of text (parts between separators) with mark behind each: "s1<mark>s2<mark>". Steps
 * without any visible character are left out; marks that the text itself holds are removed, or the
 * reward model would count them. first: steps to leave out at the front. Returns the number of
 * marks written; a text without steps gets one, behind nothing. */
int allot_prompt_steps(const char *text, size_t n, const char *separator, const char *mark,
                       int first, allot_buf *out);

/* text without any mark, also none that arises by removing another. */
void allot_prompt_without(const char *text, size_t n, const char *mark, allot_buf *out);

/* 1 if no character is visible. */
int allot_prompt_is_blank(const char *text, size_t n);

/* text in valid UTF-8: each invalid byte, and NUL, also written as \u0000 in JSON, becomes U+FFFD.
 */
void allot_prompt_clean_json(const char *text, size_t n, allot_buf *out);

#endif
