/* SPDX-License-Identifier: Apache-2.0 */
/* bundlefile.h - writes model.safetensors; its reader is liballot/bundle.h, which programs call by
 * way of allot_bundlefile_load. */
#ifndef ALLOT_BUNDLEFILE_H
#define ALLOT_BUNDLEFILE_H
#include "lib/store/costsfile.h"
#include "liballot/bundle.h"
#include "lib/store/probefile.h"

/* Everything is borrowed. costs: the chosen load. The file is read back and compared before it
 * gets its final name. */
ALLOT_MUST_CHECK allot_code allot_bundlefile_save(const char *path, const allot_probefile *probe,
                                                  const allot_costs *costs, const cJSON *hardware,
                                                  const cJSON *provenance, allot_err *err);
/* As allot_bundle_load; warns of a bundle without a checksum. */
ALLOT_MUST_CHECK allot_code allot_bundlefile_load(const char *path, allot_bundle *out,
                                                  allot_err *err);
#endif
