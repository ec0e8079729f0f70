/* SPDX-License-Identifier: Apache-2.0 */
/* Fills templates, cuts a solution into steps and marks them, and keeps texts valid UTF-8. */
#include "lib/engine/prompt.h"
#include <stdio.h>
#include <string.h>
#include "liballot/utf8.h"

#define PROBLEM "{problem}"
#define SYSTEM "{system}"
#define UNKNOWN_CHARACTER "\xef\xbf\xbd"

void allot_prompt_message(cJSON *list, const char *role, const char *text, size_t n)
{
    allot_buf content = {0};
    allot_buf_add(&content, text, n);
    cJSON *m = cJSON_CreateObject();
    cJSON_AddStringToObject(m, "role", role);
    cJSON_AddStringToObject(m, "content", content.at ? content.at : "");
    cJSON_AddItemToArray(list, m);
    allot_buf_clear(&content);
}

/* A dialogue of one turn. Mistral and Gemma have no system role: theirs is part of the question. */
static const struct {
    const char *name, *end, *with_system, *without;
} BUILT_IN[] = {
    {"chatml", "<|im_end|>\n",
     "<|im_start|>system\n{system}<|im_end|>\n"
     "<|im_start|>user\n{problem}<|im_end|>\n<|im_start|>assistant\n",
     "<|im_start|>user\n{problem}<|im_end|>\n<|im_start|>assistant\n"},
    {"llama3", "<|eot_id|>",
     "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{system}<|eot_id|>"
     "<|start_header_id|>user<|end_header_id|>\n\n{problem}<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\n",
     "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{problem}<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\n"},
    {"mistral", "</s>", "<s>[INST] {system}\n\n{problem}[/INST]", "<s>[INST] {problem}[/INST]"},
    {"gemma", "<end_of_turn>\n",
     "<bos><start_of_turn>user\n{system}\n\n{problem}<end_of_turn>\n<start_of_turn>model\n",
     "<bos><start_of_turn>user\n{problem}<end_of_turn>\n<start_of_turn>model\n"},
};
enum { N_BUILT_IN = sizeof BUILT_IN / sizeof *BUILT_IN };

void allot_prompt_names(char *out, size_t n)
{
    size_t at = 0;
    for (int i = 0; i < N_BUILT_IN && at < n; i++)
        at += (size_t)snprintf(out + at, n - at, "%s%s", i ? ", " : "", BUILT_IN[i].name);
}

const char *allot_prompt_template(const char *setting, int has_system)
{
    if (!setting || strcmp(setting, "chat") == 0 || strcmp(setting, "server") == 0) return NULL;
    for (int i = 0; i < N_BUILT_IN; i++)
        if (strcmp(setting, BUILT_IN[i].name) == 0)
            return has_system ? BUILT_IN[i].with_system : BUILT_IN[i].without;
    return setting;
}

const char *allot_prompt_end(const char *setting)
{
    for (int i = 0; i < N_BUILT_IN; i++)
        if (strcmp(setting, BUILT_IN[i].name) == 0) return BUILT_IN[i].end;
    return "";
}

int allot_prompt_render(const char *template_text, const char *system_prompt, const char *problem,
                        size_t n, allot_buf *out)
{
    int places = 0;
    const char *at = template_text, *brace;
    while ((brace = strchr(at, '{'))) {
        allot_buf_add(out, at, (size_t)(brace - at));
        if (strncmp(brace, PROBLEM, strlen(PROBLEM)) == 0) {
            allot_buf_add(out, problem, n);
            at = brace + strlen(PROBLEM);
            places++;
        } else if (strncmp(brace, SYSTEM, strlen(SYSTEM)) == 0) {
            allot_buf_str(out, system_prompt);
            at = brace + strlen(SYSTEM);
        } else {
            allot_buf_add(out, "{", 1);
            at = brace + 1;
        }
    }
    allot_buf_str(out, at);
    return places;
}

size_t allot_prompt_bos(const char *template_text)
{
    static const char *const tokens[] = {"<|begin_of_text|>", "<|startoftext|>", "<s>", "<bos>",
                                         "<|begin\xe2\x96\x81of\xe2\x96\x81sentence|>"};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        size_t len = strlen(tokens[i]);
        if (strncmp(template_text, tokens[i], len) == 0) return len;
    }
    return 0;
}

void allot_prompt_without(const char *text, size_t n, const char *mark, allot_buf *out)
{
    size_t len = strlen(mark), start = out->n;
    for (size_t i = 0; i < n; i++) {
        allot_buf_add(out, text + i, 1);
        if (out->failed) return;
        if (out->n - start >= len && memcmp(out->at + out->n - len, mark, len) == 0) out->n -= len;
    }
    if (out->at) out->at[out->n] = '\0';
}

int allot_prompt_is_blank(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i]) return 0;
    return 1;
}

int allot_prompt_steps(const char *text, size_t n, const char *separator, const char *mark,
                       int first, allot_buf *out)
{
    size_t len = strlen(separator);
    int seen = 0, marks = 0;
    const char *end = text + n;
    for (const char *at = text, *next; at <= end; at = next) {
        const char *stop = memmem(at, (size_t)(end - at), separator, len);
        next = stop ? stop + len : end + 1;
        if (!stop) stop = end;
        size_t before = out->n;
        allot_prompt_without(at, (size_t)(stop - at), mark, out);
        if (out->failed) return marks;
        if (!allot_prompt_is_blank(out->at ? out->at + before : "", out->n - before) &&
            seen++ >= first) {
            allot_buf_str(out, mark);
            marks++;
        } else {
            out->n = before;
            if (out->at) out->at[before] = '\0';
        }
    }
    if (marks == 0) allot_buf_str(out, mark);
    return marks ? marks : 1;
}

void allot_prompt_clean_json(const char *text, size_t n, allot_buf *out)
{
    size_t from = 0, i = 0;
    while (i < n) {
        if (text[i] > 0 && text[i] != '\\') { /* most are ASCII */
            i++;
            continue;
        }
        int len = text[i] ? allot_utf8_length(text + i, n - i) : 0;
        if (text[i] == '\\' && n - i >= 2) {
            /* An escape is taken as a whole, so that an escaped backslash starts no other. */
            len = n - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0 ? 6 : 2;
            if (len == 2 && !(text[i + 1] > 0)) len = 1;
        }
        if (len > 0 && len != 6) {
            i += (size_t)len;
            continue;
        }
        allot_buf_add(out, text + from, i - from);
        allot_buf_str(out, UNKNOWN_CHARACTER);
        i += len ? (size_t)len : 1;
        from = i;
    }
    allot_buf_add(out, text + from, n - from);
}
