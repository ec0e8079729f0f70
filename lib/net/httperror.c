/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of error bodies: {"error": {"message"}} (OpenAI, vLLM, llama.cpp), {"error": "text"}
 * (vLLM's authentication, TGI), {"message"} (older vLLM, SGLang), {"detail": "text" or list}
 * (FastAPI), and whatever a proxy writes. */
#include <cjson/cJSON.h>
#include <string.h>
#include "lib/net/http.h"

#define SHOWN_BYTES 500

static const char *text_of(const cJSON *o, const char *field)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, field));
}

static const char *message_in(const cJSON *o)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(o, "error");
    const cJSON *detail = cJSON_GetObjectItemCaseSensitive(o, "detail");
    const char *text = text_of(error, "message");
    if (!text) text = cJSON_GetStringValue(error);
    if (!text) text = text_of(o, "message");
    if (!text) text = cJSON_GetStringValue(detail);
    if (!text) text = text_of(cJSON_GetArrayItem(detail, 0), "msg");
    return text;
}

/* Length of text when cut to SHOWN_BYTES, never within a UTF-8 sequence. */
static int shown(const char *text, size_t n)
{
    if (n <= SHOWN_BYTES) return (int)n;
    size_t cut = SHOWN_BYTES;
    while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    return (int)cut;
}

static const char *hint_of(int status)
{
    if (status == 401 || status == 403) return " (give a key with --api-key-env or --api-key-file)";
    if (status >= 300 && status < 400) return " (redirects are not followed: give the final URL)";
    return "";
}

static allot_code refused(const allot_http_reply *r, allot_err *err)
{
    cJSON *o = cJSON_ParseWithLength(r->body, r->n);
    const char *text = message_in(o);
    size_t n = text ? strlen(text) : 0;
    if (!text) {
        text = r->body;
        n = strnlen(r->body, r->n);
    }
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        n--;
    if (n == 0)
        (void)allot_fail(err, ALLOT_ESERVER, "'%s' answered with status %d and no message%s",
                         r->url, r->status, hint_of(r->status));
    else
        (void)allot_fail(err, ALLOT_ESERVER, "'%s' answered with status %d: %.*s%s", r->url,
                         r->status, shown(text, n), text, hint_of(r->status));
    cJSON_Delete(o);
    return ALLOT_ESERVER;
}

allot_code allot_http_verdict(const allot_http_reply *r, allot_err *err)
{
    if (r->failure && r->status == 0)
        return allot_fail(err, ALLOT_ESERVER, "no answer from '%s': %s%s", r->url, r->failure,
                          strcasestr(r->failure, "connect") ? " (is the server running there?)"
                                                            : "");
    if (r->failure)
        return allot_fail(err, ALLOT_ESERVER, "the answer of '%s' broke off: %s", r->url,
                          r->failure);
    return r->status == 200 ? ALLOT_OK : refused(r, err);
}
