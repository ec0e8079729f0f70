/* SPDX-License-Identifier: Apache-2.0 */
/* fault_server PORT_FILE - serves the faults of faults.h on 127.0.0.1 until it is killed; the port
 * is written to PORT_FILE once it listens. */
#include "tests/faults/fault_server.h"

int main(int argc, char **argv)
{
    int port;
    if (argc != 2) {
        fprintf(stderr, "usage: fault_server PORT_FILE\n");
        return 2;
    }
    if (!fault_server_start(&port)) {
        fprintf(stderr, "fault_server: cannot start\n");
        return 1;
    }
    char tmp[4096];
    snprintf(tmp, sizeof tmp, "%s.tmp", argv[1]);
    FILE *f = fopen(tmp, "w");
    if (!f || fprintf(f, "%d\n", port) < 0 || fclose(f) != 0 || rename(tmp, argv[1]) != 0) {
        fprintf(stderr, "fault_server: cannot write '%s'\n", argv[1]);
        return 1;
    }
    for (;;)
        pause();
}
