/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where libcurl's options are set. */
#include "lib/net/httphandle.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "liballot/mem.h"
#include "lib/core/options.h"

void allot_handles_clear(allot_handles *h)
{
    for (allot_header_list *l = h->lists, *next; l; l = next) {
        next = l->next;
        curl_slist_free_all(l->lines);
        free(l->api_key);
        free(l);
    }
    h->lists = NULL;
}

/* What is the same for all requests. */
static void set_options(const allot_handles *h, allot_handle *a, void *user)
{
    const allot_http_config *c = h->config;
    CURL *e = a->easy;
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_PRIVATE, user);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "allot/" ALLOT_VERSION);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, a->error);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, h->on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, user);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, h->on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, user);
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, h->on_made);
    curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, h->owner);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, h->on_gone);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, h->owner);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(c->connect_timeout_s * 1000) + 1);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(c->timeout_s * 1000) + 1);
    if (c->cacert) curl_easy_setopt(e, CURLOPT_CAINFO, c->cacert);
    if (!c->insecure) return;
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
}

int allot_handle_open(allot_handle *a, const allot_handles *h, void *user)
{
    a->easy = curl_easy_init();
    if (a->easy) set_options(h, a, user);
    return a->easy != NULL;
}

void allot_handle_close(allot_handle *a)
{
    curl_easy_cleanup(a->easy);
    curl_url_cleanup(a->parsed);
    allot_buf_clear(&a->url);
}

static int add_line(allot_header_list *l, const char *line)
{
    struct curl_slist *more = curl_slist_append(l->lines, line);
    if (more) l->lines = more;
    return more != NULL;
}

static int add_lines(const allot_handles *h, allot_header_list *l)
{
    /* Without "Expect:", libcurl holds back large requests until the server asks for them. */
    int ok =
        add_line(l, "Expect:") && (!l->has_body || add_line(l, "Content-Type: application/json"));
    for (int i = 0; ok && i < h->config->n_headers; i++)
        ok = add_line(l, h->config->headers[i]);
    if (!ok || !l->api_key) return ok;
    allot_buf line = {0};
    allot_buf_printf(&line, "Authorization: Bearer %s", l->api_key);
    ok = !line.failed && add_line(l, line.at);
    allot_buf_clear(&line);
    return ok;
}

const allot_header_list *allot_handles_lines(allot_handles *h, const char *api_key, int has_body)
{
    allot_header_list *l = h->lists;
    while (l && (l->has_body != has_body || !l->api_key != !api_key ||
                 (api_key && strcmp(l->api_key, api_key) != 0)))
        l = l->next;
    if (l) return l;
    l = allot_mem_array(1, sizeof *l, NULL);
    if (!l) return NULL;
    l->next = h->lists; /* half made, it is only there to be cleared */
    h->lists = l;
    l->has_body = has_body;
    l->api_key = api_key ? allot_mem_text(api_key, strlen(api_key), NULL) : NULL;
    if ((!api_key || l->api_key) && add_lines(h, l)) return l;
    l->has_body = -1;
    return NULL;
}

size_t allot_handles_hide(const allot_handles *h, allot_secret_place where, char *text, size_t n)
{
    if (n == 0) return 0;
    for (const allot_header_list *l = h->lists; l; l = l->next)
        if (l->api_key) n = allot_secret_hide(l->api_key, where, text, n);
    for (int i = 0; i < h->config->n_headers; i++)
        n = allot_secret_hide_header(h->config->headers[i], where, text, n);
    return n;
}

/* Loopback never goes through a proxy, whatever the environment says. */
static int is_loopback(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host) return 0;
    host += 3;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           (strcspn(host, ":/") == 9 && strncasecmp(host, "localhost", 9) == 0);
}

/* Out of memory, it is set to no address, which libcurl refuses; as an address that is none. */
static void set_url(allot_handle *a, const char *url)
{
    curl_easy_setopt(a->easy, CURLOPT_URL, NULL);
    curl_url_cleanup(a->parsed);
    a->parsed = curl_url();
    allot_buf_reset(&a->url);
    allot_buf_str(&a->url, url);
    CURLU *parsed = !a->url.failed && a->parsed && !curl_url_set(a->parsed, CURLUPART_URL, url, 0)
                        ? a->parsed
                        : NULL;
    curl_easy_setopt(a->easy, CURLOPT_CURLU, parsed);
    curl_easy_setopt(a->easy, CURLOPT_PROXY, is_loopback(url) ? "" : NULL);
    if (!parsed) allot_buf_clear(&a->url);
}

void allot_handle_aim(allot_handle *a, const char *url, const allot_header_list *lines,
                      const char *body, size_t n)
{
    if (!a->url.at || strcmp(a->url.at, url) != 0) set_url(a, url);
    a->error[0] = '\0';
    curl_easy_setopt(a->easy, CURLOPT_HTTPHEADER, lines->lines);
    if (body) {
        curl_easy_setopt(a->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
        curl_easy_setopt(a->easy, CURLOPT_POSTFIELDS, body);
    } else {
        curl_easy_setopt(a->easy, CURLOPT_HTTPGET, 1L);
    }
}
