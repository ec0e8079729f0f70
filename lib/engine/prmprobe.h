/* SPDX-License-Identifier: Apache-2.0 */
/* prmprobe.h - does the reward model score a text alone as it does among others? There were servers
 * that did not (vLLM with chunked prefill and torch.compile: 0.83 became 0.01). Each server of the
 * list is asked for two short answers alone, then for the same among longer ones: in one request
 * where requests hold several texts, else all at once. Some 3 to 20 requests. */
#ifndef ALLOT_PRMPROBE_H
#define ALLOT_PRMPROBE_H
#include "lib/engine/prm.h"

/* Scores of a text may differ by so much: 16-bit arithmetic rounds differently among others. */
#define ALLOT_PRM_TOLERANCE 0.05

/* The step whose score differs most, and by how much; -1 and 1 if the steps are not as many. */
int allot_prm_worst_step(const allot_prm_text *a, const allot_prm_text *b, double *difference);
#endif
