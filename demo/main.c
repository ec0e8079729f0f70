/* SPDX-License-Identifier: Apache-2.0 */
/* allot-demo-server: loads the models, announces the port, serves until a signal comes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "lib/core/atomicfile.h"
#include "lib/core/log.h"
#include "lib/core/options.h"
#include "demo/httpd.h"

static struct {
    int port, max_num_seqs, kv_cache_mib;
    const char *port_file, *model, *prm;
} options = {.port = 8000,
             .max_num_seqs = 256,
             .kv_cache_mib = 256,
             .model = "demo/tinymath.gguf",
             .prm = "demo/tinymath-prm.gguf"};

static const allot_option table[] = {
    {"port", ALLOT_OPT_INT, &options.port, "N", "port on 127.0.0.1; 0 takes a free one", 0, 65535},
    {"port-file", ALLOT_OPT_STRING, &options.port_file, "FILE",
     "write the port here once requests are served", 0, 0},
    {"model", ALLOT_OPT_STRING, &options.model, "FILE", "generator, served as 'tinymath'", 0, 0},
    {"prm", ALLOT_OPT_STRING, &options.prm, "FILE",
     "process reward model, served as 'tinymath-prm'; 'none' serves none", 0, 0},
    {"max-num-seqs", ALLOT_OPT_INT, &options.max_num_seqs, "N",
     "sequences in a decoding step, of each model", 1, 1024},
    {"kv-cache-mib", ALLOT_OPT_INT, &options.kv_cache_mib, "N",
     "memory for cached keys and values, of each model", 1, 65536},
    {NULL, ALLOT_OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static void wait_for_signal(void)
{
    const struct timespec moment = {0, 50 * 1000 * 1000};
    while (!allot_interrupted())
        nanosleep(&moment, NULL); /* a signal ends the sleep early */
}

static int is_number(const char *path, const void *user)
{
    (void)user;
    char text[16] = "";
    size_t n = allot_kind_start(path, text, sizeof text);
    return n > 0 && n < sizeof text - 1 && strspn(text, "0123456789\n") == n;
}

static allot_code announce(const allot_common *common, int port, allot_err *err)
{
    char text[16];
    if (common->json)
        printf("{\"base_url\":\"http://127.0.0.1:%d\",\"port\":%d,\"pid\":%ld}\n", port, port,
               (long)getpid());
    else if (!common->quiet) printf("allot-demo-server: http://127.0.0.1:%d\n", port);
    if (fflush(stdout) != 0)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot write to standard output");
    if (options.port_file == NULL) return ALLOT_OK;
    snprintf(text, sizeof text, "%d\n", port);
    static const allot_kind kind = {"a port number", is_number, NULL};
    return allot_file_write(options.port_file, &kind, text, strlen(text), err);
}

/* Signals are the main thread's: all others are started with them blocked. */
static void block_signals(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(how, &set, NULL);
}

static allot_code serve(const allot_common *common, allot_server *server, allot_err *err)
{
    allot_httpd *httpd = NULL;
    int port = 0;
    allot_scheduler_options o = {common->threads, options.max_num_seqs, options.kv_cache_mib};
    block_signals(SIG_BLOCK);
    (void)allot_interrupted(); /* from here on signals are noted */
    allot_code code =
        allot_scheduler_new(server->models, server->n_models, &o, &server->scheduler, err);
    if (code == ALLOT_OK) code = allot_httpd_start(server, options.port, &httpd, &port, err);
    block_signals(SIG_UNBLOCK);
    if (code == ALLOT_OK) {
        code = announce(common, port, err);
        if (code == ALLOT_OK) wait_for_signal();
        allot_httpd_stop(httpd);
        if (options.port_file != NULL && code == ALLOT_OK) unlink(options.port_file);
    }
    allot_scheduler_free(server->scheduler);
    return code;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    static allot_served generator, prm;
    allot_server server = {.models = {&generator, &prm}, .n_models = 1};
    server.created = (long)time(NULL);
    if (getrandom(&server.run_id, sizeof server.run_id, 0) != (ssize_t)sizeof server.run_id)
        return allot_fail(err, ALLOT_ERUNTIME, "the system gave no random numbers");
    allot_code code = allot_served_load(options.model, "tinymath", &generator, err);
    if (code == ALLOT_OK && generator.transformer.lm_layers > 0)
        code = allot_fail(err, ALLOT_EINPUT,
                          "cannot generate with '%s': it is a reward model (give it with --prm)",
                          options.model);
    if (code == ALLOT_OK && strcmp(options.prm, "none") != 0) {
        code = allot_served_load(options.prm, "tinymath-prm", &prm, err);
        server.n_models = 2;
        if (code == ALLOT_OK && prm.transformer.n_scores == 0)
            code = allot_fail(err, ALLOT_EINPUT,
                              "cannot use '%s' as a reward model: tensor 'cls.output.weight' is "
                              "missing",
                              options.prm);
    }
    if (code == ALLOT_OK) code = serve(common, &server, err);
    allot_served_clear(&generator);
    allot_served_clear(&prm);
    return code;
}

/* Unlike the other tools, the server takes all cores unless told otherwise: the default is put in
 * front of the command line, where a later --threads overrides it. */
int main(int argc, char **argv)
{
    static const allot_command command = {
        NULL,
        "[OPTION...]",
        "Serves the tiny arithmetic model and its process reward model on 127.0.0.1 with the "
        "requests and responses of vLLM: /v1/models, /v1/completions, /v1/chat/completions, "
        "/v1/embeddings, /pooling, /tokenize, /detokenize, /version, /health, /metrics, "
        "/reset_prefix_cache.\n"
        "A sample depends on its prompt, seed and options only, never on what else is served. "
        "--threads is the number of cores unless given. SIGTERM or SIGINT ends the server.",
        table,
        0,
        0,
        run,
        "allot-demo-server --port 8000\n"
        "allot-demo-server --port 0 --port-file port.txt --quiet"};
    char threads[32];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    char **args = malloc(((size_t)argc + 2) * sizeof *args);
    if (args == NULL) return ALLOT_ERUNTIME;
    snprintf(threads, sizeof threads, "--threads=%ld", cores < 1 ? 1 : cores > 64 ? 64 : cores);
    args[0] = argv[0];
    args[1] = threads;
    for (int i = 1; i < argc; i++)
        args[i + 1] = argv[i];
    args[argc + 1] = NULL;
    int code = allot_main("allot-demo-server", command.about, &command, 1, argc + 1, args);
    free(args);
    return code;
}
