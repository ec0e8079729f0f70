/* SPDX-License-Identifier: Apache-2.0 */
/* sse.h - a generation that comes as server-sent events, put together into the JSON of one that
 * comes at once. Lines of other kinds (comments, pings) are skipped; "[DONE]" alone proves nothing:
 * without a finish_reason the text is not whole. */
#ifndef ALLOT_SSE_H
#define ALLOT_SSE_H
#include <cjson/cJSON.h>
#include "lib/core/buf.h"
#include "lib/net/http.h"

typedef struct {
    allot_buf line; /* begun, its end has not come */
    allot_buf text; /* so far */
    cJSON *choice;  /* owned: the finish_reason and what goes with it; NULL = not finished */
    cJSON *usage;   /* owned; NULL = not told */
    double first_s; /* monotonic: the first piece of text or of reasoning came; 0 = not yet */
    int began;      /* something but blanks came */
    int at_once;    /* it is no stream but one JSON text: the server takes no notice of "stream" */
    char failure[256];      /* an error event, or what is wrong with the stream; "" = none */
    const allot_http *http; /* borrowed: hides its secrets in what came; NULL = there are none */
} allot_sse;

/* Bytes as they come, at this monotonic time. */
void allot_sse_take(allot_sse *s, const char *bytes, size_t n, double now);
/* Whether a finish_reason came, and no error. */
int allot_sse_is_whole(const allot_sse *s);
/* The stream is over: {"choices": [...], "usage": ...}, which the caller deletes. Fails with
 * ALLOT_ESERVER when an error came or the text is not whole. */
ALLOT_MUST_CHECK allot_code allot_sse_answer(allot_sse *s, cJSON **out, allot_err *err);
/* Forgets all but http; safe on zero. */
void allot_sse_clear(allot_sse *s);
#endif
