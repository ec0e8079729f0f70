/* SPDX-License-Identifier: Apache-2.0 */
/* httphandle.h - libcurl's handles and their settings. Making one costs more processor time than a
 * request: it is to be used for one after another. Not for use outside core/http.c. */
#ifndef ALLOT_HTTPHANDLE_H
#define ALLOT_HTTPHANDLE_H
#include <curl/curl.h>
#include "lib/core/buf.h"
#include "lib/net/http.h"
#include "lib/net/httpsecret.h"

/* The header lines of requests that share them. */
typedef struct allot_header_list {
    char *api_key; /* owned; NULL = none */
    int has_body;
    struct curl_slist *lines;
    struct allot_header_list *next;
} allot_header_list;

/* What all handles share. */
typedef struct {
    const allot_http_config *config;        /* borrowed */
    curl_write_callback on_header, on_body; /* with the handle's user */
    curl_sockopt_callback on_made;          /* of connections, with `owner` */
    curl_closesocket_callback on_gone;
    void *owner;
    allot_header_list *lists;
} allot_handles; /* zero: nothing to clear */

void allot_handles_clear(allot_handles *h);
/* The lines for a request of this kind, alive until allot_handles_clear; NULL when out of memory.
 */
const allot_header_list *allot_handles_lines(allot_handles *h, const char *api_key, int has_body);

/* Hides the keys of all requests so far and the secret headers in an answer or its text, see
 * httpsecret.h. */
size_t allot_handles_hide(const allot_handles *h, allot_secret_place where, char *text, size_t n);

typedef struct {
    CURL *easy;    /* CURLINFO_PRIVATE is the user */
    allot_buf url; /* that it is set to... */
    CURLU *parsed; /* ...once, not for each request */
    char error[CURL_ERROR_SIZE];
} allot_handle;

/* 0 when out of memory. a stays where it is. */
int allot_handle_open(allot_handle *a, const allot_handles *h, void *user);
void allot_handle_close(allot_handle *a);
/* What is to be sent; lines and body stay alive until it was. */
void allot_handle_aim(allot_handle *a, const char *url, const allot_header_list *lines,
                      const char *body, size_t n);
#endif
