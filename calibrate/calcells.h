/* SPDX-License-Identifier: Apache-2.0 */
/* calcells.h - the calibration split as the fit sees it: one cell per (query, strategy) with the
 * probe's logit and the soft label. All files are joined by key and must belong together. */
#ifndef ALLOT_CALCELLS_H
#define ALLOT_CALCELLS_H
#include "lib/store/joined.h"
#include "lib/store/probefile.h"
#include "calibrate/platt.h"

typedef struct {
    const char *probe; /* probe.h5 */
    allot_joined_files files;
    int by_n_eff; /* weight of a cell: its effective number of trials, else 1 */
} allot_calcells_source;

typedef struct {
    allot_platt_cell *at; /* owned [n] */
    size_t n;
    long n_queries; /* of the calibration split */
    long n_missing; /* cells left out */
} allot_calcells;

/* probe: already loaded from source->probe. */
ALLOT_MUST_CHECK allot_code allot_calcells_load(const allot_calcells_source *source,
                                                const allot_probefile *probe, allot_calcells *out,
                                                allot_err *err);
void allot_calcells_clear(allot_calcells *c);

#endif
