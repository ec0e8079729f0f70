/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what is out at each server, sets aside those that fail, and asks them again one at a
 * time. */
#include "lib/net/hosts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/net/endpoint.h"
#include "liballot/mem.h"

#define FIRST_S 1.0
#define LONGEST_S 60.0
#define LONGEST_ALL_S 10.0 /* nobody is there to do its work */
#define PROBE_S 10.0       /* what nobody has refused for so long is being worked on */

/* With the address's root, which it takes. */
static allot_code add(allot_hosts *h, char *root, allot_err *err)
{
    allot_host *more = realloc(h->at, ((size_t)h->n + 1) * sizeof *more);
    if (more) h->at = more;
    allot_code rc = more ? ALLOT_OK : allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    for (int i = 0; i < h->n && !rc; i++)
        if (strcmp(h->at[i].root, root) == 0)
            rc = allot_fail(err, ALLOT_EUSAGE, "the server '%s' is given twice", root);
    if (rc) free(root);
    else h->at[h->n++] = (allot_host){.root = root};
    return rc;
}

allot_code allot_hosts_open(const char *urls, allot_hosts *out, allot_err *err)
{
    *out = (allot_hosts){.last = -1};
    allot_code rc = ALLOT_OK;
    for (const char *at = urls; !rc; at += strcspn(at, ",") + 1) {
        char *root;
        rc = allot_endpoint_root(at, &root, err);
        if (!rc) rc = add(out, root, err);
        if (!strchr(at, ',')) break;
    }
    if (rc) allot_hosts_clear(out);
    return rc;
}

void allot_hosts_clear(allot_hosts *h)
{
    for (int i = 0; i < h->n; i++)
        free(h->at[i].root);
    free(h->at);
    memset(h, 0, sizeof *h);
}

static int is_probed(const allot_host *host)
{
    return host->failures > 0 && host->probed_s >= host->aside_until_s;
}

/* Others do the work of the host. */
static int has_others(const allot_hosts *h, const allot_host *host)
{
    for (int i = 0; i < h->n; i++)
        if (&h->at[i] != host && h->at[i].failures == 0) return 1;
    return 0;
}

/* One that failed is asked by one request only, until it has answered. */
static int is_usable(const allot_hosts *h, const allot_host *host, double now)
{
    int works = now - host->probed_s >= PROBE_S && !has_others(h, host);
    return now >= host->aside_until_s && (!is_probed(host) || works);
}

int allot_hosts_begin(allot_hosts *h, double now)
{
    int best = -1;
    for (int k = 1; k <= h->n; k++) {
        int i = (h->last + k) % h->n;
        if (is_usable(h, &h->at[i], now) &&
            (best < 0 || h->at[i].outstanding < h->at[best].outstanding))
            best = i;
    }
    for (int i = 0, none = best < 0; none && i < h->n; i++)
        if (best < 0 || h->at[i].aside_until_s < h->at[best].aside_until_s) best = i;
    allot_host *host = &h->at[best];
    if (now >= host->aside_until_s && !is_probed(host)) host->probed_s = now;
    host->outstanding++;
    return h->last = best;
}

/* Requests that were out when a host went down come back as failures, too: they are one. */
void allot_hosts_end(allot_hosts *h, int host, allot_host_end how, double now)
{
    allot_host *at = &h->at[host];
    int others = has_others(h, at);
    at->outstanding--;
    h->n_ended++;
    if (how == ALLOT_HOST_THERE) {
        at->failures = 0;
        at->aside_until_s = 0;
        h->away_since_s = 0;
        return;
    }
    if (now >= at->aside_until_s) {
        at->aside_until_s = now + fmin(ldexp(FIRST_S, at->failures < 10 ? at->failures : 10),
                                       others ? LONGEST_S : LONGEST_ALL_S);
        at->failures++;
    }
    if (how == ALLOT_HOST_AWAY && !others && h->away_since_s == 0) h->away_since_s = now;
}

int allot_hosts_probing(const allot_hosts *h)
{
    for (int i = 0; i < h->n; i++)
        if (is_probed(&h->at[i])) return 1;
    return 0;
}

int allot_hosts_alive(const allot_hosts *h, double now)
{
    for (int i = 0; i < h->n; i++)
        if (is_usable(h, &h->at[i], now)) return 1;
    return 0;
}
