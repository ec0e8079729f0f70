/* SPDX-License-Identifier: Apache-2.0 */
/* delay_server PORT_FILE SECONDS - the server of delay_server.h, until it is killed; the port goes
 * into PORT_FILE. */
#include "tests/bench/delay_server.h"

int main(int argc, char **argv)
{
    int port, listener = delay_listen(&port);
    FILE *f = argc == 3 && listener >= 0 ? fopen(argv[1], "w") : NULL;
    if (!f || fprintf(f, "%d\n", port) < 0 || fclose(f) != 0) {
        fprintf(stderr, "usage: delay_server PORT_FILE SECONDS\n");
        return 2;
    }
    delay_serve(listener, strtod(argv[2], NULL));
}
