/* SPDX-License-Identifier: Apache-2.0 */
/* Generated tokens per second of allot-demo-server through HTTP: 64 keep-alive connections, each
 * with one request of at most 100 tokens in flight; client and server share the machine.
 *   bench_demo_server [seconds [connections [base_port]]]
 * Without a port it starts $ALLOT_BIN/allot-demo-server with the models of the repository (or
 * $ALLOT_DEMO_MODEL and $ALLOT_DEMO_PRM). Prints one JSON object. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/core/rng.h"

#define MAX_CONNECTIONS 1024
#define MAX_REPLY 16384

typedef struct {
    int fd;
    size_t n;
    char reply[MAX_REPLY];
} connection;

static connection connections[MAX_CONNECTIONS];
static long requests, tokens, failed;
static allot_rng rng;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int open_socket(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror("bench_demo_server: connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* A chain of 1 to 8 operations. */
static void ask(connection *c)
{
    char problem[128], body[512], message[1024];
    int n = snprintf(problem, sizeof problem, "%d", 1 + (int)allot_rng_below(&rng, 20));
    for (int ops = 1 + (int)allot_rng_below(&rng, 8); ops > 0; ops--)
        n += snprintf(problem + n, sizeof problem - (size_t)n, "%c%d",
                      "+-*"[allot_rng_below(&rng, 3)], 1 + (int)allot_rng_below(&rng, 9));
    int length = snprintf(body, sizeof body,
                          "{\"model\":\"tinymath\",\"prompt\":\"Q: %s=?\\n\",\"temperature\":0.8,"
                          "\"top_p\":1.0,\"max_tokens\":100,\"seed\":%ld}",
                          problem, requests);
    int total = snprintf(message, sizeof message,
                         "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
                         "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                         length, body);
    if (write(c->fd, message, (size_t)total) != total) {
        perror("bench_demo_server: write");
        exit(1);
    }
    c->n = 0;
    requests++;
}

/* 1 when the reply is complete: its tokens are counted. */
static int take_reply(connection *c)
{
    ssize_t n = read(c->fd, c->reply + c->n, MAX_REPLY - 1 - c->n);
    if (n <= 0) {
        fprintf(stderr, "bench_demo_server: the server closed a connection\n");
        exit(1);
    }
    c->n += (size_t)n;
    c->reply[c->n] = 0;
    const char *body = strstr(c->reply, "\r\n\r\n"), *length = strstr(c->reply, "Content-Length:");
    if (body == NULL || length == NULL) return 0;
    if (c->n < (size_t)(body + 4 - c->reply) + strtoul(length + 15, NULL, 10)) return 0;
    const char *count = strstr(body, "\"completion_tokens\":");
    if (count == NULL) failed++;
    else tokens += strtol(count + 20, NULL, 10);
    return 1;
}

static void drive(int n, double until, int ask_again)
{
    struct pollfd polls[MAX_CONNECTIONS];
    int open = n;
    for (int i = 0; i < n; i++)
        polls[i] = (struct pollfd){connections[i].fd, POLLIN, 0};
    while (open > 0 && (!ask_again || now() < until)) {
        if (poll(polls, (nfds_t)n, 1000) <= 0) continue;
        for (int i = 0; i < n; i++) {
            if (!polls[i].revents || !take_reply(&connections[i])) continue;
            if (ask_again) {
                ask(&connections[i]);
            } else {
                polls[i].fd = -1;
                open--;
            }
        }
    }
}

static pid_t start_server(char *port_file)
{
    const char *bin = getenv("ALLOT_BIN"), *model = getenv("ALLOT_DEMO_MODEL");
    const char *prm = getenv("ALLOT_DEMO_PRM");
    char path[4096];
    snprintf(path, sizeof path, "%s/allot-demo-server", bin != NULL ? bin : "build/release/bin");
    pid_t pid = fork();
    if (pid == 0) {
        execl(path, path, "--quiet", "--port", "0", "--port-file", port_file, "--model",
              model != NULL ? model : "demo/tinymath.gguf", "--prm",
              prm != NULL ? prm : "demo/tinymath-prm.gguf", (char *)NULL);
        perror(path);
        _exit(1);
    }
    return pid;
}

static int read_port(const char *port_file, pid_t pid)
{
    const struct timespec moment = {0, 20 * 1000 * 1000};
    for (int i = 0; i < 500; i++) {
        FILE *f = fopen(port_file, "r");
        int port = 0, n = f == NULL ? 0 : fscanf(f, "%d", &port);
        if (f != NULL) fclose(f);
        if (n == 1) return port;
        if (waitpid(pid, NULL, WNOHANG) == pid) break;
        nanosleep(&moment, NULL);
    }
    fprintf(stderr, "bench_demo_server: the server did not start\n");
    exit(1);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 5;
    int n = argc > 2 ? atoi(argv[2]) : 64, port = argc > 3 ? atoi(argv[3]) : 0;
    char port_file[] = "/tmp/bench_demo_server.XXXXXX";
    pid_t pid = 0;
    if (n < 1 || n > MAX_CONNECTIONS || seconds <= 0) return 2;
    if (port == 0) {
        int fd = mkstemp(port_file);
        if (fd < 0) return 1;
        close(fd);
        pid = start_server(port_file);
        port = read_port(port_file, pid);
    }
    rng = allot_rng_start(1, 0, 0, 0);
    for (int i = 0; i < n; i++) {
        connections[i].fd = open_socket(port);
        ask(&connections[i]);
    }
    drive(n, now() + 0.5, 1); /* warm up */
    requests = tokens = 0;
    double start = now();
    drive(n, start + seconds, 1);
    double took = now() - start;
    printf("{\"bench\":\"demo_server\",\"connections\":%d,\"seconds\":%.3f,\"requests\":%ld,"
           "\"failed\":%ld,\"tokens\":%ld,\"tokens_per_s\":%.0f}\n",
           n, took, requests, failed, tokens, (double)tokens / took);
    drive(n, 0, 0);
    if (pid > 0) {
        kill(pid, SIGTERM);
        waitpid(pid, NULL, 0);
        unlink(port_file);
    }
    return failed > 0;
}
