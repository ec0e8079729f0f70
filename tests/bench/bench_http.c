/* SPDX-License-Identifier: Apache-2.0 */
/* What a request costs the client: processor seconds for 1000 requests to a server that answers
 * with 1.5 KB after a fixed delay. lib/net/http with JSON parsing beside wrk, which parses nothing,
 * and Python's aiohttp; and the whole collector with its journal. Debian has them as wrk and
 * python3-aiohttp; what is not there is shown as nan. All take turns, and each figure is the median
 * over the turns: a ratio, of the ratios within a turn, since a machine's speed drifts. */
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "lib/net/http.h"
#include "lib/core/json.h"
#include "lib/core/options.h"
#include "tests/bench/delay_server.h"

#define BODY                                                                                       \
    "{\"model\":\"m\",\"prompt\":\"Question: what is 2 + 2? Please reason step by step.\\n\","     \
    "\"temperature\":0.8,\"top_p\":1,\"max_tokens\":2048,\"seed\":1234567}"

#define ROUNDS 7

static char url[128];

static double seconds_of(const struct rusage *u)
{
    return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
           1e-6 * (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

/* A server in a process of its own; its address goes into url. */
static pid_t serve(double delay_s)
{
    int port, listener = delay_listen(&port);
    if (listener < 0) exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit most;
        getrlimit(RLIMIT_NOFILE, &most);
        most.rlim_cur = most.rlim_max;
        setrlimit(RLIMIT_NOFILE, &most);
        delay_serve(listener, delay_s);
    }
    close(listener);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/completions", port);
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

typedef struct {
    allot_http *http;
    allot_http_request request;
    long to_send, done;
} load;

static void take(const allot_http_reply *reply, void *user)
{
    load *l = user;
    allot_err err = {0};
    cJSON *o = NULL;
    if (allot_http_verdict(reply, &err) || allot_json_parse(reply->body, reply->n, url, &o, &err) ||
        (l->to_send-- > 0 && allot_http_send(l->http, &l->request, &err))) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    cJSON_Delete(o);
    l->done++;
}

/* Until so many are done. */
static void pump(load *l, long until)
{
    allot_err err = {0};
    while (l->done < until)
        if (allot_http_poll(l->http, 1000, &err)) exit(1);
}

/* Processor seconds of ours for 1000 requests. */
static double measure(int in_flight, long n)
{
    allot_err err = {0};
    allot_http_config c;
    allot_http_defaults(&c);
    c.max_in_flight = in_flight;
    load l = {.to_send = n + in_flight};
    if (allot_http_new(&c, &l.http, &err)) exit(1);
    l.request = (allot_http_request){
        .url = url, .body = BODY, .n = sizeof BODY - 1, .done = take, .user = &l};
    for (int i = 0; i < in_flight; i++)
        if (allot_http_send(l.http, &l.request, &err)) exit(1);
    pump(&l, in_flight); /* connections are made */
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    pump(&l, in_flight + n);
    getrusage(RUSAGE_SELF, &after);
    allot_http_free(l.http);
    return (seconds_of(&after) - seconds_of(&before)) * 1000 / (double)n;
}

/* Runs a shell command; its output's first number behind `label` is put into *number. Returns its
 * processor seconds, NaN if it cannot run. */
static double run(const char *command, const char *label, double *number)
{
    int fd[2];
    char text[8192] = "";
    size_t n = 0;
    struct rusage used;
    if (pipe(fd) != 0) exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], 1);
        close(fd[0]);
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    close(fd[1]);
    for (ssize_t got; (got = read(fd[0], text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    close(fd[0]);
    int status;
    wait4(pid, &status, 0, &used);
    const char *at = strstr(text, label);
    if (status != 0 || !at) return NAN;
    *number = strtod(at + strlen(label), NULL);
    return seconds_of(&used);
}

static double measure_wrk(void)
{
    char command[1024];
    double n = 0;
    snprintf(command, sizeof command,
             "d=$(mktemp -d) && echo \"wrk.method='POST' wrk.headers['Content-Type']="
             "'application/json' wrk.body=[[$ALLOT_BENCH_BODY]]\" > $d/post.lua && echo requests: "
             "$(wrk -t1 -c512 "
             "-d3s -s $d/post.lua %s | awk '/requests in/ {print $1}'); rm -r $d",
             url);
    double s = run(command, "requests:", &n);
    return n > 0 ? s * 1000 / n : NAN;
}

/* Its processor time without its start, by its own clock. */
static double measure_aiohttp(void)
{
    static const char script[] =
        "import aiohttp, asyncio, json, sys, time\n"
        "async def worker(s, url, body, left):\n"
        "    while left[0] > 0:\n"
        "        left[0] -= 1\n"
        "        async with s.post(url, data=body, headers={'Content-Type': 'application/json'}) "
        "as r:\n"
        "            json.loads(await r.read())\n"
        "async def main(url, body, n):\n"
        "    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=512)) as s:\n"
        "        await asyncio.gather(*[worker(s, url, body, [1]) for _ in range(512)])\n"
        "        start = time.process_time()\n"
        "        left = [n]\n"
        "        await asyncio.gather(*[worker(s, url, body, left) for _ in range(512)])\n"
        "        print('seconds:', (time.process_time() - start) * 1000 / n)\n"
        "asyncio.run(main(sys.argv[1], sys.argv[2].encode(), 8000))\n";
    double s = 0;
    setenv("ALLOT_BENCH_SCRIPT", script, 1);
    double used = run(
        "/usr/bin/python3 -c \"$ALLOT_BENCH_SCRIPT\" \"$ALLOT_BENCH_URL\" \"$ALLOT_BENCH_BODY\"",
        "seconds:", &s);
    return isnan(used) ? NAN : s;
}

/* 200 queries of 64 samples each, the start and the end of the program included. */
static double measure_collector(void)
{
    static const char command[] =
        "set -e; d=$(mktemp -d); cd $d; for i in $(seq 200); do echo \"{\\\"problem\\\": "
        "\\\"$i+1=?\\\", "
        "\\\"answer\\\": \\\"2\\\"}\"; done > p.jsonl; $ALLOT_BIN/allot-datasets import --quiet "
        "p.jsonl "
        "p.h5 > /dev/null; echo '{\"schema\": \"allot-strategies\", \"version\": 1, "
        "\"strategies\": "
        "[\"majority@32\"]}' > s.json; $ALLOT_BIN/allot-collect sample --quiet --dataset p.h5 "
        "--strategies s.json --output run --pool 64 --model m --prompt-template 'Q: {problem}\\n' "
        "--base-url $ALLOT_BENCH_URL --max-concurrency 512 > /dev/null; "
        "echo records: $(wc -l < run/journal.jsonl); cd /; rm -r $d";
    double n = 0, s = run(command, "records:", &n);
    return n == 200 * 64 ? s * 1000 / n : NAN;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double x[ROUNDS])
{
    qsort(x, ROUNDS, sizeof *x, by_size);
    return x[ROUNDS / 2];
}

int main(void)
{
    enum { OWN, WRK, AIOHTTP, COLLECTOR, MANY, KINDS };
    double s[KINDS][ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        pid_t server = serve(0.05);
        setenv("ALLOT_BENCH_URL", url, 1);
        setenv("ALLOT_BENCH_BODY", BODY, 1);
        s[OWN][i] = measure(512, 20000);
        s[WRK][i] = measure_wrk();
        s[AIOHTTP][i] = measure_aiohttp();
        s[COLLECTOR][i] = measure_collector();
        stop(server);
        server = serve(0.2);
        s[MANY][i] = measure(4000, 40000);
        stop(server);
        printf("round %d: lib/net/http with JSON %.4f, wrk %.4f, aiohttp %.4f, collector %.4f, "
               "4000 in "
               "flight %.4f\n",
               i + 1, s[OWN][i], s[WRK][i], s[AIOHTTP][i], s[COLLECTOR][i], s[MANY][i]);
        fflush(stdout);
    }
    double own[ROUNDS], aiohttp[ROUNDS], collector[ROUNDS], many[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        own[i] = s[OWN][i] / s[WRK][i];
        aiohttp[i] = s[AIOHTTP][i] / s[OWN][i];
        collector[i] = s[AIOHTTP][i] / s[COLLECTOR][i];
        many[i] = s[MANY][i] / s[OWN][i];
    }
    printf("processor seconds for 1000 requests, 512 in flight, 50 ms, 1.5 KB: medians\n");
    printf(
        "  lib/net/http with JSON %.4f, wrk %.4f, aiohttp %.4f, collector %.4f, 4000 in flight and "
        "200 ms %.4f\n",
        median(s[OWN]), median(s[WRK]), median(s[AIOHTTP]), median(s[COLLECTOR]), median(s[MANY]));
    printf("  lib/net/http: %.2f x wrk (at most 3.5), 1/%.1f of aiohttp (at least 5)\n",
           median(own), median(aiohttp));
    printf("  collector with its journal: 1/%.1f of aiohttp (at least 4)\n", median(collector));
    printf("  4000 in flight, 200 ms: %.2f x 512 in flight (at most 1.3)\n", median(many));
    return 0;
}
