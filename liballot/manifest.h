/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h - the JSON part of a bundle. Not installed. docs/formats.md has the fields. */
#ifndef ALLOT_MANIFEST_H
#define ALLOT_MANIFEST_H
#include "bundle.h"
#include "jsontext.h"

/* Fills strategies, calib, calibrated, costs, embedding_* of b and the sizes (layout, d, p, h1, h2)
 * of its probe. After a failure b must still be cleared. */
ALLOT_MUST_CHECK allot_code allot_manifest_read(const char *text, allot_bundle *b, allot_err *err);
#endif
