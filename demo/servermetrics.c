/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and histograms, and their print as Prometheus text. */
#include "demo/servermetrics.h"

#include <string.h>

static const double bounds[ALLOT_METRIC_BUCKETS] = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60};

void allot_metrics_init(allot_metrics *m, const char *model_name)
{
    memset(m, 0, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->model_name = model_name;
}

void allot_metrics_clear(allot_metrics *m)
{
    pthread_mutex_destroy(&m->lock);
}

static void observe(allot_histogram *h, double seconds)
{
    int i = 0;
    while (i < ALLOT_METRIC_BUCKETS && seconds > bounds[i])
        i++;
    h->counts[i]++;
    h->sum += seconds;
}

void allot_metrics_finish(allot_metrics *m, const allot_seq *s, double now)
{
    pthread_mutex_lock(&m->lock);
    m->finished[s->end]++;
    if (s->end != ALLOT_END_ABORT) {
        m->prompt_tokens += (uint64_t)s->n_prompt;
        m->generated_tokens += (uint64_t)(s->n_tokens - s->n_prompt);
        observe(&m->latency, now - s->t_arrival);
        if (s->kind == ALLOT_SEQ_GENERATE) observe(&m->first_token, s->t_first - s->t_arrival);
    }
    pthread_mutex_unlock(&m->lock);
}

static void head(allot_buf *out, const char *name, const char *type, const char *help)
{
    allot_buf_printf(out, "# HELP vllm:%s %s\n# TYPE vllm:%s %s\n", name, help, name, type);
}

static void line(allot_buf *out, const char *name, const allot_metrics *m, double value)
{
    allot_buf_printf(out, "vllm:%s{engine=\"0\",model_name=\"%s\"} %.17g\n", name, m->model_name,
                     value);
}

static void histogram(allot_buf *out, const char *name, const allot_metrics *m,
                      const allot_histogram *h)
{
    uint64_t total = 0;
    for (int i = 0; i <= ALLOT_METRIC_BUCKETS; i++) {
        total += h->counts[i];
        allot_buf_printf(out, "vllm:%s_bucket{engine=\"0\",le=\"", name);
        if (i < ALLOT_METRIC_BUCKETS) allot_buf_printf(out, "%g", bounds[i]);
        else allot_buf_str(out, "+Inf");
        allot_buf_printf(out, "\",model_name=\"%s\"} %llu\n", m->model_name,
                         (unsigned long long)total);
    }
    allot_buf_printf(out, "vllm:%s_count{engine=\"0\",model_name=\"%s\"} %llu\n", name,
                     m->model_name, (unsigned long long)total);
    allot_buf_printf(out, "vllm:%s_sum{engine=\"0\",model_name=\"%s\"} %.9g\n", name, m->model_name,
                     h->sum);
}

static void finished(allot_buf *out, const allot_metrics *m)
{
    static const struct {
        const char *reason;
        allot_seq_end end;
    } reasons[] = {
        {"stop", ALLOT_END_STOP}, {"length", ALLOT_END_LENGTH}, {"abort", ALLOT_END_ABORT}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        allot_buf_printf(out,
                         "vllm:request_success_total{engine=\"0\",finished_reason=\"%s\","
                         "model_name=\"%s\"} %llu\n",
                         reasons[i].reason, m->model_name,
                         (unsigned long long)m->finished[reasons[i].end]);
}

/* A copy taken at one moment: scraping does not hold up the engine. */
static void snapshot(allot_metrics *m, allot_metrics *out)
{
    pthread_mutex_lock(&m->lock);
    *out = *m;
    pthread_mutex_unlock(&m->lock);
}

typedef double (*reader)(const allot_metrics *m);
static double running(const allot_metrics *m)
{
    return m->running;
}
static double waiting(const allot_metrics *m)
{
    return m->waiting;
}
static double usage(const allot_metrics *m)
{
    return m->kv_usage;
}
static double queries(const allot_metrics *m)
{
    return (double)m->cache_queries;
}
static double hits(const allot_metrics *m)
{
    return (double)m->cache_hits;
}
static double preemptions(const allot_metrics *m)
{
    return (double)m->preemptions;
}
static double prompts(const allot_metrics *m)
{
    return (double)m->prompt_tokens;
}
static double generated(const allot_metrics *m)
{
    return (double)m->generated_tokens;
}
static double steps(const allot_metrics *m)
{
    return (double)m->steps;
}
static double rows(const allot_metrics *m)
{
    return (double)m->rows;
}

void allot_metrics_print(allot_metrics *const *sets, int n, allot_buf *out)
{
    static const struct {
        const char *name, *type, *help;
        reader read;
    } simple[] = {
        {"num_requests_running", "gauge", "Sequences in decoding steps.", running},
        {"num_requests_waiting", "gauge", "Sequences in the queue.", waiting},
        {"kv_cache_usage_perc", "gauge", "Share of cache blocks in use, 0 to 1.", usage},
        {"prefix_cache_queries_total", "counter", "Prompt tokens looked up.", queries},
        {"prefix_cache_hits_total", "counter", "Prompt tokens found in the cache.", hits},
        {"num_preemptions_total", "counter", "Sequences put back for lack of blocks.", preemptions},
        {"prompt_tokens_total", "counter", "Prompt tokens of finished sequences.", prompts},
        {"generation_tokens_total", "counter", "Tokens generated.", generated},
        {"engine_steps_total", "counter", "Steps of the engine (not in vLLM).", steps},
        {"engine_rows_total", "counter", "Tokens computed in steps (not in vLLM).", rows}};
    allot_metrics at[8];
    n = n > 8 ? 8 : n;
    for (int i = 0; i < n; i++)
        snapshot(sets[i], &at[i]);
    for (size_t s = 0; s < sizeof simple / sizeof *simple; s++) {
        head(out, simple[s].name, simple[s].type, simple[s].help);
        for (int i = 0; i < n; i++)
            line(out, simple[s].name, &at[i], simple[s].read(&at[i]));
    }
    head(out, "request_success_total", "counter", "Finished sequences.");
    for (int i = 0; i < n; i++)
        finished(out, &at[i]);
    head(out, "time_to_first_token_seconds", "histogram", "Arrival to first token.");
    for (int i = 0; i < n; i++)
        histogram(out, "time_to_first_token_seconds", &at[i], &at[i].first_token);
    head(out, "e2e_request_latency_seconds", "histogram", "Arrival to end.");
    for (int i = 0; i < n; i++)
        histogram(out, "e2e_request_latency_seconds", &at[i], &at[i].latency);
}
