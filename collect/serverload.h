/* SPDX-License-Identifier: Apache-2.0 */
/* serverload.h - how much a generation server has to do, by its own metrics (Prometheus text). */
#ifndef ALLOT_SERVERLOAD_H
#define ALLOT_SERVERLOAD_H
#include "engine/engine.h"

/* Requests running and waiting on the generator's server; -1 if it does not tell. Blocks for one
 * short request. */
int allot_serverload_read(const allot_engine_config *c);

/* The same from the text of /metrics [n]: the names of vLLM, SGLang and llama.cpp are known. */
int allot_serverload_parse(const char *text, size_t n);

#endif
