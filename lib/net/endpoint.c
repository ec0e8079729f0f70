/* SPDX-License-Identifier: Apache-2.0 */
/* Takes an address apart, reads its key, and knows whether two addresses are one server. */
#include "lib/net/endpoint.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "lib/core/atomicfile.h"
#include "lib/core/buf.h"
#include "liballot/mem.h"

#define MAX_KEY_BYTES 4096

static size_t without_slashes(const char *url, size_t n)
{
    while (n > 0 && url[n - 1] == '/')
        n--;
    return n;
}

/* Bytes of url before the server's own paths. */
static size_t root_bytes(const char *url)
{
    static const char *const ends[] = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings",
                                       "/v1"};
    size_t n = without_slashes(url, strlen(url));
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t len = strlen(ends[i]);
        if (n > len && memcmp(url + n - len, ends[i], len) == 0)
            return without_slashes(url, n - len);
    }
    return n;
}

static allot_code check_url(const char *url, allot_err *err)
{
    const char *scheme = strstr(url, "://"), *authority = scheme ? scheme + 3 : url;
    const char *host = strncasecmp(url, "http://", 7) == 0    ? url + 7
                       : strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                              : NULL;
    /* Looked at first: no other message may show it. */
    if (memchr(authority, '@', strcspn(authority, "/")))
        return allot_fail(err, ALLOT_EUSAGE,
                          "the server's address holds a password (give it with --api-key-env or "
                          "--api-key-file)");
    if (!host || !*host || *host == '/')
        return allot_fail(
            err, ALLOT_EUSAGE,
            "'%s' is not the address of a server (it is like http://127.0.0.1:8000/v1)", url);
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == '?' || *p == '#' || *p == 0x7f)
            return allot_fail(err, ALLOT_EUSAGE,
                              "'%s' is not the address of a server (no blanks, '?' or '#')", url);
    return ALLOT_OK;
}

/* A key goes into a header: a line break in it would be another header. */
static allot_code take_key(const char *text, size_t n, const char *from, char **out, allot_err *err)
{
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        n--;
    if (n == 0) return allot_fail(err, ALLOT_EUSAGE, "the API key in %s is empty", from);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
            return allot_fail(err, ALLOT_EUSAGE, "the API key in %s holds blanks or line breaks",
                              from);
    *out = allot_mem_text(text, n, err);
    return *out ? ALLOT_OK : ALLOT_ERUNTIME;
}

static allot_code read_key(const char *env, const char *file, char **out, allot_err *err)
{
    if (file) {
        char *text;
        size_t n;
        allot_code rc = allot_file_read(file, MAX_KEY_BYTES, &text, &n, err);
        if (rc) return rc;
        rc = take_key(text, n, file, out, err);
        free(text);
        return rc;
    }
    const char *text = getenv(env ? env : "OPENAI_API_KEY");
    if (env && !text)
        return allot_fail(err, ALLOT_EUSAGE, "the environment variable '%s' is not set", env);
    if (!text || (!env && !*text)) return ALLOT_OK;
    return take_key(text, strlen(text), env ? env : "OPENAI_API_KEY", out, err);
}

allot_code allot_endpoint_root(const char *base_url, char **out, allot_err *err)
{
    char *url = allot_mem_text(base_url, strcspn(base_url, ","), err);
    if (!url) return ALLOT_ERUNTIME;
    allot_code rc = check_url(url, err);
    if (!rc && !(*out = allot_mem_text(url, root_bytes(url), err))) rc = ALLOT_ERUNTIME;
    free(url);
    return rc;
}

allot_code allot_endpoint_open(const char *base_url, const char *api_key_env,
                               const char *api_key_file, allot_endpoint *out, allot_err *err)
{
    allot_endpoint e = {0};
    allot_code rc = allot_endpoint_root(base_url, &e.root, err);
    if (!rc) rc = read_key(api_key_env, api_key_file, &e.api_key, err);
    allot_buf v1 = {0};
    if (!rc) {
        allot_buf_printf(&v1, "%s/v1", e.root);
        rc = allot_buf_check(&v1, err);
    }
    e.v1 = v1.at;
    if (rc) allot_endpoint_clear(&e);
    else *out = e;
    return rc;
}

/* Bytes of "https://host:8000" of the first address of a list. */
static size_t server_bytes(const char *urls)
{
    size_t n = strcspn(urls, ",");
    const char *scheme = memmem(urls, n, "://", 3);
    if (!scheme) return n;
    size_t host = (size_t)(scheme - urls) + 3;
    return host + strcspn(urls + host, "/,");
}

static int is_among(const char *url, const char *others)
{
    size_t n = server_bytes(url);
    for (const char *at = others; *at; at += *at == ',') {
        if (server_bytes(at) == n && strncasecmp(at, url, n) == 0) return 1;
        at += strcspn(at, ",");
    }
    return 0;
}

int allot_endpoint_within(const char *urls, const char *others)
{
    for (const char *at = urls; *at; at += *at == ',') {
        if (!is_among(at, others)) return 0;
        at += strcspn(at, ",");
    }
    return 1;
}

void allot_endpoint_forget_key(allot_endpoint *e)
{
    if (e->api_key) explicit_bzero(e->api_key, strlen(e->api_key));
    free(e->api_key);
    e->api_key = NULL;
}

void allot_endpoint_clear(allot_endpoint *e)
{
    free(e->root);
    free(e->v1);
    allot_endpoint_forget_key(e);
    memset(e, 0, sizeof *e);
}
